/** What one can do with the message one points at or stands on: a bar of buttons, and keys. */
import { api } from "chat/api";
import { fromTemplate } from "chat/dom";
import { openDialog } from "chat/elements/dialog";
import { flash } from "chat/elements/flash";
import { may } from "chat/page";
import { editInPlace } from "chat/timeline/editing";
import { possibilities } from "chat/timeline/entry";
import { openPicker } from "chat/timeline/picker";

const KEYS = { r: "reply", e: "edit", s: "share", "+": "react", Delete: "delete", Enter: "more" };
const timeline = document.querySelector("chat-timeline");
/** Looked up anew: it comes and goes with the room's state. */
const composer = () => document.querySelector("chat-composer");

const deeds = {
  reply: (article) => composer()?.reply(article),
  react: (article, button) => openPicker(button, (emoji) => react(article, emoji, "PUT")),
  share: ({ dataset }) => openDialog(`/messages/${dataset.id}/share/`),
  delete: ({ dataset }) => openDialog(`/messages/${dataset.id}/delete/`),
  more: ({ dataset }) => openDialog(`/messages/${dataset.id}/`),
  edit,
};

export function doTo(article, deed, button) {
  if (possibilities(article)[deed]) deeds[deed](article, button ?? article);
}

async function edit(article) {
  const body = await editInPlace(article);
  if (body === undefined) return flash("This can no longer be edited.", "error");
  composer()?.focus();
  if (body !== null) await change(`messages/${article.dataset.id}/`, { method: "PATCH", body: { body } });
}

function react(article, emoji, method) {
  return change(`messages/${article.dataset.id}/reactions/${encodeURIComponent(emoji)}/`, { method });
}

function act(article, { dataset: { action, fields } }) {
  if (fields !== undefined) return doTo(article, "more");
  const { id, version } = article.dataset;
  return change(`messages/${id}/actions/`, { method: "POST", body: { action, version: Number(version) } });
}

async function change(path, options) {
  try {
    await api(path, options);
  } catch (error) {
    flash(error.message, "error");
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
  if (!article || !(tool || more || reaction || action)) return;
  event.preventDefault();
  if (tool) doTo(article, tool.dataset.tool, tool);
  if (more) doTo(article, "more");
  if (reaction && may.write) react(article, reaction.dataset.emoji, reaction.getAttribute("aria-pressed") === "true" ? "DELETE" : "PUT");
  if (action && action.getAttribute("aria-disabled") !== "true") act(article, action);
}

// Keys: up and down among the messages, a letter for each deed

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, .tools")) return;
  const article = event.target.closest(".message");
  if (event.key === "ArrowUp" || event.key === "ArrowDown") step(event, article);
  else if (event.key === "Escape") composer()?.focus();
  else if (article && KEYS[event.key] && !event.target.closest("a, button")) {
    event.preventDefault();
    doTo(article, KEYS[event.key]);
  }
}

function step(event, article) {
  const all = [...timeline.querySelectorAll("[data-entry] .message")];
  const at = article ? all.indexOf(article) + (event.key === "ArrowUp" ? -1 : 1) : all.length - 1;
  if (!all[at]) return;
  event.preventDefault();
  all[at].focus();
  all[at].scrollIntoView({ block: "nearest" });
}

/** “Reply” on a message's own page, when that page is a dialog here. */
function repliedInDialog(event) {
  const link = event.target.closest("dialog a[data-reply-to]");
  const article = link && document.getElementById(`message-${link.dataset.replyTo}`);
  if (!article || !composer()) return;
  event.preventDefault();
  link.closest("dialog").close();
  composer().reply(article);
}

timeline.addEventListener("pointerover", (event) => event.pointerType === "mouse" && showBar(event.target.closest(".message")));
timeline.addEventListener("focusin", (event) => event.target.matches(".message") && showBar(event.target));
timeline.addEventListener("keydown", pressed);
timeline.addEventListener("click", clicked);
document.addEventListener("click", repliedInDialog);
