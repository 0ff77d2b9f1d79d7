import assert from "node:assert/strict";
import test from "node:test";
import { dayChoices } from "../../../static/js/timeline/days.js";

const local = (at) => (at === null ? null : new Date(at).toString().slice(4, 24));
const chosen = (...now) => Object.fromEntries(dayChoices(new Date(...now).getTime()).map(({ words, at }) => [words, local(at)]));

test("days begin at the reader's midnight", () => {
  assert.deepEqual(chosen(2026, 2, 4, 15, 30), {
    Today: "Mar 04 2026 00:00:00",
    Yesterday: "Mar 03 2026 00:00:00",
    "A week ago": "Feb 25 2026 00:00:00",
    "A month ago": "Feb 04 2026 00:00:00",
    "The beginning": null,
  });
});

test("a month before its 31st is the last day of a shorter one", () => {
  assert.equal(chosen(2026, 2, 31, 9)["A month ago"], "Feb 28 2026 00:00:00");
  assert.equal(chosen(2026, 0, 15, 9)["A month ago"], "Dec 15 2025 00:00:00");
});
