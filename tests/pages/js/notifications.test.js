import assert from "node:assert/strict";
import test from "node:test";
import { Attention } from "../../../static/js/notifications/attention.js";
import { Leader } from "../../../static/js/notifications/leader.js";
import { addressOf, tagOf, titleOf } from "../../../static/js/notifications/wording.js";

/** Channels that hear one another, but not themselves, as a browser has them. */
function channels(count) {
  const all = Array.from({ length: count }, () => {
    const heard = [];
    return {
      heard,
      addEventListener: (_, hear) => heard.push(hear),
      postMessage(data) {
        for (const other of all) if (other !== this) for (const hear of other.heard) queueMicrotask(() => hear({ data }));
      },
    };
  });
  return all;
}

const tabs = (...looks) => channels(looks.length).map((channel, n) => new Attention({ channel, looking: () => looks[n], patience: 5 }));

test("a tab that is looked at is found by itself and by the others", async () => {
  const [hidden, seen] = tabs(false, true);
  assert.equal(await seen.anybodyLooks(), true);
  assert.equal(await hidden.anybodyLooks(), true);
});

test("where no tab is looked at nobody answers", async () => {
  const [one] = tabs(false, false, false);
  assert.equal(await one.anybodyLooks(), false);
  assert.equal(await one.anybodyLooks(), false);
});

test("who asks while another asks is answered, too", async () => {
  const [hidden] = tabs(false, true);
  assert.deepEqual(await Promise.all([hidden.anybodyLooks(), hidden.anybodyLooks()]), [true, true]);
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
