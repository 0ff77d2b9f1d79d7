/**
 * What a button or a key makes of what is written, `{text, start, end}` with what is selected in it: an edit
 * `{from, to, put, start, end}`, which puts `put` in the place of a stretch and says what is selected then.
 */

/** The signs before the words of a line: quotes, then the sign of a list. */
const BEFORE = /^(\s*(?:> ?)*)(?:([-*+]|\d{1,9}[.)])( +))?/;
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const URL_ALONE = /^https?:\/\/\S+$/i;
const STEP = "  ";

/** `**`, `_`, `~~` or a backtick around what is selected, line by line; off again where they are there. */
export function mark({ text, start, end }, sign) {
  const { length } = sign;
  if (text.slice(start - length, start) === sign && text.slice(end, end + length) === sign) {
    return { from: start - length, to: end + length, put: text.slice(start, end), start: start - length, end: end - length };
  }
  const [from, to] = start === end ? [start, end] : trimmed(text, start, end);
  const lines = text.slice(from, to).split("\n");
  const has = (words) => words.length > 2 * length && words.startsWith(sign) && words.endsWith(sign);
  const off = lines.some((line) => line.trim()) && lines.every((line) => !line.trim() || has(words(line)));
  const turned = lines.map((line) => (line.trim() || from === to ? turn(line, sign, off) : line));
  const put = turned.join("\n");
  if (lines.length > 1) return { from, to, put, start: from, end: from + put.length };
  const inner = off ? 0 : length;
  return { from, to, put, start: from + inner, end: from + put.length - inner };
}

function turn(line, sign, off) {
  const at = line.length - words(line).length;
  const said = words(line);
  return line.slice(0, at) + (off ? said.slice(sign.length, -sign.length) : sign + said + sign);
}

function words(line) {
  return line.slice(BEFORE.exec(line)[0].length);
}

function trimmed(text, start, end) {
  const chosen = text.slice(start, end);
  if (!chosen.trim()) return [start, end];
  return [start + chosen.length - chosen.trimStart().length, end - (chosen.length - chosen.trimEnd().length)];
}

/** A sign before each line that is touched: `- `, `> `, or numbers for `1. `; off again where all have it. */
export function list({ text, start, end }, sign) {
  const from = lineStart(text, start);
  const to = lineEnd(text, Math.max(start, end - 1));
  const lines = text.slice(from, to).split("\n");
  const numbered = sign === "1. ";
  const own = numbered ? /^\d{1,9}[.)] / : new RegExp(`^${sign}`);
  const other = sign === "> " ? null : /^(?:[-*+]|\d{1,9}[.)]) /;
  const off = lines.every((line) => own.test(line));
  const turned = lines.map((line, at) => {
    if (off) return line.replace(own, "");
    return (numbered ? `${at + 1}. ` : sign) + (other ? line.replace(other, "") : line);
  });
  const put = turned.join("\n");
  if (start !== end) return { from, to, put, start: from, end: from + put.length };
  const caret = Math.max(from, start + put.length - (to - from));
  return { from, to, put, start: caret, end: caret };
}

/** Fences around what is selected, on lines of their own, longer than any within. */
export function codeBlock({ text, start, end }) {
  const code = text.slice(start, end);
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  const before = start === lineStart(text, start) ? "" : "\n";
  const after = end === lineEnd(text, end) ? "" : "\n";
  const put = `${before}${fence}\n${code}${code.endsWith("\n") ? "" : "\n"}${fence}${after}`;
  const at = start + before.length + fence.length + 1;
  return { from: start, to: end, put, start: at, end: at + code.replace(/\n$/, "").length };
}

/** A link of what is selected, be it an address or the words for one; of `address`, where that is known. */
export function link({ text, start, end }, address = "") {
  const chosen = text.slice(start, end);
  if (!address && URL_ALONE.test(chosen.trim())) {
    const put = `[](${chosen.trim()})`;
    return { from: start, to: end, put, start: start + 1, end: start + 1 };
  }
  const url = address || "https://";
  const put = `[${chosen}](${url})`;
  if (!chosen) return { from: start, to: end, put, start: start + 1, end: start + 1 };
  const at = start + chosen.length + 3;
  const caret = address ? start + put.length : at;
  return { from: start, to: end, put, start: caret, end: at + url.length + (address ? 1 : 0) };
}

