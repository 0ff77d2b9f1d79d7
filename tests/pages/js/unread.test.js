import assert from "node:assert/strict";
import test from "node:test";
import { Unread } from "../../../static/js/timeline/unread.js";

function unread(told, lastRead, ids) {
  const made = new Unread();
  made.start(told, lastRead);
  ids.forEach((id) => made.hold({ id, created: id * 1000 }, true));
  return made;
}

test("what is to be read begins after what was read, whatever else the page holds", () => {
  const fresh = unread(3, 10, [4, 9, 12, 11, 15]);
  assert.equal(fresh.first(10), 11);
  assert.equal(fresh.first(11), 12);
  assert.equal(fresh.first(15), null);
  assert.equal(fresh.timeOf(11), 11_000);
  assert.equal(fresh.countFrom(11, false), 3);
});

test("what one has come to is no longer left", () => {
  const fresh = unread(3, 10, [11, 12, 15]);
  assert.equal(fresh.left(false), 3);
  fresh.see(12);
  fresh.see(11);
  assert.equal(fresh.left(false), 1);
  assert.equal(fresh.countFrom(11, false), 3);
});

test("where the page does not hold all, the server's count goes on, with what came since", () => {
  const fresh = unread(60, 10, [11, 12, 13]);
  assert.equal(fresh.left(true), 60);
  fresh.cameBeyond();
  assert.equal(fresh.left(true), 61);
  fresh.see(12);
  assert.equal(fresh.left(true), 59);
});

test("of more than a hundred it is not known how many, until the page holds them all", () => {
  const fresh = unread(100, 10, [11, 12, 13]);
  fresh.see(13);
  assert.equal(fresh.left(true), 100);
  assert.equal(fresh.left(false), 0);
});

test("what is deleted, or held no more, is not to be read", () => {
  const fresh = unread(3, 10, [11, 12, 13]);
  fresh.hold({ id: 11 }, false);
  fresh.hold({ id: 99 }, false);
  assert.equal(fresh.first(10), 12);
  fresh.forget([12, 77]);
  assert.equal(fresh.first(10), 13);
  assert.equal(fresh.left(false), 1);
});
