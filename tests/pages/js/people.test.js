import assert from "node:assert/strict";
import test from "node:test";
import { People } from "../../../static/js/people.js";

const person = (id, name, role = "member", more = {}) => ({ id, name, role, handle: name.toLowerCase(), ...more });
const names = (people) => people.all.map(({ name }) => name);

test("people stand by what they are here, those online first, then by name", () => {
  const people = new People([
    person(1, "Zoe", "member", { presence: "online" }),
    person(2, "Abe"),
    person(3, "Max", "viewer"),
    person(4, "Liv", "owner"),
  ]);
  assert.deepEqual(names(people), ["Liv", "Zoe", "Abe", "Max"]);
});

test("those who come, change and leave are told of once", () => {
  const people = new People([person(1, "Ben"), person(2, "Cleo")]);
  let told = 0;
  people.addEventListener("changed", () => (told += 1));
  people.change({ added: [person(3, "Sue")], changed: [person(1, "Ben", "owner")], removed: [2] });
  assert.deepEqual(names(people), ["Ben", "Sue"]);
  assert.equal(people.get(1).role, "owner");
  assert.equal(told, 1);
});

test("how somebody is outlives a new list, and nothing is made up of whom nobody told", () => {
  const people = new People([person(1, "Ben")]);
  people.see(1, "away");
  people.start([person(1, "Ben"), person(2, "Cleo")]);
  assert.equal(people.state(1), "away");
  assert.equal(people.isTold(2), false);
  assert.equal(people.state(2), "offline");
});

test("coming and going is told apart from being in the room", () => {
  const people = new People([person(1, "Ben")]);
  const heard = [];
  people.addEventListener("changed", () => heard.push("changed"));
  people.addEventListener("seen", ({ detail }) => heard.push(`seen ${detail}`));
  people.see(1, "online");
  assert.deepEqual(heard, ["seen 1"]);
});

test("where the page was told of some, all are counted, and the others asked for, whoever comes and goes", () => {
  const some = Array.from({ length: 100 }, (_, at) => person(at + 1, `Number ${at}`));
  const people = new People(some, 250);
  people.change({ removed: [2] });
  assert.deepEqual([people.count, people.isWhole], [249, false]);
  people.change({ added: [person(300, "Sue")] });
  assert.deepEqual([people.count, people.isWhole], [250, false]);
  assert.deepEqual([1, 300, 2, 200].map((id) => people.mayBeHere(id)), [true, true, false, true]);
  people.start([...some.slice(2), person(2, "Back"), person(301, "Eve")], 250);
  assert.deepEqual([1, 2].map((id) => people.mayBeHere(id)), [true, true]);
  people.start([person(1, "Ben")], 1);
  assert.deepEqual([1, 200].map((id) => people.mayBeHere(id)), [true, false]);
  people.change({ added: [person(1, "Ben"), person(3, "Sue")] });
  assert.deepEqual([people.count, people.isWhole], [2, true]);
});
