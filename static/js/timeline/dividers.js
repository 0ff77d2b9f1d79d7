/** Days, groups and the line above what is new: all of them follow from the entries. */
import { element } from "chat/dom";
import { day, follows } from "chat/grouping";
import { dayName } from "chat/time";
import { describe } from "chat/timeline/entry";

export function arrange(list) {
  let previous = null;
  for (const entry of [...list.querySelectorAll(".entry[data-entry]")]) {
    const message = describe(entry.querySelector(".message"));
    const newDay = !previous || day(previous.created) !== day(message.created);
    arrangeDay(entry, newDay ? message.created : null);
    const lineAbove = entry.previousElementSibling?.matches(".unread-line");
    entry.toggleAttribute("data-follows", !lineAbove && follows(previous, message));
    previous = message;
  }
  for (const stray of list.querySelectorAll(".day:has(+ .day), .day:last-child")) stray.remove();
}

/** The line goes above the first entry after what was read, unless everything was. */
export function markUnread(list, lastRead) {
  list.querySelector(".unread-line")?.remove();
  const fresh = [...list.querySelectorAll(".entry[data-entry]:not([data-mine])")].find(
    (entry) => Number(entry.dataset.entry) > lastRead && entry.querySelector('.message:not([data-kind="system"])'),
  );
  fresh?.before(element("li", { class: "unread-line", id: "unread" }, element("span", {}, "New")));
  return fresh;
}

function arrangeDay(entry, created) {
  let above = entry.previousElementSibling;
  if (above?.matches(".unread-line")) above = above.previousElementSibling;
  const divider = above?.matches(".day") ? above : null;
  if (created === null) {
    divider?.remove();
    return;
  }
  if (divider?.dataset.day === day(created) && "own" in divider.dataset) return;
  divider?.remove();
  const made = element("li", { class: "day", "data-day": day(created), "data-own": "" }, element("span", {}, dayName(created)));
  (entry.previousElementSibling?.matches(".unread-line") ? entry.previousElementSibling : entry).before(made);
}
