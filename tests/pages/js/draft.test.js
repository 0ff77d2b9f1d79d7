import assert from "node:assert/strict";
import test from "node:test";
import { Draft, draftKey } from "../../../static/js/composer/draft.js";

function storage(kept = new Map()) {
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, String(value)), removeItem: (key) => kept.delete(key), kept };
}

const HOUR = 3_600_000;
const begun = { body: "so far", files: [], audience: "only", to: [3], reply: null };

test("what was begun is there again, for one person in one room", () => {
  const store = storage();
  new Draft(store, draftKey(1, 5)).keep(begun);
  const { body, audience, to } = new Draft(store, draftKey(1, 5)).kept;
  assert.deepEqual({ body, audience, to }, { body: "so far", audience: "only", to: [3] });
  assert.equal(new Draft(store, draftKey(2, 5)).kept, null);
  assert.equal(new Draft(store, draftKey(1, 6)).kept, null);
});

test("nothing is kept of nothing, though an audience was chosen", () => {
  const store = storage();
  const draft = new Draft(store, "d");
  draft.keep(begun);
  draft.keep({ ...begun, body: " \n" });
  assert.equal(store.kept.size, 0);
});

test("files alone are a draft, for as long as the server keeps them", () => {
  let now = 0;
  const draft = new Draft(storage(), "d", { now: () => now });
  draft.keep({ ...begun, body: "", files: [{ id: 7, at: 0 }, { id: 8, at: 5 * HOUR }] });
  assert.deepEqual(draft.kept.files.map(({ id }) => id), [7, 8]);
  now = 24 * HOUR;
  assert.deepEqual(draft.kept.files.map(({ id }) => id), [8]);
});

test("it is told when there begins to be one and when there is none any more, not with every letter", () => {
  let told = 0;
  const draft = new Draft(storage(), "d", { told: () => (told += 1) });
  draft.forget();
  draft.keep(begun);
  draft.keep({ ...begun, body: "so far, so good" });
  assert.equal(told, 1);
  draft.forget();
  assert.equal(told, 2);
});

test("what cannot be kept or read costs nobody their words", () => {
  const full = { ...storage(), setItem: () => { throw new Error("full"); } };
  assert.doesNotThrow(() => new Draft(full, "d").keep(begun));
  assert.equal(new Draft(storage(new Map([["d", "{"]])), "d").kept, null);
  assert.equal(new Draft(storage(new Map([["d", "[]"]])), "d").kept, null);
});
