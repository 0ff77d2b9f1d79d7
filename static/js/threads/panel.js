/**
 * A side-bar beside the room, where the screen is wide: the page of its room, read into a place of
 * its own. Its elements are those of every room. Where the screen is narrow the page itself is gone to.
 */
import { element, icon, iconButton } from "chat/dom";
import { attend } from "chat/elements/people";
import { flash } from "chat/elements/flash";
import { delivery } from "chat/line";
import { addPlace, connection, main, peopleOf, readsOf } from "chat/page";
import { keepUp } from "chat/place";
import { fetchPage, renewPlace, send, tellFlashes, UNREACHED, whyNot } from "chat/refresh";
import { localise } from "chat/time";

const WIDE = matchMedia("(width >= 1100px)");
const shell = document.querySelector(".shell");
/** What the page of a room has for itself alone. */
const LEFT_OUT = "chat-connection, template, script, .room-back";
/** Until a side-bar that could not be joined just now is tried again. */
const AGAIN = 1_000;
let panel = null;
/** What was asked for last, until it is there. */
let asked = null;

/** Whether one is on its way. */
export function isComing() {
  return asked !== null;
}

/** Show it, from its page where that was fetched already. `from` is where somebody was who asked for it. */
function open(id, { page, from = null } = {}) {
  if (panel?.place.room !== id) return bring(id, { page, from });
  if (asked?.id !== id) asked = null;
  if (from) panel.root.focus();
}

async function bring(id, { page, from = null } = {}) {
  const ours = (asked = { id });
  const fetched = page ?? (await fetchPage(`/rooms/${id}/`).catch(() => null))?.page;
  if (asked !== ours) return;
  if (!fetched) return leave("The side-bar could not be fetched. Try again in a moment.");
  if (Number(fetched.body.dataset.parent) !== main.room) return location.assign(`/rooms/${id}/`);
  take(fetched, id, from);
}

/** Who has gone on elsewhere meanwhile stays there: what they type is not for the side-bar's readers. */
function take(page, id, from) {
  const at = document.activeElement;
  const isFrom = at === from || (at.href && at.href === from?.href); // the list of rooms may have been renewed
  const begins = at === document.body || isFrom || panel?.root.contains(at);
  close();
  const { page: _page, me: _me, socket: _socket, sidebars: _sidebars, ...told } = page.body.dataset;
  const title = page.querySelector("h1").textContent;
  const root = element("section", { class: "room panel", "aria-label": `Side-bar: ${title}`, tabindex: -1 });
  Object.assign(root.dataset, told);
  const place = addPlace(root, peopleOf(page), readsOf(page));
  panel = { root, place };
  beMain();
  page.querySelectorAll(`#main :is(${LEFT_OUT})`).forEach((part) => part.remove());
  page.getElementById("unread")?.removeAttribute("id");
  shell.append(root);
  root.append(bar(id), ...[...page.getElementById("main").childNodes].map((part) => document.adoptNode(part)));
  localise(root);
  attend(place);
  keepUp(place, { moved: () => panel?.place === place && bring(id) });
  delivery.add(id, place.outbox);
  root.addEventListener("submit", (event) => submit(event, place));
  place.on("left", () => leave("You are no longer in this side-bar.", place));
  comeAgain(place);
  connection.addEventListener("state", ({ detail }) => detail === "ended" && close(), { signal: place.signal });
  connection.join(id, told.cursor);
  mark(id);
  if (begins) begin(root);
}

function begin(root) {
  root.querySelector("chat-composer")?.begin();
  if (!root.contains(document.activeElement)) root.focus();
}

/** Deaf to its room, it comes again; which it may do once too often. Once it hears, errors are of something else. */
function comeAgain(place) {
  let hears = false;
  for (const heard of ["joined", "synced"]) place.on(heard, () => (hears = true));
  connection.addEventListener("state", ({ detail }) => detail === "live" || (hears = false), { signal: place.signal });
  const join = () => hears || place.signal.aborted || connection.join(place.room, connection.cursorOf(place.room));
  place.on("error", ({ code, room, client_id: post }) => {
    if (hears || post || room !== place.room) return;
    if (code === "not_found") leave("This side-bar is not there for you any more.", place);
    if (code === "unavailable") setTimeout(join, AGAIN);
  });
}

/** On a screen that became narrow it covers the room, and is what the page is about. */
function beMain() {
  if (WIDE.matches) panel?.root.removeAttribute("role");
  else panel?.root.setAttribute("role", "main");
}

