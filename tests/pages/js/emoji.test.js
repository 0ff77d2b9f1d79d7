import assert from "node:assert/strict";
import test from "node:test";
import { EmojiNames } from "../../../static/js/emoji/finding.js";
import { GROUPS } from "../../../static/js/emoji/list.js";
import { RecentEmoji } from "../../../static/js/emoji/recent.js";

const names = new EmojiNames(GROUPS);
const first = (query) => names.find(query)[0]?.emoji;

test("emoji are found by what they are called, and by what people call them", () => {
  assert.equal(first("tada"), "🎉");
  assert.equal(first("+1"), "👍");
  assert.equal(first("heart"), "❤️");
  assert.equal(first("thumbsup"), "👍");
  assert.equal(first("thumbs up"), "👍");
  assert.equal(first("quokka"), undefined);
  assert.equal(first("birthday cake"), "🎂");
  assert.equal(first("  "), undefined);
});

test("what is called so comes before what only sounds so", () => {
  const found = names.find("cat").map(({ name }) => name);
  assert.equal(found[0], "cat");
  assert.ok(found.length > 5);
});

test("each has a name of its own that can be typed between colons", () => {
  assert.equal(names.byName.size, names.all.length);
  assert.equal(names.byEmoji.size, names.all.length);
  for (const { name } of names.all) assert.match(name, /^[a-z0-9_+-]+$/);
});

test("a name is made into its emoji with its last colon, and in the midst of a word never", () => {
  assert.deepEqual(names.finished("so :tada:", 9), { from: 3, to: 9, put: "🎉", start: 5, end: 5 });
  assert.equal(names.finished("a:tada:", 7), null);
  assert.equal(names.finished(":nothing_so:", 12), null);
  assert.equal(names.finished("12:30:", 6), null);
});

test("what was used last comes first, also where nothing can be kept", () => {
  const kept = new Map();
  const store = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  const recent = new RecentEmoji(store, "emoji:1");
  const usual = recent.all;
  recent.use("🦀");
  recent.use("👍");
  assert.deepEqual(recent.all.slice(0, 2), ["👍", "🦀"]);
  assert.equal(recent.all.length, usual.length);
  const closed = { getItem: () => "no json", setItem: () => { throw new Error("full"); } };
  const forgetful = new RecentEmoji(closed, "emoji:1");
  forgetful.use("🦀");
  assert.deepEqual(forgetful.all, usual);
});
