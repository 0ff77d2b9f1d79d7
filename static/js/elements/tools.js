/** What one can do with the message one points at or stands on: a bar of buttons, and keys. */
import { api, PATIENCE } from "chat/api";
import { fromTemplate } from "chat/dom";
import { openDialog } from "chat/elements/dialog";
import { openPicker } from "chat/emoji/picker";
import { flash } from "chat/elements/flash";
import { IN_A_ROOM, keys, ON_A_MESSAGE } from "chat/keys";
import { placeOf } from "chat/page";
import { UNREACHED } from "chat/refresh";
import { editInPlace } from "chat/timeline/editing";
import { possibilities } from "chat/timeline/entry";
import { showFacts } from "chat/timeline/facts";

/** The key of each deed, and what the sheet of keys calls it. */
const KEYS = {
  reply: ["r", "Reply"],
  react: ["+", "React"],
  edit: ["e", "Edit"],
  beside: ["b", "Open a side-bar"],
  ask: ["a", "Ask a robot"],
  share: ["s", "Share"],
  shareBack: ["h", "Share back from a side-bar"],
  delete: ["Delete", "Delete"],
  link: ["l", "Copy its link"],
  more: ["Enter", "Show all there is to do with it"],
};
/** Around the room's timeline, and that of a side-bar beside it. */
const timeline = document.querySelector(".shell");
/** Looked up anew: it comes and goes with the room's state. */
const composer = (node) => placeOf(node).root.querySelector("chat-composer");

const deeds = {
  reply: (article) => composer(article)?.reply(article),
  react: (article, button) => openPicker(button, (emoji) => react(article, emoji, "PUT")),
  ask: ({ dataset }) => openDialog(`/messages/${dataset.id}/ask/`),
  beside: ({ dataset }) => openDialog(`/messages/${dataset.id}/sidebar/`),
  shareBack: (article) => openDialog(`/sidebars/${placeOf(article).room}/share/?message=${article.dataset.id}`),
  share: ({ dataset }) => openDialog(`/messages/${dataset.id}/share/`),
  delete: ({ dataset }) => openDialog(`/messages/${dataset.id}/delete/`),
  more: ({ dataset }) => openDialog(`/messages/${dataset.id}/`),
  link: copyLink,
  edit,
};

export function doTo(article, deed, button) {
  if (possibilities(article)[deed]) deeds[deed](article, button ?? article);
}

async function edit(article) {
  const save = (body) => change(`messages/${article.dataset.id}/`, { method: "PATCH", body: { body }, signal: AbortSignal.timeout(PATIENCE) });
  try {
    const wasAtIt = await editInPlace(article, save);
    if (wasAtIt) composer(article)?.focus();
    if (wasAtIt === null) flash("This can no longer be edited.", "error");
  } catch {
    flash(UNREACHED, "error");
  }
}

/** Where the browser does not let us copy, its own page has the link to copy by hand. */
async function copyLink(article) {
  const { id } = article.dataset;
  try {
    await navigator.clipboard.writeText(`${location.origin}/rooms/${placeOf(article).room}/?around=${id}#message-${id}`);
    flash("The link is copied.");
  } catch {
    openDialog(`/messages/${id}/`);
  }
}

function react(article, emoji, method) {
  return change(`messages/${article.dataset.id}/reactions/${encodeURIComponent(emoji)}/`, { method });
}

/** Their card changes with every turn, which takes nobody's finger off the button. */
const STEERING = { pause: ["POST", "pause/"], resume: ["POST", "resume/"], stop: ["DELETE", ""] };

function act(article, { dataset: { action, fields } }) {
  if (fields !== undefined) return doTo(article, "more");
  const [method, where] = (article.querySelector(".autopilot") && STEERING[action]) || [];
  if (method) return change(`rooms/${placeOf(article).room}/autopilot/${where}`, { method });
  const { id, version } = article.dataset;
  return change(`messages/${id}/actions/`, { method: "POST", body: { action, version: Number(version) } });
}

