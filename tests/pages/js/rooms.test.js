import assert from "node:assert/strict";
import test from "node:test";
import { named, numbered, suggestRooms } from "../../../static/js/rooms.js";

const rooms = [
  { id: 5, name: "Release" },
  { id: 12, name: "Release 1.0" },
  { id: 7, name: "Büro (neu)" },
];

test("rooms are posted by number, which tells their names to nobody", () => {
  assert.equal(numbered("see #Release 1.0, then #Release.", rooms), "see <#12>, then <#5>.");
  assert.equal(numbered("(#Büro (neu))", rooms), "(<#7>)");
});

test("what only looks like a room stays as it is", () => {
  for (const text of ["#Releases", "a#Release", "##Release", "# Release", "`#Release`", "```\n#Release\n```", "#release", "/x/#Release"]) {
    assert.equal(numbered(text, rooms), text);
  }
  assert.equal(numbered("#Release", []), "#Release");
});

test("to the writer they have their names again", () => {
  const text = "see #Release 1.0 and `<#12>`";
  assert.equal(named(numbered(text, rooms), rooms), text);
  assert.equal(named("<#99>", rooms), "<#99>");
});

test("of two rooms of one name it is the first", () => {
  assert.equal(numbered("#A", [{ id: 1, name: "A" }, { id: 2, name: "A" }]), "<#1>");
});

test("rooms are suggested by any word of their names", () => {
  assert.deepEqual(suggestRooms(rooms, "1.").map(({ id }) => id), [12]);
  assert.deepEqual(suggestRooms(rooms, "rel").map(({ id }) => id), [5, 12]);
});
