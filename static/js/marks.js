/** What Markdown's marks within a line will look like, in text that was not typeset yet. */

const MARKS = { "**": "strong", __: "strong", "~~": "s", "*": "em", _: "em", "`": "code" };
const MARK = /\*\*|__|~~|[*_`]/g;
/** Lines that begin or end a block of code, rows of tables, and the signs before a heading. */
const OF_BLOCKS = /^ {0,3}(?:(?:`{3,}|~{3,}|\|).*(?:\n|$)|#{1,6}(?:[ \t]+|$))/gm;
/** What ends a block. */
const ENDS = { text: /\n\s*\n/, heading: /\n\s*/, code: /(?:^|\n) {0,3}(?:`+|~+)[ \t]*(?:\n\s*|$)/ };

/** Marks at the very end: more of them may come, and then a word, or none. */
export const LAST = /[*_~`]+$/;

/**
 * The text of a block as pieces, `{text, within}` with the names of the elements it will stand in, the outermost
 * first. `open` are marks that were opened before it.
 */
export function pieces(source, open = []) {
  const text = source.replace(OF_BLOCKS, "").replace(LAST, "");
  const found = [];
  let now = [...open];
  let from = 0;
  const take = (upto) => upto > from && found.push({ text: text.slice(from, upto), within: now.map((mark) => MARKS[mark]) });
  for (const { 0: mark, index } of text.matchAll(MARK)) {
    const next = turned(now, mark, text, index);
    if (!next) continue;
    take(index);
    from = index + mark.length;
    now = next;
  }
  take(text.length);
  return found;
}

/** The text as what goes on in the block it begins in, which is `text`, a `heading` or `code`, and what follows that. */
export function paragraphs(text, kind = "text") {
  const found = ENDS[kind].exec(text);
  return found ? [text.slice(0, found.index), ...text.slice(found.index + found[0].length).split(ENDS.text)] : [text];
}

/** The first mark that nothing closes, in what was typeset: `{mark, name, index}`, or null. */
export function opened(text) {
  for (const { 0: mark, index } of text.matchAll(MARK)) if (opens(mark, text, index)) return { mark, name: MARKS[mark], index };
  return null;
}

/** What is open after a mark, or null where it is no more than a sign. */
function turned(open, mark, text, index) {
  if (open.includes("`") && mark !== "`") return null;
  if (open.includes(mark)) return /\s/.test(text[index - 1] ?? "") ? null : open.slice(0, open.indexOf(mark));
  return opens(mark, text, index) ? [...open, mark] : null;
}

/** Before a word, and not in the midst of one. */
function opens(mark, text, index) {
  return !/[\w\\]/.test(text[index - 1] ?? "") && /\S/.test(text[index + mark.length] ?? "");
}
