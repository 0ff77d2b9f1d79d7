import assert from "node:assert/strict";
import test from "node:test";
import { lay } from "../../../static/js/grouping.js";

const NOON = new Date(2026, 2, 4, 12).getTime();
const MINUTE = 60_000;
const said = (id, author = 1, more = {}) => ({ id, author, kind: "text", audience: "everyone", to: "", created: NOON + id * MINUTE, quotes: false, ...more });
const note = (id, more = {}) => said(id, 9, { kind: "system", ...more });
const kinds = (laid) => laid.map(({ above }) => above.map(({ kind }) => kind).join(" "));

test("a day stands above its first message, and nothing follows across it", () => {
  const laid = lay([said(1), said(2), said(3, 1, { created: NOON + 24 * 60 * MINUTE })]);
  assert.deepEqual(kinds(laid), ["day", "", "day"]);
  assert.deepEqual(laid.map(({ follows }) => follows), [false, true, false]);
});

test("the line stands above the first new message, which begins a group of its own", () => {
  const laid = lay([said(1), said(2), said(3)], { line: 2 });
  assert.deepEqual(kinds(laid), ["day", "line", ""]);
  assert.deepEqual(laid.map(({ follows }) => follows), [false, false, true]);
});

test("three notes in a row are one line, two are not", () => {
  const laid = lay([said(1), note(2), note(3), said(4), note(5), note(6), note(7)]);
  assert.deepEqual(kinds(laid), ["day", "", "", "", "run", "", ""]);
  assert.deepEqual(laid.map(({ hidden }) => hidden), [false, false, false, false, true, true, true]);
  assert.deepEqual(laid[4].above[0].ids, [5, 6, 7]);
});

test("a run that was opened stays open when it grows at either end", () => {
  const laid = lay([note(1), note(2), note(3), note(4)], { opened: new Set([2]) });
  assert.deepEqual(laid[0].above.at(-1), { kind: "run", ids: [1, 2, 3, 4], open: true });
  assert.ok(laid.every(({ hidden }) => !hidden));
});

test("a run is for the same readers, of one day, and never across the line", () => {
  const staff = { audience: "staff" };
  assert.deepEqual(kinds(lay([note(1), note(2), note(3, staff), note(4, staff)])), ["day", "", "", ""]);
  const later = { created: NOON + 24 * 60 * MINUTE };
  assert.deepEqual(kinds(lay([note(1), note(2), note(3, later)])), ["day", "", "day"]);
});

test("beyond what is folded away it goes on as if that were there", () => {
  const laid = lay([{ first: said(1), last: said(4) }, said(5), said(6, 2)]);
  assert.deepEqual(kinds(laid), ["", "", ""]);
  assert.deepEqual(laid.map(({ follows }) => follows), [false, true, false]);
});
