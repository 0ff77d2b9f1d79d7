/** One message on the page: reading it back from its article, and marking it for this reader. */
import { element, fromHtml, reachable } from "chat/dom";
import { morph } from "chat/morph";
import { me, placeOf } from "chat/page";
import { nameRooms } from "chat/rooms";
import { showBehind } from "chat/status";
import { localise } from "chat/time";
import { list } from "chat/words";

const ALL = new Set(["here", "everyone", "robots"]);

export function describe(article) {
  const { id, version, author, audience, kind, to = "", created, status } = article.dataset;
  const quotes = Boolean(article.querySelector(".quote, .shared-from"));
  const deleted = "deleted" in article.dataset;
  return { id: Number(id), version: Number(version), author: Number(author), audience, kind, to, created: Date.parse(created), status, quotes, deleted };
}

/** Whether it is something for whoever is here to read. */
export function isToRead({ author, kind, deleted }) {
  return author !== me && kind !== "system" && !deleted;
}

/** `article` is its text, or the element itself. */
export function makeEntry({ id, article }, place) {
  const made = typeof article === "string" ? fromHtml(article) : article;
  return mark(element("li", { class: "entry", "data-entry": id }, made), place);
}

/** Make the old copy into the newer one, which keeps what is selected and focused in it, and an edit that is under way. */
export function renew(entry, message) {
  const article = entry.querySelector(".message");
  const focused = article.contains(document.activeElement);
  const fresh = fromHtml(message.article);
  article.querySelector(".inline-edit")?.dispatchEvent(new CustomEvent("told", { detail: fresh.querySelector("[data-body]") }));
  morph(article, fresh);
  mark(entry);
  if (focused && !article.contains(document.activeElement)) article.focus({ preventScroll: true });
}

export function mark(entry, place = placeOf(entry)) {
  const article = entry.querySelector(".message");
  entry.toggleAttribute("data-mine", Number(article.dataset.author) === me);
  // Its beginning and its end are told elsewhere, and never every word.
  if (article.dataset.status === "streaming") entry.setAttribute("aria-live", "off");
  localise(entry);
  nameOthers(entry, place);
  reachable(entry);
  nameRooms(entry);
  for (const mention of entry.querySelectorAll(".mention[data-handle]")) {
    mention.toggleAttribute("data-me", mention.dataset.handle === place.people.get(me)?.handle);
    linkToCard(mention, place.room);
  }
  for (const reaction of entry.querySelectorAll(".reaction")) markReaction(reaction, place);
  return entry;
}

/** The card of whom it names, but of those it calls together. */
function linkToCard(mention, room) {
  const { handle } = mention.dataset;
  if (ALL.has(handle) || mention.closest("a")) return;
  const link = element("a", { href: `/rooms/${room}/people/@${handle}/`, class: mention.className, "data-handle": handle, "data-card": true }, ...mention.childNodes);
  link.toggleAttribute("data-me", "me" in mention.dataset);
  mention.replaceWith(link);
}

/** Who is named by id alone, since the element is the same for every reader. */
export function nameOthers(entry, { people } = placeOf(entry)) {
  const author = entry.querySelector(".message-author");
  if (author) showBehind(author, people.get(Number(entry.querySelector(".message").dataset.author))?.status);
  nameWhispered(entry, people);
  const stopped = entry.querySelector("[data-stopped-by]");
  const by = Number(stopped?.dataset.stoppedBy);
  if (by && people.get(by)) stopped.textContent = `Stopped by ${by === me ? "you" : people.name(by)}`;
}

function nameWhispered(entry, people) {
  const place = entry.querySelector("[data-whisper-names]");
  const to = entry.querySelector(".message").dataset.to;
  if (!place || !to) return;
  const ids = to.split(" ").map(Number);
  if (!ids.some((id) => people.get(id))) return;
  place.textContent = `to ${list(ids.map((id) => (id === me ? "you" : people.name(id))), 6)}`;
}

/** What this reader may do with a message; the server asks again. */
export function possibilities(article) {
  const { author, kind, created, audience } = article.dataset;
  const { may, people, editWindow } = placeOf(article);
  const text = kind === "text" && !("deleted" in article.dataset);
  const mine = Number(author) === me;
  return {
    react: may.write && kind !== "system" && !("deleted" in article.dataset),
    reply: may.write && text,
    ask: may.ask && text && people.robots.length > 0,
    beside: may.openSidebars && audience !== "only" && kind !== "system" && !("deleted" in article.dataset),
    shareBack: may.shareBack && text,
    share: may.share && text,
    edit: may.write && text && mine && Date.now() - Date.parse(created) < editWindow,
    delete: text && (mine || may.manage),
    link: kind !== "system",
    more: kind !== "system" && !("deleted" in article.dataset),
  };
}

function markReaction(reaction, { people }) {
  const ids = reaction.dataset.users.split(" ").map(Number);
  reaction.setAttribute("role", "button");
  reaction.setAttribute("aria-pressed", String(ids.includes(me)));
  reaction.title = list(ids.map((id) => (id === me ? "you" : people.name(id))), 8);
}
