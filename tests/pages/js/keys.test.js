import assert from "node:assert/strict";
import test from "node:test";
import { chordOf, Keys, labelsOf } from "../../../static/js/keys.js";

/** A `keydown`, on something of which `closest` finds what `inside` holds. */
function pressed(key, { inside = "", ...held } = {}) {
  const target = { closest: (selector) => (inside && selector.includes(inside) ? target : null) };
  return { key, target, defaultPrevented: false, preventDefault() { this.defaultPrevented = true; }, ...held };
}

function store() {
  const kept = new Map();
  return { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value), removeItem: (name) => kept.delete(name) };
}

function heard(keys, event) {
  keys.hear(event);
  return event.defaultPrevented;
}

test("a chord is called by what is held and what is written", () => {
  assert.equal(chordOf(pressed("k", { ctrlKey: true })), "Mod+k");
  assert.equal(chordOf(pressed("k", { metaKey: true }), { mac: true }), "Mod+k");
  assert.equal(chordOf(pressed("k", { ctrlKey: true }), { mac: true }), "Control+k");
  assert.equal(chordOf(pressed("?", { shiftKey: true })), "?");
  assert.equal(chordOf(pressed("R", { shiftKey: true })), "Shift+r");
  assert.equal(chordOf(pressed("ArrowUp", { altKey: true, shiftKey: true })), "Alt+Shift+ArrowUp");
  assert.equal(chordOf(pressed("л", { code: "KeyK", ctrlKey: true })), "Mod+k");
});

test("a character is never taken from somebody who types, a chord is", () => {
  const keys = new Keys();
  const run = () => true;
  keys.add({ press: ["r", "Mod+k"], words: "…", run });
  assert.equal(heard(keys, pressed("r")), true);
  assert.equal(heard(keys, pressed("r", { inside: "textarea" })), false);
  assert.equal(heard(keys, pressed("k", { ctrlKey: true, inside: "textarea" })), true);
});

test("keys of one character can be turned off, and on again", () => {
  const keys = new Keys({ store: store() });
  keys.add({ press: ["r", "Shift+r", "Alt+ArrowUp", "Delete"], words: "…", run: () => true });
  keys.characters = false;
  assert.equal(heard(keys, pressed("r")), false);
  assert.equal(heard(keys, pressed("R", { shiftKey: true })), false);
  assert.equal(heard(keys, pressed("Delete")), true);
  assert.equal(heard(keys, pressed("ArrowUp", { altKey: true })), true);
  keys.characters = true;
  assert.equal(heard(keys, pressed("r")), true);
});

test("the later of two is asked first, and passes on what is not its own", () => {
  const keys = new Keys();
  const said = [];
  keys.add({ press: "j", words: "first", run: () => said.push("first") });
  keys.add({ press: "j", words: "second", run: () => (said.push("second"), false) });
  keys.hear(pressed("j"));
  assert.deepEqual(said, ["second", "first"]);
});

test("what is open above the page keeps its keys, but for those that act anywhere", () => {
  const keys = new Keys();
  keys.add({ press: "j", words: "…", run: () => true });
  keys.add({ press: "Mod+k", words: "…", run: () => true, above: true });
  assert.equal(heard(keys, pressed("j", { inside: "dialog[open]" })), false);
  assert.equal(heard(keys, pressed("k", { ctrlKey: true, inside: "dialog[open]" })), true);
});

test("what another has acted on is left alone", () => {
  const keys = new Keys();
  let ran = 0;
  keys.add({ press: "Escape", words: "…", run: () => (ran += 1) });
  keys.hear({ ...pressed("Escape"), defaultPrevented: true });
  keys.hear({ ...pressed("Escape"), isComposing: true });
  assert.equal(ran, 0);
});

test("the sheet shows each thing once, also what others listen for, until it is gone", () => {
  const keys = new Keys();
  const leaving = new AbortController();
  keys.add({ press: "Enter", words: "Send", group: "While writing" });
  keys.add({ press: "?", words: "Keys", run: () => true });
  for (const within of ["one", "two"]) keys.add({ press: "j", words: "Next", group: "In a room", within, run: () => true, signal: leaving.signal });
  assert.deepEqual(keys.sheet.map(({ group, rows }) => [group, rows.length]), [["Anywhere", 1], ["In a room", 1], ["While writing", 1]]);
  leaving.abort();
  assert.deepEqual(keys.sheet.map(({ group }) => group), ["Anywhere", "While writing"]);
});

test("keys are labelled as they are on the keyboard", () => {
  assert.deepEqual(labelsOf("Alt+Shift+ArrowUp"), ["Alt", "Shift", "↑"]);
  assert.deepEqual(labelsOf("Mod+k", { mac: true }), ["⌘", "K"]);
  assert.deepEqual(labelsOf("+"), ["+"]);
});