/** Its message tells when it has stopped. */
async function stop(article, link) {
  link.setAttribute("aria-disabled", "true");
  if (!(await change(`messages/${article.dataset.id}/stop/`, { method: "POST" }))) link.removeAttribute("aria-disabled");
}

async function change(path, options) {
  try {
    return await api(path, options);
  } catch (error) {
    flash(error.message, "error");
    return null;
  }
}

// The bar, and what is in the message itself

const bar = fromTemplate("message-tools");

function showBar(article) {
  if (!article || article === bar.parentElement || article.closest(".entry-pending")) return;
  const can = possibilities(article);
  for (const button of bar.children) button.hidden = !can[button.dataset.tool];
  if ([...bar.children].some((button) => !button.hidden)) article.append(bar);
}

function clicked(event) {
  const of = (selector) => event.target.closest(selector);
  const article = of(".message");
  const [tool, more, reaction, action] = [of("[data-tool]"), of(".message-more"), of(".reaction[data-emoji]"), of("[data-action]")];
  const stopping = of("[data-stop]");
  if (!article || !(tool || more || reaction || action || stopping)) return;
  event.preventDefault();
  if (tool) doTo(article, tool.dataset.tool, tool);
  if (more) doTo(article, "more");
  if (reaction && placeOf(article).may.write) react(article, reaction.dataset.emoji, reaction.getAttribute("aria-pressed") === "true" ? "DELETE" : "PUT");
  if (action && action.getAttribute("aria-disabled") !== "true") act(article, action);
  if (stopping && stopping.getAttribute("aria-disabled") !== "true") stop(article, stopping);
}

// Keys: up and down among the messages, a letter for each deed

const roaming = { within: "chat-timeline", when: ({ target }) => !target.closest("input, textarea, select, .tools") };
const onMessage = { ...roaming, group: ON_A_MESSAGE, when: (event) => roaming.when(event) && event.target.closest(".message") && !event.target.closest("a, button") };

for (const [deed, [press, words]] of Object.entries(KEYS)) {
  keys.add({ ...onMessage, press, words, run: ({ target }) => doTo(target.closest(".message"), deed) });
}
keys.add({ ...roaming, press: ["ArrowUp", "k"], words: "Message before", group: IN_A_ROOM, run: (event) => step(event, -1) });
keys.add({ ...roaming, press: ["ArrowDown", "j"], words: "Message after", group: IN_A_ROOM, run: (event) => step(event, 1) });
keys.add({ ...roaming, press: "Home", words: "First message", group: IN_A_ROOM, run: ({ target }) => void target.closest("chat-timeline").stepTo(-1) });
keys.add({ ...roaming, press: "End", words: "Latest message", group: IN_A_ROOM, run: ({ target }) => void target.closest("chat-timeline").stepTo(1) });
keys.add({
  ...roaming,
  press: "Escape",
  words: "Back to writing",
  group: IN_A_ROOM,
  run: ({ target }) => (timeline.querySelector(":popover-open") ? false : composer(target)?.focus()),
});

function step({ target }, by) {
  return target.closest("chat-timeline").step(by, target.closest(".message"));
}

/** “Reply” on a message's own page, when that page is a dialog here. */
function repliedInDialog(event) {
  const link = event.target.closest("dialog a[data-reply-to]");
  const article = link && document.getElementById(`message-${link.dataset.replyTo}`);
  if (!article || !composer(article)) return;
  event.preventDefault();
  link.closest("dialog").close();
  composer(article).reply(article);
}

timeline.addEventListener("pointerover", (event) => event.pointerType === "mouse" && showBar(event.target.closest(".message")));
timeline.addEventListener("focusin", (event) => event.target.matches(".message") && showBar(event.target));
timeline.addEventListener("click", clicked);
document.addEventListener("click", repliedInDialog);
showFacts(timeline);
