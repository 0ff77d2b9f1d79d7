/** One message on the page: reading it back from its article, and marking it for this reader. */
import { element, fromHtml } from "chat/dom";
import { editWindow, may, me, people } from "chat/page";
import { localise } from "chat/time";
import { list } from "chat/words";

export function describe(article) {
  const { id, version, author, audience, kind, to = "", created } = article.dataset;
  const quotes = Boolean(article.querySelector(".quote, .shared-from"));
  return { id: Number(id), version: Number(version), author: Number(author), audience, kind, to, created: Date.parse(created), quotes };
}

export function makeEntry(message) {
  return mark(element("li", { class: "entry", "data-entry": message.id }, fromHtml(message.article)));
}

/** Put the newer copy in the old one's place, which keeps its focus. */
export function renew(entry, message) {
  const old = entry.querySelector(".message");
  const focused = old.contains(document.activeElement);
  old.replaceWith(fromHtml(message.article));
  mark(entry);
  if (focused) entry.querySelector(".message").focus({ preventScroll: true });
}

export function mark(entry) {
  const article = entry.querySelector(".message");
  entry.toggleAttribute("data-mine", Number(article.dataset.author) === me);
  localise(entry);
  nameWhispered(entry);
  for (const mention of entry.querySelectorAll(".mention[data-handle]")) {
    mention.toggleAttribute("data-me", mention.dataset.handle === people.get(me)?.handle);
  }
  for (const reaction of entry.querySelectorAll(".reaction")) markReaction(reaction);
  return entry;
}

export function nameWhispered(entry) {
  const place = entry.querySelector("[data-whisper-names]");
  const to = entry.querySelector(".message").dataset.to;
  if (!place || !to) return;
  const ids = to.split(" ").map(Number);
  if (!ids.some((id) => people.get(id))) return;
  place.textContent = `to ${list(ids.map((id) => (id === me ? "you" : people.name(id))), 6)}`;
}

/** What this reader may do with a message; the server asks again. */
export function possibilities(article) {
  const { author, kind, created } = article.dataset;
  const text = kind === "text" && !("deleted" in article.dataset);
  const mine = Number(author) === me;
  return {
    react: may.write && kind !== "system" && !("deleted" in article.dataset),
    reply: may.write && text,
    share: may.share && text,
    edit: may.write && text && mine && Date.now() - Date.parse(created) < editWindow,
    delete: text && (mine || may.manage),
    more: kind !== "system" && !("deleted" in article.dataset),
  };
}

function markReaction(reaction) {
  const ids = reaction.dataset.users.split(" ").map(Number);
  reaction.setAttribute("role", "button");
  reaction.setAttribute("aria-pressed", String(ids.includes(me)));
  reaction.title = list(ids.map((id) => (id === me ? "you" : people.name(id))), 8);
}
