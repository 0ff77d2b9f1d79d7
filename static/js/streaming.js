/**
 * The text of messages that are being written, as far as the page has heard of it.
 *
 * The contract counts code points, JavaScript counts UTF-16 units: `length` is in the one, and
 * `settled`, where the part ends that `html` shows as it will look, in the other.
 */
export class Streams {
  #streams = new Map();

  get(id) {
    return this.#streams.get(id);
  }

  clear() {
    this.#streams.clear();
  }

  /** A message as a frame shows it, which of two copies is the newer. Says what is new: "began", "ended", or nothing. */
  shown(message) {
    const before = this.#streams.get(message.id);
    const attempt = message.data.reply?.attempt ?? 1;
    if (before && (message.version < before.version || attempt < before.attempt)) return null;
    if (message.status !== "streaming") return this.#streams.delete(message.id) ? "ended" : null;
    this.#streams.set(message.id, begin(message, attempt));
    return before?.attempt === attempt ? null : "began";
  }

  /** The stream as a `delta` frame has it go on; null where that says nothing about what is here. */
  hear({ message, attempt, offset, text, html }) {
    const stream = this.#streams.get(message);
    if (!stream || attempt < stream.attempt || offset > stream.length) return null;
    if (attempt > stream.attempt && offset < stream.length) Object.assign(stream, { html: "", settled: 0 });
    const at = indexOf(stream, offset);
    Object.assign(stream, { attempt, text: stream.text.slice(0, at) + text, length: offset + pointsIn(text) });
    stream.settled = Math.min(stream.settled, stream.text.length);
    if (html !== undefined) Object.assign(stream, { html, settled: at });
    return stream;
  }

  /** Whether its robot is at another answer first, as far as this reader sees. */
  waits(stream) {
    if (stream.length) return false;
    const others = [...this.#streams.values()].filter(({ id, author }) => author === stream.author && id !== stream.id);
    return others.some((other) => other.length || other.id < stream.id);
  }

  [Symbol.iterator]() {
    return this.#streams.values();
  }
}

function begin({ id, version, author, body, html }, attempt) {
  return { id, version, author: author.id, attempt, text: body, length: pointsIn(body), html, settled: body.length };
}

function pointsIn(text) {
  let points = 0;
  for (const _ of text) points += 1;
  return points;
}

/** Where in its text the code point `offset` begins. */
function indexOf({ text, length }, offset) {
  if (offset === length) return text.length;
  let at = 0;
  for (let point = 0; point < offset; point += 1) at += text.codePointAt(at) > 0xffff ? 2 : 1;
  return at;
}

/** What comes after the part shown as it will look. */
export function tail({ text, settled }) {
  return text.slice(settled);
}

/** How the tail goes on: "inline", on a new "line", or as a "block" of its own. */
export function seam({ text, settled }) {
  const [head, rest] = [text.slice(0, settled), text.slice(settled)];
  const space = head.slice(head.trimEnd().length) + rest.slice(0, rest.length - rest.trimStart().length);
  const breaks = space.split("\n").length - 1;
  return ["inline", "line"][breaks] ?? "block";
}

/** Whether the settled part ends within a block of code. */
export function isInCode({ text, settled }) {
  let fence = null;
  for (const [, mark] of text.slice(0, settled).matchAll(/^ {0,3}(`{3,}|~{3,})/gm)) {
    if (fence === null) fence = mark;
    else if (mark.startsWith(fence)) fence = null;
  }
  return fence !== null;
}
