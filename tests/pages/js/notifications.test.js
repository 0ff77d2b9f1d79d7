import assert from "node:assert/strict";
import test from "node:test";
import { Attention } from "../../../static/js/notifications/attention.js";
import { Leader } from "../../../static/js/notifications/leader.js";
import { addressOf, tagOf, titleOf } from "../../../static/js/notifications/wording.js";

/** Locks that many may hold, as a browser has them. */
function shared() {
  const held = new Set();
  return {
    query: async () => ({ held: [...held] }),
    async request(name, { mode }, hold) {
      const lock = { name, mode };
      held.add(lock);
      await hold();
      held.delete(lock);
    },
  };
}

test("a tab that is looked at is known to itself and to the others", async () => {
  const locks = shared();
  const [one, two, three, elsewhere] = ["x", "x", "x", "y"].map((name) => new Attention(name, locks));
  two.note(true);
  two.note(true);
  elsewhere.note(true);
  assert.deepEqual(await Promise.all([one, two, three].map((tab) => tab.anybodyLooks())), [true, true, true]);
  three.note(true);
  two.note(false);
  assert.deepEqual(await Promise.all([one, two, three].map((tab) => tab.anybodyLooks())), [true, true, true]);
  three.note(false);
  await settle();
  assert.deepEqual(await Promise.all([one, two, three].map((tab) => tab.anybodyLooks())), [false, false, false]);
});

test("without locks a tab knows of itself", async () => {
  const one = new Attention("x", undefined);
  assert.equal(await one.anybodyLooks(), false);
  one.note(true);
  assert.equal(await one.anybodyLooks(), true);
});

/** One lock for all tabs, given in line. */
function locks() {
  let last = Promise.resolve();
  return { request: (_, hold) => (last = last.then(hold)) };
}
const settle = () => new Promise((resolve) => setTimeout(resolve));

test("one tab leads, and the next when it resigns", async () => {
  const lock = locks();
  const [one, two] = [new Leader("x", lock), new Leader("x", lock)];
  one.stand();
  two.stand();
  await settle();
  assert.deepEqual([one.leads, two.leads], [true, false]);
  one.resign();
  await settle();
  assert.deepEqual([one.leads, two.leads], [false, true]);
  one.stand();
  await settle();
  assert.deepEqual([one.leads, two.leads], [false, true]);
});

test("who resigned while waiting in line lets the next one pass", async () => {
  const lock = locks();
  const [one, two, three] = [new Leader("x", lock), new Leader("x", lock), new Leader("x", lock)];
  for (const each of [one, two, three]) each.stand();
  two.resign();
  one.resign();
  await settle();
  assert.deepEqual([one.leads, two.leads, three.leads], [false, false, true]);
});

test("without locks every tab leads", () => {
  const one = new Leader("x", undefined);
  one.stand();
  assert.equal(one.leads, true);
});

const told = { reason: "mention", author: { name: "Ben" }, room: { id: 3, name: "Team" }, message: 7 };

test("a title says who, why and where, and a direct room is not named twice", () => {
  assert.equal(titleOf(told), "Ben mentioned you in Team");
  assert.equal(titleOf({ ...told, reason: "message" }), "Ben in Team");
  assert.equal(titleOf({ ...told, reason: "message", room: { id: 4, name: "Ben" } }), "Ben");
});

test("it leads to the message, and takes the place of an earlier one of it", () => {
  assert.equal(addressOf(told), "/rooms/3/?around=7#message-7");
  assert.equal(tagOf(told), "message-7");
});
