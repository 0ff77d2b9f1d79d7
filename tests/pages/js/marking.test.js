import assert from "node:assert/strict";
import test from "node:test";
import { codeBlock, goesOnInCode, inCode, indent, link, list, mark, newLine, pasted } from "../../../static/js/composer/marking.js";

/** What is selected stands between brackets ⟨ and ⟩; a caret is |. */
function written(shown) {
  const start = shown.search(/[⟨|]/);
  const text = shown.replace(/[⟨⟩|]/g, "");
  return { text, start, end: shown.includes("⟩") ? shown.indexOf("⟩") - 1 : start };
}

function after(shown, deed, ...how) {
  const { text } = written(shown);
  const edit = deed(written(shown), ...how);
  if (!edit) return null;
  const now = text.slice(0, edit.from) + edit.put + text.slice(edit.to);
  const at = now.slice(0, edit.start);
  const rest = now.slice(edit.end);
  return edit.start === edit.end ? `${at}|${rest}` : `${at}⟨${now.slice(edit.start, edit.end)}⟩${rest}`;
}

test("words are marked, and are as they were when marked again", () => {
  assert.equal(after("a ⟨b c⟩ d", mark, "**"), "a **⟨b c⟩** d");
  assert.equal(after("a **⟨b c⟩** d", mark, "**"), "a ⟨b c⟩ d");
  assert.equal(after("a ⟨**b c**⟩ d", mark, "**"), "a ⟨b c⟩ d");
  assert.equal(after("a ⟨b ⟩c", mark, "_"), "a _⟨b⟩_ c");
});

test("with nothing selected, marks stand ready around the caret", () => {
  assert.equal(after("a |", mark, "~~"), "a ~~|~~");
  assert.equal(after("a ~~|~~", mark, "~~"), "a |");
});

test("several lines are marked one by one, behind their signs", () => {
  assert.equal(after("⟨- a\n\n- b⟩", mark, "**"), "⟨- **a**\n\n- **b**⟩");
  assert.equal(after("⟨- **a**\n\n- **b**⟩", mark, "**"), "⟨- a\n\n- b⟩");
});

test("lines become a list, another list, and lines again", () => {
  assert.equal(after("⟨a\nb⟩", list, "- "), "⟨- a\n- b⟩");
  assert.equal(after("⟨- a\n- b⟩", list, "1. "), "⟨1. a\n2. b⟩");
  assert.equal(after("⟨1. a\n2. b⟩", list, "1. "), "⟨a\nb⟩");
  assert.equal(after("- a|", list, "> "), "> - a|");
  assert.equal(after("|", list, "- "), "- |");
  assert.equal(after("a\nb|\nc", list, "> "), "a\n> b|\nc");
});

test("a block of code stands on lines of its own, in a fence longer than any within", () => {
  assert.equal(after("|", codeBlock), "```\n|\n```");
  assert.equal(after("so: ⟨x = 1⟩ and", codeBlock), "so: \n```\n⟨x = 1⟩\n```\n and");
  assert.equal(after("⟨```\na\n```⟩", codeBlock), "````\n⟨```\na\n```⟩\n````");
});

test("words or an address become a link, and what is missing can be typed", () => {
  assert.equal(after("see ⟨this⟩", link), "see [this](⟨https://⟩)");
  assert.equal(after("see ⟨https://a.b/c⟩", link), "see [|](https://a.b/c)");
  assert.equal(after("|", link), "[|](https://)");
});

test("an address pasted onto words is their link; onto anything else it is text", () => {
  assert.equal(after("see ⟨this⟩ now", pasted, "https://a.b/ "), "see [this](https://a.b/)| now");
  assert.equal(after("see |", pasted, "https://a.b/"), null);
  assert.equal(after("see ⟨this⟩", pasted, "that"), null);
  assert.equal(after("⟨https://old.b/⟩", pasted, "https://a.b/"), null);
  assert.equal(after("```\n⟨this⟩", pasted, "https://a.b/"), null);
});

test("a new line goes on with a list or quote, and ends what has nothing to say", () => {
  assert.equal(after("- a|", newLine), "- a\n- |");
  assert.equal(after("  9. a|", newLine), "  9. a\n  10. |");
  assert.equal(after("> a|", newLine), "> a\n> |");
  assert.equal(after("- a|b", newLine), "- a\n- |b");
  assert.equal(after("- a\n- |", newLine), "- a\n|");
  assert.equal(after("a|", newLine), null);
  assert.equal(after("|- a", newLine), null);
});

test("a new line of code keeps its indentation", () => {
  assert.equal(after("```\n  if|", newLine), "```\n  if\n  |");
});

test("Tab goes in one step at most, so that it always leaves in the end", () => {
  assert.equal(after("- a\n- |b", indent), "- a\n  - |b");
  assert.equal(after("- a\n  - |b", indent), null);
  assert.equal(after("- |a", indent), null);
  assert.equal(after("- a\n- b|", indent), null);
  assert.equal(after("words\nand |", indent), null);
  assert.equal(after("```\na:\n|", indent), "```\na:\n  |");
  assert.equal(after("```\na:\n  |", indent), null);
  assert.equal(after("```\na: |", indent), null);
});

test("and back again", () => {
  assert.equal(after("- a\n  - |b", indent, true), "- a\n- |b");
  assert.equal(after("- a\n- |b", indent, true), null);
});

test("code is what an open fence is before", () => {
  assert.equal(inCode("```\na", 5), true);
  assert.equal(inCode("```\na\n```\nb", 11), false);
  assert.equal(inCode("````\n```\nb", 10), true);
  assert.equal(inCode("~~~ py\nb", 8), true);
  assert.equal(inCode("a\n```", 5), false);
});

test("behind the fence that opens it code goes on, behind the one that closes it no more", () => {
  assert.equal(goesOnInCode("```py", 5), true);
  assert.equal(goesOnInCode("```\na", 5), true);
  assert.equal(goesOnInCode("```\na\n```", 9), false);
  assert.equal(goesOnInCode("```x```", 7), false);
  assert.equal(goesOnInCode("a", 1), false);
});