/** Pasting an address onto words makes a link of them; null where it is no such thing. */
export function pasted(written, clip) {
  const chosen = written.text.slice(written.start, written.end);
  const fits = chosen.trim() && !chosen.includes("\n") && !URL_ALONE.test(chosen.trim()) && !inCode(written.text, written.start);
  return fits && URL_ALONE.test(clip.trim()) ? link(written, clip.trim()) : null;
}

/** A new line goes on with the list, quote or code it stands in, or ends what it has nothing for; null elsewhere. */
export function newLine({ text, start, end }) {
  const from = lineStart(text, start);
  const line = text.slice(from, start);
  if (inCode(text, start)) return put(start, end, `\n${/^[ \t]*/.exec(line)[0]}`);
  const [signs, quotes, bullet, gap = " "] = BEFORE.exec(line);
  if (!bullet && !quotes.includes(">")) return null;
  const isEmpty = !text.slice(from + signs.length, lineEnd(text, start)).trim() && line.length >= signs.length;
  if (isEmpty) return put(from, lineEnd(text, start), "");
  return put(start, end, `\n${quotes}${bullet ? following(bullet) + gap : ""}`);
}

function following(bullet) {
  return /\d/.test(bullet) ? `${Number.parseInt(bullet, 10) + 1}${bullet.at(-1)}` : bullet;
}

/**
 * One step to the right at the beginning of an item's or a line of code's words, at most one further than the line
 * before it, or back. Null where there is no such step: Tab then leaves, as everywhere.
 */
export function indent({ text, start, end }, back = false) {
  const from = lineStart(text, start);
  const line = text.slice(from, lineEnd(text, start));
  const code = inCode(text, start);
  const depth = /^ */.exec(line)[0].length;
  const [, quotes, bullet, gap = ""] = BEFORE.exec(line);
  const words = code ? depth : quotes.length + (bullet?.length ?? 0) + gap.length;
  if (start !== end || start - from > words || (!code && (!bullet || quotes.includes(">")))) return null;
  const caret = (by) => ({ start: Math.max(from, start + by), end: Math.max(from, start + by) });
  if (back) return depth ? { from, to: from + Math.min(depth, STEP.length), put: "", ...caret(-Math.min(depth, STEP.length)) } : null;
  const above = text.slice(lineStart(text, from - 1), Math.max(0, from - 1));
  const reach = code ? /^ */.exec(above)[0].length + STEP.length : inner(above);
  return from && depth + STEP.length <= reach ? { from, to: from, put: STEP, ...caret(STEP.length) } : null;
}

/** Where what belongs to the item of this line begins; nowhere, where it is none. */
function inner(line) {
  const [, quotes, bullet, gap] = BEFORE.exec(line);
  return bullet ? quotes.length + bullet.length + gap.length : 0;
}

/** Whether a place is within a block of code. */
export function inCode(text, at) {
  return openFence(text, at) !== null && !FENCE.test(lineAt(text, at));
}

/** Whether what comes in the next line is code: behind the fence that opens it, too. */
export function goesOnInCode(text, at) {
  return FENCE.test(lineAt(text, at)) ? openFence(text, at) === null : inCode(text, at);
}

/** The fence above this line that nothing has closed, or null. */
function openFence(text, at) {
  let open = null;
  for (const line of text.slice(0, lineStart(text, at)).split("\n")) {
    const [fence, ticks] = FENCE.exec(line) ?? [];
    if (!fence) continue;
    if (!open) open = ticks;
    else if (ticks.startsWith(open) && !line.slice(fence.length).trim()) open = null;
  }
  return open;
}

function lineAt(text, at) {
  return text.slice(lineStart(text, at), lineEnd(text, at));
}

function lineStart(text, at) {
  return text.lastIndexOf("\n", at - 1) + 1;
}

function lineEnd(text, at) {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function put(from, to, words) {
  return { from, to, put: words, start: from + words.length, end: from + words.length };
}
