/** Days, the line above what is new, and runs of notes: all of them follow from the entries. */
import { element } from "chat/dom";
import { day, lay } from "chat/grouping";
import { dayName } from "chat/time";
import { describe } from "chat/timeline/entry";
import { messagesOf } from "chat/timeline/parts";
import { noteLine } from "chat/words";

const MESSAGES = "[data-entry], .fold";

/** `line` is the message above which the line stands; `opened` has ids of runs that are open. */
export function arrange(list, how) {
  const parts = messagesOf(list);
  const laid = lay(parts.map(itemOf), how);
  parts.forEach((part, at) => {
    const { above: wanted, follows, hidden } = laid[at];
    putAbove(part, wanted);
    part.toggleAttribute("data-follows", follows);
    part.hidden = hidden;
  });
  for (const part of [...list.children]) if (part.hasAttribute("data-divider") && !isAboveMessage(part)) part.remove();
}

function itemOf(part) {
  return part.ends ?? describe(part.querySelector(".message"));
}

function isAboveMessage(divider) {
  let next = divider.nextElementSibling;
  while (next?.matches("[data-divider]")) next = next.nextElementSibling;
  return next?.matches(MESSAGES);
}

/** Those that are right are left alone: one may stand on them. */
function putAbove(part, wanted) {
  const there = dividersAbove(part);
  const made = wanted.map((divider) => MAKE[divider.kind](divider, part));
  const same = there.length === made.length && there.every((old, at) => old.isEqualNode(made[at]));
  if (same) return;
  const held = there.find((old) => old.contains(document.activeElement));
  there.forEach((old) => old.remove());
  part.before(...made);
  if (held) made.find((one) => one.dataset.divider === held.dataset.divider)?.querySelector("button")?.focus({ preventScroll: true });
}

function dividersAbove(part) {
  return above(part, `${MESSAGES}, .entry-pending`);
}

/** What stands above it, back to the first of which this is so. */
export function above(part, selector) {
  const found = [];
  let next = part.previousElementSibling;
  while (next && !next.matches(selector)) {
    found.unshift(next);
    next = next.previousElementSibling;
  }
  return found;
}

const MAKE = {
  day: ({ created }) => element("li", { class: "day", "data-divider": "day", "data-day": day(created) }, element("span", {}, dayName(created))),
  line: () => element("li", { class: "unread-line", "data-divider": "line" }, element("span", {}, "New")),
  run: ({ ids, open }, part) => {
    const first = part.querySelector(".system-text")?.textContent ?? "";
    const button = element("button", { type: "button", class: "run-button", "aria-expanded": String(open), "data-run": ids.join(" ") }, noteLine(first, ids.length));
    return element("li", { class: "run", "data-divider": "run" }, button);
  },
};
