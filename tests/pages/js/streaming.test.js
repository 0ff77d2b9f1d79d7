import assert from "node:assert/strict";
import test from "node:test";
import { Streams, isInCode, seam, tail } from "../../../static/js/streaming.js";

const PARROT = 7;

function message(body = "", { id = 1, version = 1, attempt = 1, status = "streaming" } = {}) {
  return { id, version, status, author: { id: PARROT }, body, html: `<p>${body}</p>`, data: { reply: { attempt } } };
}

function delta(offset, text, { message = 1, attempt = 1, ...more } = {}) {
  return { message, attempt, offset, text, ...more };
}

function streams(...messages) {
  const made = new Streams();
  messages.forEach((each) => made.shown(each));
  return made;
}

test("deltas go on where the frame that showed the message ended", () => {
  const held = streams(message("Hel"));
  held.hear(delta(3, "lo"));
  assert.equal(held.hear(delta(5, " you")).text, "Hello you");
});

test("offsets count code points, also behind what takes two units", () => {
  const held = streams(message("🦜🦜"));
  assert.equal(held.hear(delta(2, " says 👋")).text, "🦜🦜 says 👋");
  assert.equal(held.hear(delta(9, "!")).text, "🦜🦜 says 👋!");
  assert.equal(held.hear(delta(1, "🦉")).text, "🦜🦉");
});

test("what leaves a gap is not shown", () => {
  const held = streams(message("abc"));
  assert.equal(held.hear(delta(4, "e")), null);
  assert.equal(held.get(1).text, "abc");
});

test("html shows what is before its offset, and the text carries on from there", () => {
  const held = streams(message());
  held.hear(delta(0, "**bold** and m"));
  const stream = held.hear(delta(8, " and more", { html: "<p><b>bold</b></p>" }));
  assert.equal(stream.text, "**bold** and more");
  assert.equal(stream.html, "<p><b>bold</b></p>");
  assert.equal(tail(stream), " and more");
  assert.equal(tail(held.hear(delta(17, "!"))), " and more!");
});

test("a lower attempt is ignored and a higher one starts over", () => {
  const held = streams(message("old", { attempt: 2 }));
  assert.equal(held.hear(delta(3, "er", { attempt: 1 })), null);
  const stream = held.hear(delta(0, "new", { attempt: 3 }));
  assert.deepEqual([stream.text, stream.html, tail(stream)], ["new", "", "new"]);
  assert.equal(held.hear(delta(3, "s", { attempt: 2 })), null);
});

test("an answer that is continued keeps what it had", () => {
  const held = streams(message("one ", { version: 4, attempt: 2 }));
  const stream = held.hear(delta(4, "two", { attempt: 2 }));
  assert.deepEqual([stream.html, tail(stream)], ["<p>one </p>", "two"]);
});

test("of equal versions the copy that comes later counts", () => {
  const held = streams(message("a"));
  held.hear(delta(1, "b"));
  assert.equal(held.shown(message("abcd")), null);
  assert.equal(held.get(1).text, "abcd");
  assert.equal(held.shown(message("abcdef", { version: 0 })), null);
  assert.equal(held.get(1).text, "abcd");
});

test("it says when one began and ended, and hears no more of it then", () => {
  const held = new Streams();
  assert.equal(held.shown(message()), "began");
  assert.equal(held.shown(message("x")), null);
  assert.equal(held.shown(message("", { version: 2, attempt: 2 })), "began");
  assert.equal(held.shown(message("done", { version: 3, attempt: 2, status: "complete" })), "ended");
  assert.equal(held.shown(message("done", { version: 3, attempt: 2, status: "complete" })), null);
  assert.equal(held.hear(delta(4, "late")), null);
});

test("a robot that is at another answer has this one wait", () => {
  const held = streams(message("", { id: 1 }), message("", { id: 2 }));
  const waiting = () => [...held].filter((stream) => held.waits(stream)).map(({ id }) => id);
  assert.deepEqual(waiting(), [2]);
  held.hear(delta(0, "so", { message: 2 }));
  assert.deepEqual(waiting(), [1]);
  held.shown(message("so", { id: 2, version: 2, status: "complete" }));
  assert.deepEqual(waiting(), []);
});

test("the tail goes on in its line, on the next, or as a block of its own", () => {
  const of = (head, rest) => seam({ text: head + rest, settled: head.length });
  assert.equal(of("one", " two"), "inline");
  assert.equal(of("one\n", "two"), "line");
  assert.equal(of("- one", "\n- two"), "line");
  assert.equal(of("one\n", "\ntwo"), "block");
  assert.equal(of("one\n  \n", "two"), "block");
});

test("code is open until its fence is closed", () => {
  const open = (text) => isInCode({ text, settled: text.length });
  assert.equal(open("say\n\n```js\nlet a"), true);
  assert.equal(open("```js\nlet a\n```\n"), false);
  assert.equal(open("````\n```\nstill"), true);
  assert.equal(open("`inline`"), false);
});
