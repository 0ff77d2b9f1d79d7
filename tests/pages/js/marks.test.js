import assert from "node:assert/strict";
import test from "node:test";
import { opened, paragraphs, pieces } from "../../../static/js/marks.js";

/** As HTML, to be read at a glance. */
function shown(text, open) {
  return pieces(text, open)
    .map(({ text: words, within }) => within.map((name) => `<${name}>`).join("") + words + within.toReversed().map((name) => `</${name}>`).join(""))
    .join("");
}

test("marks are never seen: neither closed ones, nor open ones, nor those of which more may come", () => {
  assert.equal(shown("so **big** a `gap`, and *here*"), "so <strong>big</strong> a <code>gap</code>, and <em>here</em>");
  assert.equal(shown("so **bi"), "so <strong>bi</strong>");
  assert.equal(shown("so *"), "so ");
  assert.equal(shown("so **big*"), "so <strong>big</strong>");
  assert.equal(shown("~~old~~ __new__"), "<s>old</s> <strong>new</strong>");
});

test("what was opened before goes on until it is closed", () => {
  assert.equal(shown(" of many** and", ["**"]), "<strong> of many</strong> and");
  assert.equal(shown("in *this* word** and", ["**"]), "<strong>in </strong><strong><em>this</em></strong><strong> word</strong> and");
});

test("signs that mark nothing stay", () => {
  assert.equal(shown("2 * 3 * 4 and snake_case_names, a\\*b"), "2 * 3 * 4 and snake_case_names, a\\*b");
  assert.equal(shown("* an item\n- another"), "* an item\n- another");
  assert.equal(shown("`a ** b` and"), "<code>a ** b</code> and");
});

test("what a block ends with, and what follows it, is told apart", () => {
  assert.deepEqual(paragraphs("go on\nhere\n\nnext\n\nlast"), ["go on\nhere", "next", "last"]);
  assert.deepEqual(paragraphs("A plan\nand words", "heading"), ["A plan", "and words"]);
  assert.deepEqual(paragraphs("x = 1\n\ny = 2\n```\n\nwords", "code"), ["x = 1\n\ny = 2", "words"]);
  assert.deepEqual(paragraphs("x = 1\n``", "code"), ["x = 1", ""]);
});

test("the signs of headings and fences, and rows before there is a table, are not seen", () => {
  assert.equal(shown("| a | b |\n|--"), "");
  assert.equal(shown("## A plan"), "A plan");
  assert.equal(shown("##"), "");
  assert.equal(shown("```python\nx = 1"), "x = 1");
});

test("the first mark that is left in what was typeset is open", () => {
  assert.deepEqual(opened("so **number 3"), { mark: "**", name: "strong", index: 3 });
  assert.equal(opened("2 * 3, snake_case, done"), null);
});
