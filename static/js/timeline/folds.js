/**
 * What is far from where one reads is folded out of the document: an element as high as it was
 * stands in its place, and its messages wait as the text they came as.
 */
import { element } from "chat/dom";
import { above } from "chat/timeline/dividers";
import { describe } from "chat/timeline/entry";
import { isUrgent, plan } from "chat/timeline/folding";
import { isFold, messagesOf } from "chat/timeline/parts";

const SHOWN = ".fold, [data-entry]:not([hidden])";
/** Pixels after which it is looked at again. */
const STEP = 300;
/** What somebody is at, or looks at, stays. */
const HELD = ":focus-within, :has(.inline-edit, :popover-open, [data-status=streaming], [data-writing])";

export class Folds {
  #articles = new Map();
  #foldOf = new Map();
  /** Where one was when it was last looked at, how long the list was, and whether something was left to do. */
  #at = 0;
  #count = 0;
  #more = false;

  /** `make({id, article})` makes an entry, which is put into the list by then. */
  constructor(scroller, list, make) {
    Object.assign(this, { scroller, list, make });
  }

  has(id) {
    return this.#foldOf.has(id);
  }

  /** The text of a message as it is now; an entry that came with the page is its own. */
  keep({ id, article }) {
    this.#articles.set(id, article);
  }

  /** What is to be done now, as changes of the list; and whether more is left for later. */
  due() {
    if (!this.#isAnew()) return { changes: [], more: false };
    const view = this.scroller.getBoundingClientRect();
    const parts = messagesOf(this.list).filter((part) => !part.hidden);
    const items = parts.map((part) => toItem(part, view.top));
    const { open, shut } = plan(items, view.height);
    const urgent = open.filter((at) => isUrgent(items[at], view.height));
    const opening = urgent.length ? urgent : open.slice(0, 1);
    const shutting = opening.length ? [] : shut.slice(0, 1);
    const changes = [...opening.map((at) => () => this.open(parts[at])), ...shutting.map((run) => () => this.#shut(run.map((at) => parts[at])))];
    this.#more = open.length > opening.length || shut.length > shutting.length;
    return { changes, more: this.#more };
  }

  /** Whether one has gone some way since, or the list is another. */
  #isAnew() {
    const { scroller: { scrollTop }, list: { childElementCount: count } } = this;
    const isAnew = this.#more || count !== this.#count || Math.abs(scrollTop - this.#at) > STEP;
    if (isAnew) [this.#at, this.#count] = [scrollTop, count];
    return isAnew;
  }

  /** Have this message in the document. */
  find(id) {
    const fold = this.#foldOf.get(id);
    if (fold) this.open(fold);
  }

  open(fold) {
    const entries = fold.ids.map((id) => this.make({ id, article: this.#articles.get(id) }));
    fold.ids.forEach((id) => this.#foldOf.delete(id));
    fold.replaceWith(...entries);
  }

  forget(ids) {
    for (const id of ids) {
      const fold = this.#foldOf.get(id);
      this.#articles.delete(id);
      this.#foldOf.delete(id);
      if (fold) fold.ids = fold.ids.filter((other) => other !== id);
      if (fold && !fold.ids.length) fold.remove();
    }
  }

  clear() {
    this.#articles.clear();
    this.#foldOf.clear();
  }

  /** With what stands above the first of them, and what is hidden there and between them. */
  #shut(entries) {
    const [first, last] = [entries[0], entries.at(-1)];
    const nodes = [...above(first, SHOWN), first, ...above(last, `[data-entry="${first.dataset.entry}"]`), last];
    const height = last.getBoundingClientRect().bottom - top(nodes);
    const fold = element("li", { class: "fold", "aria-hidden": true });
    const gone = nodes.filter((node) => node.matches("[data-entry]"));
    fold.style.blockSize = `${height}px`;
    fold.ids = gone.map((entry) => Number(entry.dataset.entry));
    fold.ends = { first: describe(gone[0].querySelector(".message")), last: describe(gone.at(-1).querySelector(".message")) };
    gone.forEach((entry) => this.#put(entry, fold));
    nodes[0].before(fold);
    nodes.forEach((node) => node.remove());
  }

  #put(entry, fold) {
    const id = Number(entry.dataset.entry);
    this.#foldOf.set(id, fold);
    if (!this.#articles.has(id)) this.#articles.set(id, entry.querySelector(".message"));
  }
}

/** The message of a part of the list, which is an entry or a fold: of a fold, its first. None: 0. */
export function idOf(part) {
  return Number(part?.dataset.entry) || part?.ends?.first.id || 0;
}

/** When it was said, in milliseconds; null without a part. */
export function createdOf(part) {
  if (!part) return null;
  return part.ends?.first.created ?? Date.parse(part.querySelector(".message").dataset.created);
}

function toItem(part, from) {
  const { top, bottom } = part.getBoundingClientRect();
  return {
    top: top - from,
    bottom: bottom - from,
    isFold: isFold(part),
    get isHeld() {
      return isHeld(part);
    },
  };
}

function isHeld(entry) {
  return entry.matches(HELD) || [...entry.querySelectorAll("audio, video")].some((media) => !media.paused) || isSelected(entry);
}

function isSelected(entry) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(entry, true);
}

function top(nodes) {
  return nodes.find((node) => !node.hidden).getBoundingClientRect().top;
}
