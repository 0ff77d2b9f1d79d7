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

function world(store = new Store(), { turn } = {}) {
  const sent = [];
  const waits = [];
  const outbox = new Outbox({ store, prefix: "o:", later: (deed) => waits.push(deed), turn });
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

test("what was refused for good is not sent again by a reload, and still says why", () => {
  const first = world();
  first.open();
  first.outbox.add(post("a"));
  first.outbox.refused("a", { code: "room_closed", message: "Closed.", retryable: false });
  const second = world(first.store);
  second.open();
  assert.deepEqual(second.sent, []);
  assert.equal(second.outbox.entries[0].error.message, "Closed.");
  second.outbox.retry("a");
  assert.deepEqual(second.sent, ["a"]);
  assert.deepEqual(states(world(first.store).outbox), ["a queued"]);
});

test("whoever may no longer write there keeps the text, and nothing goes out", () => {
  const { outbox, sent, open } = world();
  ["a", "b"].forEach((id) => outbox.add(post(id)));
  outbox.giveUp({ code: "not_found" });
  open();
  assert.deepEqual(states(outbox), ["a failed", "b failed"]);
  assert.deepEqual(sent, []);
});

test("each refusal for now is waited for longer, until something arrives", () => {
  const pauses = [];
  const outbox = new Outbox({ store: new Store(), prefix: "o:", later: (deed, wait) => (pauses.push(wait), deed()) });
  outbox.add(post("a"));
  let refusals = 6;
  outbox.open(() => (refusals-- > 0 ? (queueMicrotask(() => outbox.refused("a", { retryable: true })), true) : false));
  return new Promise((done) => setTimeout(done)).then(() => assert.deepEqual(pauses, [2000, 4000, 8000, 16000, 30000, 30000]));
});

test("left to itself it waits by the page's own timer, which is nobody's method", (context) => {
  const waits = [];
  context.mock.method(globalThis, "setTimeout", function (_deed, wait) {
    // As browsers have it.
    if (this !== undefined && this !== globalThis) throw new TypeError("Illegal invocation");
    waits.push(wait);
  });
  const outbox = new Outbox({ store: new Store(), prefix: "o:" });
  outbox.add(post("a"));
  outbox.open(() => true);
  outbox.refused("a", { retryable: true });
  assert.deepEqual(waits, [2000]);
});

/** Two tabs on one store that tell each other what they write, and take turns. */
function tabs() {
  const store = new Store();
  const queue = [];
  const turn = (begin) => {
    queue.push(begin);
    if (queue.length === 1) give();
  };
  const give = () => queue[0](() => (queue.shift(), queue.length && give()));
  const [one, two] = [world(store, { turn }), world(store, { turn })];
  const tell = (id) => two.outbox.heard(`o:${id}`, store.getItem(`o:${id}`));
  return { store, one, two, tell };
}

test("what another tab wrote is found at its place, and what it sent or discarded is gone", () => {
  const { one, two, tell } = tabs();
  const found = [];
  two.outbox.addEventListener("found", ({ detail }) => found.push(detail.post.client_id));
  one.outbox.add(post("b"));
  one.outbox.add(post("a"));
  ["b", "a", "a"].forEach(tell);
  assert.deepEqual(states(two.outbox), ["a queued", "b queued"]);
  assert.deepEqual(found, ["b", "a"]);
  one.outbox.discard("b");
  tell("b");
  assert.deepEqual(states(two.outbox), ["a queued"]);
  one.outbox.refused("a", { code: "forbidden", message: "No." });
  tell("a");
  assert.deepEqual(states(two.outbox), ["a failed"]);
  two.outbox.heard("another:a", null);
  assert.deepEqual(states(two.outbox), ["a failed"]);
});

test("two tabs send what waits once, and in order", () => {
  const { one, two, tell } = tabs();
  ["a", "b"].forEach((id) => (one.outbox.add(post(id)), tell(id)));
  one.open();
  two.open();
  assert.deepEqual([one.sent, two.sent], [["a"], []]);
  one.outbox.posted("a");
  assert.deepEqual([one.sent, two.sent], [["a"], ["b"]]);
  two.outbox.posted("b");
  assert.deepEqual([one.sent, two.sent], [["a"], ["b"]]);
});

test("what is under way here, and was answered or discarded there, gives its turn back", () => {
  const { one, two, tell } = tabs();
  ["a", "b"].forEach((id) => (one.outbox.add(post(id)), tell(id)));
  two.open();
  two.outbox.heard("o:a", null);
  assert.deepEqual(two.sent, ["a", "b"]);
});

test("what another tab has tried may have arrived, as this one knows, too", () => {
  const { one, two, tell } = tabs();
  one.outbox.add(post("a"));
  tell("a");
  one.open();
  tell("a");
  assert.deepEqual(two.outbox.entries.map(({ tried }) => tried), [true]);
});

test("a line that is cut gives the turn to another tab", () => {
  const { one, two, tell } = tabs();
  one.outbox.add(post("a"));
  tell("a");
  one.open();
  two.open();
  one.outbox.close();
  assert.deepEqual(two.sent, ["a"]);
});

test("what cannot be kept is sent all the same", () => {
  const store = new Store();
  store.setItem = () => {
    throw new Error("full");
  };
  const { outbox, sent, open } = world(store);
  outbox.add(post("a"));
  open();
  assert.deepEqual(sent, ["a"]);
});
