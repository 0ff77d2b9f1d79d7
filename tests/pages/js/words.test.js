import assert from "node:assert/strict";
import test from "node:test";
import { follows } from "../../../static/js/grouping.js";
import { callsFor, complete, robotsNamed, suggest, wordAt } from "../../../static/js/mentions.js";
import { Typists } from "../../../static/js/typists.js";
import { uuid7 } from "../../../static/js/uuid.js";
import { aboutAnswer, atMost99, fileSize, list, tooLong, typing, whoSees } from "../../../static/js/words.js";

test("ids of later posts sort later, and are UUIDs of version 7", () => {
  const ids = [1, 1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_001, 1_700_000_000_001, 1_600_000_000_000].map((now) => uuid7(now));
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
    const at = wordAt(text, text.length);
    return at && suggest(people, at.query).map(({ handle }) => handle);
  };
  assert.deepEqual(found("hi @be"), ["ben", "cleo"]);
  assert.deepEqual(found("@su"), ["sue"]);
  assert.deepEqual(found("(@c"), ["ben", "cleo"]);
  assert.equal(found("mail me@be"), null);
  assert.equal(found("done @ben "), null);
});

test("rooms and emoji are completed behind a space, and nothing within a word", () => {
  const at = (text) => wordAt(text, text.length);
  assert.deepEqual(at("see #Rel"), { sign: "#", start: 4, query: "rel" });
  assert.deepEqual(at("so :ta"), { sign: ":", start: 3, query: "ta" });
  for (const text of ["a#b", "## ", "12:30", "https://a.b/#c", "so: "]) assert.equal(at(text), null, text);
});

test("completing keeps what follows", () => {
  assert.deepEqual(complete("hi @be", 6, 3, "@ben"), { from: 3, to: 6, put: "@ben ", start: 8, end: 8 });
  assert.deepEqual(complete("hi @be there", 6, 3, "@ben"), { from: 3, to: 6, put: "@ben", start: 8, end: 8 });
});

test("many are called at once by members of the site, where there are many", () => {
  const room = (kind, all = 3) => ({ get: () => ({ kind }), all: Array(all), robots: [] });
  const handles = (...how) => callsFor(room(...how), 1).map(({ handle }) => handle);
  assert.deepEqual(handles("person"), ["here", "everyone"]);
  assert.deepEqual(handles("person", 2), []);
  assert.deepEqual(handles("guest"), []);
  assert.deepEqual(handles("customer"), []);
});

test("how an answer ended is said in a word", () => {
  const message = (status, state = status) => ({ status, data: { reply: { state } } });
  assert.equal(aboutAnswer(message("streaming"), "began", "Parrot"), "Parrot is answering");
  assert.equal(aboutAnswer(message("complete", "done"), "ended", "Parrot"), "Parrot has answered");
  assert.equal(aboutAnswer(message("complete", "declined"), "ended", "Parrot"), "Parrot had nothing to add");
  assert.equal(aboutAnswer(message("stopped"), "ended", "Parrot"), "Parrot was stopped");
  assert.equal(aboutAnswer(message("failed"), "ended", "Parrot"), "Parrot could not answer");
});

test("robots are named outside of code and quotes, and all of them at once", () => {
  const robots = [{ handle: "parrot" }, { handle: "muse.2" }];
  const named = (text) => robotsNamed(text, robots).map(({ handle }) => handle);
  assert.deepEqual(named("what do you think, @Parrot?"), ["parrot"]);
  assert.deepEqual(named("@muse.2. And @parrots?"), ["muse.2"]);
  assert.deepEqual(named("@robots, anyone?"), ["parrot", "muse.2"]);
  assert.deepEqual(named("> @parrot said\n`@muse.2`\n```\n@parrot\n```"), []);
  assert.deepEqual(named("```\n@parrot"), []);
  assert.deepEqual(named("me@parrot"), []);
});

test("why a note becomes a question is said before it is sent", () => {
  const words = whoSees({ audience: "only", names: ["Parrot"], mode: "support", asked: true });
  assert.equal(words, "Robots do not see notes, so this becomes a question. Only you and Parrot, and the staff of this room, will see this.");
});

test("what is too long says so, counted in characters, not in their halves", () => {
  assert.equal(tooLong("🦀🦀", 2), "");
  assert.match(tooLong("🦀🦀🦀", 2), /at most 2 characters; this one has 3/);
});
