import assert from "node:assert/strict";
import test from "node:test";
import { fit, offer } from "../../../static/js/switcher/ranking.js";

const room = (name, more = {}) => ({ kind: "room", key: `room:${name}`, name, ...more });
const command = (name, also) => ({ kind: "command", key: `command:${name}`, name, also });
const person = (name, also) => ({ kind: "person", key: `user:${name}`, name, also });
const names = (sections) => sections.flatMap(({ choices }) => choices.map(({ name }) => name));

test("the beginning of a name fits best, then of a word, then a part, then letters in order", () => {
  const scores = ["release notes", "the release", "prerelease", "really easy lease"].map((name) => fit(name, "rel").score);
  assert.deepEqual(scores, scores.toSorted((a, b) => b - a));
  assert.ok(fit("release notes", "rn").score < fit("the release", "rel").score);
});

test("letters in order begin where a word begins, and are not far apart", () => {
  assert.ok(fit("Release notes", "rln"));
  assert.equal(fit("Release notes", "eno"), null);
  assert.equal(fit("Room for everything that never was quite said", "rq"), null);
  assert.equal(fit("Lounge", "x"), null);
  assert.equal(fit("Lounge", ""), null);
});

test("every word must fit, in any order", () => {
  assert.ok(fit("Release notes", "not rel"));
  assert.equal(fit("Release notes", "release ben"), null);
});

test("case and accents count nothing, and what fits is marked where it stands", () => {
  assert.deepEqual(fit("Café Zoë", "zoe").marks, [[5, 8]]);
  assert.deepEqual(fit("Café Zoë", "CAFE").marks, [[0, 4]]);
  assert.deepEqual(fit("Release notes", "rn").marks, [[0, 1], [8, 9]]);
  assert.deepEqual(fit("🦜 Straße", "stra").marks, [[3, 7]]);
});

test("before anything is typed: what is unread, mentions first, then where one was last, then what one can do", () => {
  const rooms = [room("Here", { here: true }), room("Old"), room("Last"), room("News", { unread: 2 }), room("Called", { unread: 1, mentions: 1 }), room("Muted", { unread: 9, muted: true })];
  const sections = offer([...rooms, person("Ada"), command("Sign out")], "", ["room:Last"]);
  assert.deepEqual(names(sections), ["Called", "News", "Last", "Old", "Muted", "Sign out"]);
  assert.deepEqual(sections.map(({ title }) => title), ["Unread", "Rooms", "Do"]);
});

test("a room with news comes before one without, and a room before a person of the same name", () => {
  const found = offer([person("Ada"), room("Ada"), room("Adam", { unread: 1 })], "ada");
  assert.deepEqual(names(found), ["Adam", "Ada", "Ada"]);
  assert.equal(found[0].choices[1].kind, "room");
});

test("commands are found by other words for them, behind what is called so", () => {
  assert.deepEqual(names(offer([command("Switch between light and dark", "theme"), room("Theme park")], "theme")), ["Theme park", "Switch between light and dark"]);
});

test("nothing is offered where nothing fits", () => {
  assert.deepEqual(offer([room("Lounge")], "zzz"), []);
});
