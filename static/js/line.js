/**
 * What a page does so that what was written goes out and news come in: by the socket, and where
 * none comes about though the server answers, by asking every few seconds. The connection tells
 * "reached" then.
 */
import { api } from "chat/api";
import { Delivery } from "chat/delivery";
import { outboxOf, roomsWaiting } from "chat/kept";
import { connection, main, me } from "chat/page";
import { mustBe, postAs } from "chat/writer";

const ASK_EVERY = 4_000;
/** So many sockets in a row came to nothing: it is not the server that is away for a moment. */
const ENOUGH = 2;

export const delivery = new Delivery({ connection, post: (...said) => postAs(me, ...said) });
let refusals = 0;
let timer = null;

/** Returns whether it could be told. */
export function tellRead(room, message) {
  if (delivery.way === "http") api(`rooms/${room}/read/`, { method: "POST", body: { message } }).catch(() => {});
  return delivery.way === "http" || connection.send({ type: "read", room, message });
}

/** A socket came to nothing, which does not say why; the API does. */
async function ask() {
  clearTimeout(timer);
  if (connection.state === "live" || connection.state === "ended") return;
  try {
    await mustBe(me);
    if (main.room) await catchUp(main.room);
    for (const room of connection.others) await catchUpBeside(room);
    if (refusals >= ENOUGH && connection.state !== "live" && connection.state !== "ended") reached();
  } catch (error) {
    delivery.go(null);
    if (error.status === 401) connection.end("signed_out");
    if (error.status === 404) connection.end("left");
  }
}

function reached() {
  delivery.go("http");
  connection.dispatchEvent(new CustomEvent("reached"));
  timer = setTimeout(ask, ASK_EVERY);
}

/** What changed meanwhile, as the socket would have told it; "outdated" where that can only be had anew. */
async function catchUp(room) {
  for (let cursor = connection.cursorOf(room); cursor; ) {
    const page = await api(`rooms/${room}/messages/?render=html&cursor=${encodeURIComponent(cursor)}`);
    if (connection.state === "live") return;
    if (page.reset) return connection.dispatchEvent(new CustomEvent("outdated", { detail: { room } }));
    connection.take({ type: "messages", room, messages: page.messages, cursor: page.cursor });
    cursor = page.has_newer && page.cursor;
  }
}

/** A room beside the page's own may be lost alone. */
async function catchUpBeside(room) {
  try {
    await catchUp(room);
  } catch (error) {
    if (error.status !== 404) throw error;
    connection.take({ type: "left", room });
  }
}

connection.addEventListener("refused", () => {
  refusals += 1;
  ask();
});
connection.addEventListener("state", ({ detail: state }) => {
  if (state === "live") refusals = 0;
  if (state === "live" || state === "ended") clearTimeout(timer);
});

addEventListener("online", () => connection.wake());
addEventListener("offline", () => connection.wake());
addEventListener("focus", () => connection.wake());
addEventListener("pageshow", ({ persisted }) => persisted && connection.wake());
document.addEventListener("visibilitychange", () => document.hidden || connection.wake());
document.addEventListener("resume", () => connection.wake());

if (main.room) delivery.add(main.room, main.outbox);
// What was written elsewhere, and not sent before that page was left.
for (const room of roomsWaiting(me)) if (room !== main.room) delivery.add(room, outboxOf(me, room));
