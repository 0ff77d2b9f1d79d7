import assert from "node:assert/strict";
import test from "node:test";
import { follows } from "../../../static/js/grouping.js";
import { complete, mentionAt, suggest } from "../../../static/js/mentions.js";
import { Typists } from "../../../static/js/typists.js";
import { uuid7 } from "../../../static/js/uuid.js";
import { atMost99, fileSize, list, typing, whoSees } from "../../../static/js/words.js";

test("ids of later posts sort later, and are UUIDs of version 7", () => {
  const ids = [1, 1_700_000_000_000, 1_700_000_000_001].map((now) => uuid7(now, crypto.getRandomValues(new Uint8Array(10))));
  assert.deepEqual([...ids].sort(), ids);
  ids.forEach((id) => assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/));
});

test("names are listed as one says them", () => {
  assert.equal(list([]), "");
  assert.equal(list(["Ben"]), "Ben");
  assert.equal(list(["Ben", "Cleo"]), "Ben and Cleo");
  assert.equal(list(["Ben", "Cleo", "Sue", "Ada"]), "Ben, Cleo and 2 others");
});

test("the composer says who will see it", () => {
  assert.match(whoSees({ audience: "everyone", mode: "support", customers: ["Kim"] }), /Kim too/);
  assert.match(whoSees({ audience: "staff", mode: "support" }), /Customers do not/);
  assert.match(whoSees({ audience: "only", mode: "team", names: [] }), /Choose/);
  assert.equal(whoSees({ audience: "only", mode: "team", names: ["Ben"] }), "Only you and Ben will see this.");
  assert.match(whoSees({ audience: "only", mode: "support", names: ["Ben"] }), /staff/);
});

test("counts past 99 and sizes of files are short", () => {
  assert.equal(atMost99(99), "99");
  assert.equal(atMost99(100), "99+");
  assert.equal(fileSize(500), "500 B");
  assert.equal(fileSize(1536), "1.5 KB");
  assert.equal(fileSize(25 * 1024 * 1024), "25 MB");
});

test("who writes is said, and forgotten when their time is up or they have said it", () => {
  const typists = new Typists();
  typists.heard(1, 5, 0);
  typists.heard(2, 9, 0);
  assert.deepEqual(typists.now(4_000), [1, 2]);
  assert.deepEqual(typists.now(6_000), [2]);
  typists.done(2);
  assert.deepEqual(typists.now(6_000), []);
  assert.equal(typing(["Ben"]), "Ben is writing");
  assert.equal(typing(["Ben", "Cleo"]), "Ben and Cleo are writing");
  assert.equal(typing(["a", "b", "c", "d"]), "Several people are writing");
});

const message = (change) => ({ kind: "text", author: 1, audience: "everyone", to: "", created: Date.parse("2026-11-20T12:00:00Z"), quotes: false, ...change });

test("one goes on where one spoke, unless who may see it or the time is another", () => {
  const first = message();
  assert.equal(follows(null, first), false);
  assert.equal(follows(first, message()), true);
  for (const change of [{ author: 2 }, { audience: "staff" }, { to: "4" }, { kind: "system" }, { quotes: true }, { created: first.created + 8 * 60_000 }]) {
    assert.equal(follows(first, message(change)), false, JSON.stringify(change));
  }
});

const people = [
  { handle: "ben", name: "Ben Costa" },
  { handle: "cleo", name: "Cleo Benson" },
  { handle: "sue", name: "Sue Okafor" },
];

test("an @ is completed by handle or by any part of the name", () => {
  const found = (text) => {
    const at = mentionAt(text, text.length);
    return at && suggest(people, at.query).map(({ handle }) => handle);
  };
  assert.deepEqual(found("hi @be"), ["ben", "cleo"]);
  assert.deepEqual(found("@su"), ["sue"]);
  assert.deepEqual(found("(@c"), ["ben", "cleo"]);
  assert.equal(found("mail me@be"), null);
  assert.equal(found("done @ben "), null);
});

test("completing keeps what follows", () => {
  assert.deepEqual(complete("hi @be", 6, 4, "ben"), { text: "hi @ben ", caret: 8 });
  assert.deepEqual(complete("hi @be there", 6, 4, "ben"), { text: "hi @ben there", caret: 8 });
});
