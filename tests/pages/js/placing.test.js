import assert from "node:assert/strict";
import test from "node:test";
import { Stretch } from "../../../static/js/placing.js";

const message = (id, version = 1) => ({ id, version });

function stretch(ids, ends) {
  const made = new Stretch();
  ids.forEach((id) => made.place(message(id)));
  return Object.assign(made, ends);
}

test("messages stand in the order of their ids, however they come", () => {
  const held = new Stretch();
  [5, 9, 2, 7].forEach((id) => held.place(message(id)));
  assert.deepEqual(held.ids, [2, 5, 7, 9]);
});

test("a newcomer is told what it goes before", () => {
  const held = stretch([2, 9]);
  assert.deepEqual(held.place(message(5)), { step: "insert", before: 9 });
  assert.deepEqual(held.place(message(12)), { step: "insert", before: null });
});

test("of two copies the higher version is true, whichever comes first", () => {
  const held = stretch([]);
  held.place(message(1, 3));
  assert.equal(held.place(message(1, 2)).step, "pass");
  assert.equal(held.place(message(1, 3)).step, "pass");
  assert.equal(held.place(message(1, 4)).step, "replace");
  assert.equal(held.place(message(1, 4)).step, "pass");
});

test("while a message is written, the copy that comes later is true", () => {
  const held = stretch([]);
  held.place({ ...message(1, 3), status: "streaming" });
  assert.equal(held.place({ ...message(1, 3), status: "streaming" }).step, "replace");
  assert.equal(held.place({ ...message(1, 2), status: "streaming" }).step, "pass");
  assert.equal(held.place({ ...message(1, 3), status: "complete" }).step, "pass");
});

test("what lies beyond an end with more behind it leaves no gap", () => {
  const held = stretch([10, 20], { hasOlder: true, hasNewer: true });
  assert.equal(held.place(message(5)).step, "pass");
  assert.equal(held.place(message(25)).step, "pass");
  assert.equal(held.place(message(15)).step, "insert");
  assert.deepEqual(held.ids, [10, 15, 20]);
});

test("a page goes on where the stretch ended, and says whether there is more", () => {
  const held = stretch([10, 20], { hasOlder: true, hasNewer: true });
  held.extend("older", [message(3), message(7)], true, (each) => held.place(each));
  held.extend("newer", [message(30)], false, (each) => held.place(each));
  assert.deepEqual(held.ids, [3, 7, 10, 20, 30]);
  assert.equal(held.hasOlder, true);
  assert.equal(held.place(message(31)).step, "insert");
});

test("what is trimmed comes again with its page", () => {
  const held = stretch([1, 2, 3, 4, 5]);
  assert.deepEqual(held.trim("older", 3), [1, 2]);
  assert.equal(held.hasOlder, true);
  assert.equal(held.place(message(1)).step, "pass");
  held.extend("older", [message(1), message(2)], false, (each) => held.place(each));
  assert.deepEqual(held.ids, [1, 2, 3, 4, 5]);
  assert.deepEqual(held.trim("newer", 4), [5]);
  assert.equal(held.hasNewer, true);
});

test("a reset forgets versions too: what comes after it is placed anew", () => {
  const held = stretch([1, 2]);
  held.place(message(1, 7));
  held.clear();
  assert.deepEqual(held.ids, []);
  assert.equal(held.place(message(1, 7)).step, "insert");
});
