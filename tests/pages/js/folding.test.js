import assert from "node:assert/strict";
import test from "node:test";
import { isUrgent, LEAF, plan } from "../../../static/js/timeline/folding.js";

const SCREEN = 800;

/** Messages of 100 pixels one below the other, the first `above` pixels over the screen. */
function messages(count, above, but = {}) {
  return Array.from({ length: count }, (_, at) => ({ top: at * 100 - above, bottom: at * 100 + 100 - above, isFold: false, isHeld: false, ...but[at] }));
}

test("what is near stays, and what is far goes by leaves", () => {
  assert.deepEqual(plan(messages(60, 3_000), SCREEN), { open: [], shut: [] });
  const { shut } = plan(messages(120, 9_000), SCREEN);
  assert.deepEqual(shut, [Array.from({ length: LEAF }, (_, at) => at)]);
});

test("below it is as above", () => {
  const { shut } = plan(messages(120, 0), SCREEN);
  assert.equal(shut.length, 2);
  assert.ok(shut.flat().every((at) => at * 100 - SCREEN > 6_000));
});

test("what is too few for a fold is left over where more will come to it", () => {
  const from = (first) => Array.from({ length: LEAF }, (_, at) => first + at);
  assert.deepEqual(plan(messages(145, 0), SCREEN).shut, [from(125), from(105), from(85)]);
  assert.deepEqual(plan(messages(145, 13_500), SCREEN).shut, [from(0), from(20), from(40)]);
});

test("what somebody is at stays, however far it is", () => {
  const { shut } = plan(messages(120, 9_000, { 10: { isHeld: true } }), SCREEN);
  assert.deepEqual(shut, []);
});

test("only of what is far it is asked whether somebody is at it", () => {
  const never = ({ top, bottom }) => ({ top, bottom, isFold: false, get isHeld() { return assert.fail("it is near"); } });
  assert.deepEqual(plan(messages(60, 3_000).map(never), SCREEN).shut, []);
});

test("what comes near comes back, the nearest first", () => {
  const fold = (top) => ({ top, bottom: top + 2_000, isFold: true, isHeld: false });
  const { open, shut } = plan([fold(-7_000), fold(-4_500), fold(900), fold(5_000)], SCREEN);
  assert.deepEqual(open, [2, 1]);
  assert.deepEqual(shut, []);
});

test("what came back does not go at once", () => {
  const items = messages(20, 4_900);
  const [{ top }, { bottom }] = [items[0], items.at(-1)];
  assert.equal(plan([{ top, bottom, isFold: true }], SCREEN).open.length, 1);
  assert.deepEqual(plan(items, SCREEN).shut, []);
});

test("what one would see is urgent", () => {
  assert.equal(isUrgent({ top: -500, bottom: 300 }, SCREEN), true);
  assert.equal(isUrgent({ top: 1_500, bottom: 3_000 }, SCREEN), true);
  assert.equal(isUrgent({ top: 2_500, bottom: 3_000 }, SCREEN), false);
});
