/**
 * What this browser keeps for somebody: under `WHAT:USER` or `WHAT:USER:…` in localStorage or
 * sessionStorage, so that signing out finds all of it, and nobody is shown what is another's. Other
 * keys are the browser's: who is signed in, who is leaving.
 */
import { Outbox, keysOf } from "chat/outbox";
import { turns } from "chat/turns";

const LEAVING = "leaving";
const WHO = "who";

/** What they wrote for this room and was not sent yet. */
export function outboxOf(user, room, { signal, name } = {}) {
  const prefix = `outbox:${user}:${room}:`;
  const outbox = new Outbox({ store: localStorage, prefix, name, turn: turns(prefix) });
  addEventListener("storage", ({ key, newValue }) => outbox.heard(key, newValue), { signal });
  return outbox;
}

/** What of theirs waits: `{room, id}` of each post. */
export function waiting(user, store = localStorage) {
  return keysOf(store, `outbox:${user}:`).map((key) => ({ room: Number(key.split(":")[2]), id: key.split(":")[3] }));
}

export function roomsWaiting(user, store = localStorage) {
  return [...new Set(waiting(user, store).map(({ room }) => room))];
}

/** Who was last signed in here, as pages know that are made for everybody: `{id}`, or null. */
export function who(store = localStorage) {
  return JSON.parse(store.getItem(WHO) ?? "null");
}

export function remember(user, store = localStorage) {
  store.setItem(WHO, JSON.stringify(user));
  store.removeItem(LEAVING);
}

/** They are about to sign out; what is kept goes once they are. */
export function leave(user, store = localStorage) {
  store.setItem(LEAVING, String(user));
}

/** Nobody is signed in now: what was kept for who left goes. */
export function wipeWhoLeft(stores = [localStorage, sessionStorage]) {
  const [store] = stores;
  const user = store.getItem(LEAVING);
  if (!user) return;
  wipeOf(user, stores);
  if (String(who(store)?.id) === user) store.removeItem(WHO);
  store.removeItem(LEAVING);
}

export function wipeOf(user, stores = [localStorage, sessionStorage]) {
  const isTheirs = (key) => key.split(":")[1] === String(user);
  stores.forEach((store) => keysOf(store, "").filter(isTheirs).forEach((key) => store.removeItem(key)));
}
