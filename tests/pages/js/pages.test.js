import assert from "node:assert/strict";
import test from "node:test";
import { Pages } from "../../../static/js/timeline/pages.js";

function world() {
  const asked = [];
  const load = (query) => new Promise((resolve, reject) => asked.push({ query, resolve, reject }));
  const waits = [];
  const pages = new Pages(load, (ms) => (waits.push(ms), Promise.resolve()));
  return { asked, pages, waits };
}

test("what is heard while a page is under way comes with it", async () => {
  const { asked, pages } = world();
  const applied = [];
  pages.heard(["before"]);
  const fetching = pages.fetch("before=3", (page, meanwhile) => applied.push(page, [...meanwhile]));
  pages.heard(["during"]);
  asked[0].resolve("page");
  assert.equal(await fetching, true);
  pages.heard(["after"]);
  assert.deepEqual(applied, ["page", ["during"]]);
  assert.equal(pages.busy, false);
});

test("a page that was dropped changes nothing, not even the one asked for after it", async () => {
  const { asked, pages } = world();
  const applied = [];
  const first = pages.fetch("first", (page) => applied.push(page));
  pages.drop();
  const second = pages.fetch("second", (page) => applied.push(page));
  asked[0].resolve("old");
  assert.equal(await first, null);
  assert.equal(pages.busy, true);
  asked[1].resolve("new");
  await second;
  assert.deepEqual(applied, ["new"]);
});

test("a page that fails is let go after a while, and may be asked for again", async () => {
  const { asked, pages, waits } = world();
  const fetching = pages.fetch("x", () => assert.fail("nothing to apply"));
  asked[0].reject(new Error("away"));
  assert.equal(await fetching, false);
  assert.deepEqual(waits, [2000]);
  assert.equal(pages.busy, false);
});

test("idle waits for what is under way", async () => {
  const { asked, pages } = world();
  const order = [];
  pages.fetch("x", () => order.push("page"));
  const waiting = pages.idle.then(() => order.push("idle"));
  asked[0].resolve("page");
  await waiting;
  assert.deepEqual(order, ["page", "idle"]);
});
