import assert from "node:assert/strict";
import test from "node:test";
import { standing } from "../../../static/js/receipts.js";

const message = (id, author, audience = "everyone") => ({ id, author, audience });
const found = (upTo, messages) => Object.fromEntries(standing(new Map(upTo), messages, 1));

test("each stands at the newest message they have read", () => {
  const messages = [message(10, 1), message(11, 1), message(12, 1)];
  assert.deepEqual(found([[2, 10], [3, 12], [4, 12]], messages), { 10: [2], 12: [3, 4] });
});

test("nobody stands at a whisper or a note: that would look as if others had seen it", () => {
  const messages = [message(10, 1), message(11, 1, "only"), message(12, 1, "staff")];
  assert.deepEqual(found([[2, 12]], messages), { 10: [2] });
});

test("I am not shown to myself, nor anybody at their own message", () => {
  const messages = [message(10, 1), message(11, 2)];
  assert.deepEqual(found([[1, 11], [2, 10]], messages), {});
});

test("who has read only what is not here is not shown", () => {
  assert.deepEqual(found([[2, 3]], [message(10, 1)]), {});
});
