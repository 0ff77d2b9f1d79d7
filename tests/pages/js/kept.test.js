import assert from "node:assert/strict";
import test from "node:test";
import { leave, remember, roomsWaiting, waiting, who, wipeWhoLeft } from "../../../static/js/kept.js";

class Store {
  #kept;
  constructor(kept = {}) {
    this.#kept = new Map(Object.entries(kept));
  }
  get length() {
    return this.#kept.size;
  }
  get keys() {
    return [...this.#kept.keys()].sort();
  }
  key(at) {
    return [...this.#kept.keys()][at];
  }
  getItem(key) {
    return this.#kept.get(key) ?? null;
  }
  setItem(key, value) {
    this.#kept.set(key, value);
  }
  removeItem(key) {
    this.#kept.delete(key);
  }
}

const KEPT = { "outbox:4:7:a": "", "outbox:4:7:b": "", "outbox:4:9:c": "", "draft:4:7": "", "visited:4": "", "outbox:44:7:d": "", "draft:5:7": "", theme: "" };

test("what waits is told by room, and of one's own alone", () => {
  const store = new Store(KEPT);
  assert.deepEqual(roomsWaiting(4, store), [7, 9]);
  assert.deepEqual(waiting(44, store), [{ room: 7, id: "d" }]);
});

test("signing out takes all of one's own from both stores, once one is signed out", () => {
  const [local, session] = [new Store(KEPT), new Store({ "draft:4:1": "", "draft:5:1": "" })];
  remember({ id: 4 }, local);
  wipeWhoLeft([local, session]);
  assert.ok(local.keys.includes("draft:4:7"));
  leave(4, local);
  wipeWhoLeft([local, session]);
  assert.deepEqual(local.keys, ["draft:5:7", "outbox:44:7:d", "theme"]);
  assert.deepEqual(session.keys, ["draft:5:1"]);
});

test("who could not be signed out loses nothing", () => {
  const local = new Store(KEPT);
  leave(4, local);
  remember({ id: 4 }, local);
  wipeWhoLeft([local, new Store()]);
  assert.ok(local.keys.includes("outbox:4:7:a"));
  assert.deepEqual(who(local), { id: 4 });
});
