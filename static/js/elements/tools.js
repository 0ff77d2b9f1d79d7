/** What one can do with the message one points at or stands on: a bar of buttons, and keys. */
import { api } from "chat/api";
import { element, fromTemplate } from "chat/dom";
import { flash } from "chat/elements/flash";
import { openDialog } from "chat/elements/dialog";
import { EMOJI } from "chat/emoji";
import { may } from "chat/page";
import { fetchPage } from "chat/refresh";
import { possibilities } from "chat/timeline/entry";

const KEYS = { r: "reply", e: "edit", s: "share", "+": "react", Delete: "delete", Enter: "more" };
const timeline = document.querySelector("chat-timeline");
/** Looked up anew: it comes and goes with the room's state. */
const composer = () => document.querySelector("chat-composer");

const deeds = {
  reply: (article) => composer()?.reply(article),
  react: (article, button) => openPicker(article, button),
  share: ({ dataset }) => openDialog(`/messages/${dataset.id}/share/`),
  delete: ({ dataset }) => openDialog(`/messages/${dataset.id}/delete/`),
  more: ({ dataset }) => openDialog(`/messages/${dataset.id}/`),
  edit: editInPlace,
};

export function doTo(article, deed, button) {
  if (possibilities(article)[deed]) deeds[deed](article, button ?? article);
}

async function change(path, options) {
  try {
    await api(path, options);
  } catch (error) {
    flash(error.message, "error");
  }
}

export function toggleReaction(article, emoji, mine) {
  const path = `messages/${article.dataset.id}/reactions/${encodeURIComponent(emoji)}/`;
  return change(path, { method: mine ? "DELETE" : "PUT" });
}

// The bar

const bar = timeline && fromTemplate("message-tools");

function showBar(article) {
  if (!article || article === bar.parentElement || article.closest(".entry-pending")) return;
  const can = possibilities(article);
  for (const button of bar.children) button.hidden = !can[button.dataset.tool];
  if ([...bar.children].some((button) => !button.hidden)) article.append(bar);
}

function clicked(event) {
  const article = event.target.closest(".message");
  const tool = event.target.closest("[data-tool]");
  const reaction = event.target.closest(".reaction[data-emoji]");
  const action = event.target.closest("[data-action]");
  const more = event.target.closest(".message-more");
  if (!article || !(tool || reaction || action || more)) return;
  event.preventDefault();
  if (tool) doTo(article, tool.dataset.tool, tool);
  if (more) doTo(article, "more");
  if (reaction && may.write) toggleReaction(article, reaction.dataset.emoji, reaction.getAttribute("aria-pressed") === "true");
  if (action && action.getAttribute("aria-disabled") !== "true") act(article, action);
}

function act({ dataset }, { dataset: { action, fields } }) {
  if (fields !== undefined) return openDialog(`/messages/${dataset.id}/`);
  const body = { action, version: Number(dataset.version) };
  return change(`messages/${dataset.id}/actions/`, { method: "POST", body });
}

// Keys: up and down among the messages, a letter for each deed

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, .tools, dialog")) return;
  const article = event.target.closest(".message");
  if (event.key === "ArrowUp" || event.key === "ArrowDown") return step(event, article);
  if (event.key === "Escape") return composer()?.focus();
  if (article && KEYS[event.key] && !event.target.closest("a, button")) {
    event.preventDefault();
    doTo(article, KEYS[event.key]);
  }
}

function step(event, article) {
  const all = [...timeline.querySelectorAll(".entry[data-entry] .message")];
  const at = article ? all.indexOf(article) + (event.key === "ArrowUp" ? -1 : 1) : all.length - 1;
  if (!all[at]) return;
  event.preventDefault();
  all[at].focus();
  all[at].scrollIntoView({ block: "nearest" });
}

// The emoji

function openPicker(article, button) {
  const picker = fromTemplate("emoji-picker");
  picker.append(...EMOJI.map((emoji) => element("button", { type: "button", role: "menuitem", "data-emoji": emoji }, emoji)));
  picker.addEventListener("click", ({ target }) => {
    const { emoji } = target.closest("button")?.dataset ?? {};
    if (!emoji) return;
    picker.hidePopover();
    toggleReaction(article, emoji, false);
  });
  picker.addEventListener("toggle", ({ newState }) => newState === "closed" && (picker.remove(), button.focus()));
  picker.addEventListener("keydown", roam);
  document.body.append(picker);
  picker.showPopover();
  place(picker, button.getBoundingClientRect());
  picker.firstElementChild.focus();
}

function roam(event) {
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 };
  const all = [...event.currentTarget.children];
  const next = all[all.indexOf(document.activeElement) + steps[event.key]];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function place(picker, near) {
  const { width, height } = picker.getBoundingClientRect();
  const above = near.top - height - 6;
  picker.style.insetBlockStart = `${above > 8 ? above : Math.min(near.bottom + 6, innerHeight - height - 8)}px`;
  picker.style.insetInlineStart = `${Math.max(8, Math.min(near.right - width, innerWidth - width - 8))}px`;
}

// Editing, where it stands

async function editInPlace(article) {
  const { page } = await fetchPage(`/messages/${article.dataset.id}/edit/`);
  const form = page.querySelector("[data-partial] form");
  if (!form) return flash("This can no longer be edited.", "error");
  const body = article.querySelector("[data-body]");
  const place = element("div", { class: "inline-edit" }, document.adoptNode(form));
  const done = () => {
    place.replaceWith(body);
    composer()?.focus();
  };
  const save = async () => {
    const text = form.querySelector("textarea").value;
    done();
    await change(`messages/${article.dataset.id}/`, { method: "PATCH", body: { body: text } });
  };
  body.replaceWith(place);
  form.addEventListener("submit", (event) => (event.preventDefault(), save()));
  form.addEventListener("click", (event) => event.target.closest("[data-close]") && (event.preventDefault(), done()));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") done();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) (event.preventDefault(), save());
  });
  const area = form.querySelector("textarea");
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
}

if (timeline) {
  timeline.addEventListener("pointerover", (event) => event.pointerType === "mouse" && showBar(event.target.closest(".message")));
  timeline.addEventListener("focusin", (event) => event.target.matches(".message") && showBar(event.target));
  timeline.addEventListener("keydown", pressed);
  timeline.addEventListener("click", clicked);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("dialog a[data-reply-to]");
    const article = link && document.getElementById(`message-${link.dataset.replyTo}`);
    if (!article || !composer()) return;
    event.preventDefault();
    link.closest("dialog").close();
    composer().reply(article);
  });
}