/** A form of its page, answered in place. */
async function submit(event, place) {
  if (event.defaultPrevented) return;
  event.preventDefault();
  const { response, page } = await send(event.target, event.submitter);
  if (!page) return flash(UNREACHED, "error");
  tellFlashes(page);
  if (!response.ok) return flash(whyNot(page), "error");
  if (Number(page.body.dataset.room) === place.room) renewPlace(place, page);
}

function bar(id) {
  const alone = element("a", { class: "icon-button", href: `/rooms/${id}/`, title: "Open on its own page" }, icon("expand"), element("span", { class: "only-read-aloud" }, "Open on its own page"));
  const shut = iconButton("Close the side-bar (Esc)", icon("close"));
  shut.addEventListener("click", back, { once: true });
  return element("div", { class: "panel-bar" }, alone, shut);
}

function close() {
  asked = null;
  if (!panel) return;
  const { root, place } = panel;
  const held = root.contains(document.activeElement);
  panel = null;
  root.remove();
  leaveOnceSent(place);
  mark(null);
  if (held) (shown(place.room) ?? document.querySelector("#main .composer textarea"))?.focus();
}

/** What was written there goes out all the same. */
function leaveOnceSent(place) {
  const { outbox, room } = place;
  const look = () => {
    if (place.signal.aborted || outbox.entries.some(({ state }) => state !== "failed")) return;
    place.leave();
    if (panel?.place.room === room) return;
    delivery.remove(room);
    connection.leave(room);
  };
  ["settled", "changed"].forEach((change) => outbox.addEventListener(change, look));
  look();
}

function leave(why, place = panel?.place) {
  if (panel?.place !== place) return;
  back();
  flash(why, "error");
}

function shown(id) {
  return document.querySelector(`.stub[data-sidebar="${id}"]`);
}

function mark(id) {
  for (const stub of document.querySelectorAll(".stub[aria-current]")) stub.removeAttribute("aria-current");
  if (id) shown(id)?.setAttribute("aria-current", "true");
}

// The address: `?sidebar=ID`, and the way back

function address(id) {
  const there = new URL(location);
  if (id) there.searchParams.set("sidebar", id);
  else there.searchParams.delete("sidebar");
  return there;
}

function inAddress() {
  return Number(new URL(location).searchParams.get("sidebar")) || null;
}

/** One step back closes the panel, however many were in it. */
function go(id, page) {
  if (panel || inAddress()) history.replaceState(history.state, "", address(id));
  else history.pushState({ beside: true }, "", address(id));
  open(id, { page, from: document.activeElement });
}

/** Closed at once, so that nobody steps back twice. */
function back() {
  close();
  if (history.state?.beside) history.back();
  else history.replaceState(null, "", address(null));
}

function follow() {
  const id = inAddress();
  if (id) open(id);
  else close();
}

/** A link to a side-bar: its stub, or its row in the list of rooms. */
function clicked(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || !WIDE.matches) return;
  const link = event.target.closest(".stub, .room-row-side > a");
  if (link) follows(event, link);
  const quote = event.target.closest(".panel [data-anchor]");
  if (quote) (event.preventDefault(), document.querySelector("chat-timeline").find(Number(quote.dataset.anchor)));
}

function follows(event, link) {
  const row = link.closest(".room-row-side");
  const id = Number(link.dataset.sidebar ?? row.dataset.room);
  event.preventDefault();
  if (row && Number(row.dataset.parent) !== main.room) location.assign(`/rooms/${row.dataset.parent}/?sidebar=${id}`);
  else go(id);
}

function went(event) {
  const { page } = event.detail;
  if (!WIDE.matches || Number(page.body.dataset.parent) !== main.room) return;
  event.preventDefault();
  document.getElementById("dialog").close();
  go(Number(page.body.dataset.room), page);
}

function pressed(event) {
  if (event.key !== "Escape" || event.defaultPrevented || event.target.closest("chat-timeline")) return;
  if (event.target.closest(".panel")) back();
}

if ("sidebars" in document.body.dataset) {
  document.addEventListener("click", clicked);
  document.addEventListener("went", went);
  document.addEventListener("keydown", pressed);
  addEventListener("popstate", follow);
  WIDE.addEventListener("change", beMain);
  if (inAddress() && !WIDE.matches) location.replace(`/rooms/${inAddress()}/`);
  else follow();
}
