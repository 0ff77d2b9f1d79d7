/**
 * What can be done from the switcher: whatever the page shows with `data-command` (its name), and with
 * `data-also` (other words for it), is done as if it were clicked; so nobody is offered what they may not do.
 */
import { api } from "chat/api";
import { flash } from "chat/elements/flash";
import { openKeys } from "chat/elements/keys";
import { keys, labelsOf } from "chat/keys";
import { room } from "chat/page";
import { nextUnread } from "chat/switcher/walking";

const own = [
  { name: "Go to the next unread room", also: "jump news", icon: "latest", press: "Alt+Shift+ArrowDown", run: nextUnread },
  { name: "Keyboard", also: "shortcuts keys help", icon: "keyboard", press: "?", run: openKeys },
];

/** Add one: `{name, also, icon, press, run}`; `shown()` says whether it makes sense just now. */
export function addCommand(command) {
  own.push(command);
}

export function commands() {
  const shown = [...document.querySelectorAll("[data-command]")].filter((control) => !control.closest("template"));
  const controls = shown.map((control) => ({
    name: control.dataset.command,
    also: control.dataset.also,
    icon: control.dataset.icon ?? control.querySelector("use")?.getAttribute("href").replace("#icon-", ""),
    run: () => control.click(),
  }));
  const ours = own.filter(({ shown: makesSense }) => !makesSense || makesSense());
  return [...controls, ...ours].map(({ press, ...command }) => ({
    kind: "command",
    key: `command:${command.name}`,
    ...command,
    press: press && labelsOf(press, keys),
  }));
}

const row = () => document.querySelector(`.room-row[data-room="${room}"]:not(.room-row-side)`);

async function mute(muted) {
  try {
    await api(`rooms/${room}/me/`, { method: "PATCH", body: { muted } });
    flash(muted ? "This room is muted." : "This room is heard again.");
    document.querySelector("chat-rooms")?.renew();
  } catch (error) {
    flash(error.message, "error");
  }
}

addCommand({ name: "Mute this room", also: "silence quiet", icon: "bell-off", shown: () => row() && !("muted" in row().dataset), run: () => mute(true) });
addCommand({ name: "Unmute this room", also: "hear notify", icon: "bell-off", shown: () => row() && "muted" in row().dataset, run: () => mute(false) });
