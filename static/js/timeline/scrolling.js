/** Keeping one's place while messages come in above and below, and grow. */
import { entriesOf, messagesOf } from "chat/timeline/parts";

const NEAR = 48;
const SHOWN_FOR = 2_500;

export function atEnd(scroller) {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
}

export function toEnd(scroller) {
  scroller.scrollTop = scroller.scrollHeight;
}

/** Messages of which one is likely to outlast any change. */
const MARKS = 6;

/** The line one reads, and where on the screen it is: held there whatever changes above it. */
export class Hold {
  /** From the first message in sight on, each with where it is. */
  #marks = [];

  constructor(scroller, list) {
    Object.assign(this, { scroller, list });
  }

  /** One is here now. */
  remember() {
    const parts = shown(messagesOf(this.list));
    const first = parts.indexOf(firstBelow(parts, this.#top));
    this.#marks = parts.slice(first, first + MARKS).map((part) => ({ part, at: this.#where(part) }));
  }

  /** Do what changes the list; the line one reads stays where it is. */
  keep(change) {
    this.remember();
    change();
    this.restore();
  }

  /** Before it is painted: something above has grown, or gone. */
  restore() {
    const mark = this.#marks.find(({ part }) => part.isConnected && !part.hidden);
    const moved = mark ? this.#where(mark.part) - mark.at : 0;
    if (Math.abs(moved) >= 1) this.scroller.scrollTop += moved;
  }

  get #top() {
    return this.scroller.getBoundingClientRect().top;
  }

  #where(part) {
    return part.getBoundingClientRect().top - this.#top;
  }
}

export function show(entry, { block = "center" } = {}) {
  entry.scrollIntoView({ block });
  entry.dataset.found = "";
  setTimeout(() => delete entry.dataset.found, SHOWN_FOR);
}

/** The first message that can be seen, or what stands for some that are folded away. */
export function firstInSight(scroller, list) {
  return firstBelow(shown(messagesOf(list)), scroller.getBoundingClientRect().top);
}

function firstBelow(parts, top) {
  return firstOf(parts, (part) => part.getBoundingClientRect().bottom > top);
}

/** The last entry whose beginning can be seen. */
export function lastInSight(scroller, list) {
  const bottom = scroller.getBoundingClientRect().bottom - 12;
  const entries = shown(entriesOf(list));
  const below = firstOf(entries, (entry) => entry.getBoundingClientRect().top >= bottom);
  const at = below && below.getBoundingClientRect().top >= bottom ? entries.indexOf(below) - 1 : entries.length - 1;
  return entries[at];
}

function shown(parts) {
  return parts.filter((part) => !part.hidden);
}

/** Of parts from top to bottom the first of which it is so, and of all below it; or the last. */
function firstOf(parts, isSo) {
  let [low, high] = [0, parts.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSo(parts[middle])) high = middle;
    else low = middle + 1;
  }
  return parts[low];
}
