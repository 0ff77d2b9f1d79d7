import assert from "node:assert/strict";
import test from "node:test";
import { Outbox } from "../../../static/js/outbox.js";

class Store {
  #kept = new Map();
  get length() {
    return this.#kept.size;
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

function world(store = new Store()) {
  const sent = [];
  const waits = [];
  const outbox = new Outbox({ store, prefix: "o:", later: (deed) => waits.push(deed) });
  return { store, sent, waits, outbox, open: () => outbox.open((post) => sent.push(post.client_id)) };
}

const post = (id) => ({ client_id: id, body: id });
const states = (outbox) => outbox.entries.map(({ post: { client_id: id }, state }) => `${id} ${state}`);

test("posts go out one at a time, in the order they were written", () => {
  const { outbox, sent, open } = world();
  open();
  outbox.add(post("a"));
  outbox.add(post("b"));
  assert.deepEqual(sent, ["a"]);
  outbox.posted("a");
  assert.deepEqual(sent, ["a", "b"]);
});

test("what was under way when the line was cut is sent again, before what came later", () => {
  const { outbox, sent, open } = world();
  open();
  outbox.add(post("a"));
  outbox.close();
  outbox.add(post("b"));
  assert.deepEqual(states(outbox), ["a queued", "b queued"]);
  open();
  assert.deepEqual(sent, ["a", "a"]);
  outbox.posted("a");
  assert.deepEqual(sent, ["a", "a", "b"]);
});

test("a reload finds what was not answered, oldest first, and nothing that was", () => {
  const first = world();
  first.open();
  ["b", "a", "c"].forEach((id) => first.outbox.add(post(id)));
  first.outbox.posted("b");
  assert.deepEqual(states(world(first.store).outbox), ["a queued", "c queued"]);
});

test("another room's posts are left alone", () => {
  const store = new Store();
  store.setItem("other:x", JSON.stringify(post("x")));
  assert.deepEqual(states(world(store).outbox), []);
});

test("what is refused for good waits for its writer, and holds nobody up", () => {
  const { outbox, sent, open } = world();
  open();
  outbox.add(post("a"));
  outbox.add(post("b"));
  outbox.refused("a", { code: "room_closed", retryable: false });
  assert.deepEqual(states(outbox), ["a failed", "b sent"]);
  outbox.posted("b");
  outbox.retry("a");
  assert.deepEqual(sent, ["a", "b", "a"]);
});

test("what is refused for now is tried again later, ahead of what follows it", () => {
  const { outbox, sent, waits, open } = world();
  open();
  outbox.add(post("a"));
  outbox.add(post("b"));
  outbox.refused("a", { code: "rate_limited", retryable: true });
  assert.deepEqual(sent, ["a"]);
  waits.shift()();
  assert.deepEqual(sent, ["a", "a"]);
});

test("what is discarded is gone, from the store too", () => {
  const { outbox, store } = world();
  outbox.add(post("a"));
  outbox.discard("a");
  assert.deepEqual(states(outbox), []);
  assert.equal(store.length, 0);
});

test("an answer that comes twice settles once", () => {
  const { outbox, open } = world();
  let settled = 0;
  outbox.addEventListener("settled", () => (settled += 1));
  open();
  outbox.add(post("a"));
  outbox.posted("a");
  outbox.posted("a");
  assert.equal(settled, 1);
});
