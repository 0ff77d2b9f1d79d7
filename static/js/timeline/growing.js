/** The text of an answer that grows: what was typeset, and after it the rest, as far as its marks tell what it will be. */
import { element, reachable } from "chat/dom";
import { LAST, opened, paragraphs, pieces } from "chat/marks";
import { morphChildren } from "chat/morph";
import { isInCode, seam, tail } from "chat/streaming";

const HEADINGS = "h1, h2, h3, h4, h5, h6";
/** Blocks at the end of which text may go on. */
const OPEN = `p, li, ul, ol, blockquote, ${HEADINGS}`;

/** Show as it will look what was typeset, and after it the rest. */
export function settle(article, stream) {
  const body = article.querySelector("[data-body]");
  const fresh = element("div");
  fresh.innerHTML = stream.html;
  stream.inTable = Boolean(fresh.lastElementChild?.matches("table")) || dropRows(fresh);
  const block = isInCode(stream) ? null : lastBlock(fresh);
  Object.assign(stream, { lead: block ? lastMarks(block) : "", open: block ? openMarks(block) : [] });
  reachable(fresh);
  for (const old of body.querySelectorAll("[data-tail]")) old.remove();
  morphChildren(body, fresh);
  stream.block = isInCode(stream) ? codeToGoOn(body, stream) : lastBlock(body);
  write(article, stream);
}

/** What seems to become a table is shown once it is one. */
function dropRows(fresh) {
  const last = fresh.lastElementChild;
  const isRow = Boolean(last?.matches("p") && last.textContent.startsWith("|"));
  if (isRow) last.remove();
  return isRow;
}

/** The block at the end, of those in which text may go on. */
function lastBlock(body) {
  let block = body.lastElementChild;
  while (block?.lastElementChild?.matches(OPEN)) block = block.lastElementChild;
  return block?.matches(OPEN) ? block : null;
}

/** Code is shown with its last line ended, also where it goes on. */
function codeToGoOn(body, stream) {
  const code = [...body.querySelectorAll("pre code")].at(-1) ?? null;
  let last = code;
  while (last?.lastChild) last = last.lastChild;
  if (last instanceof Text && stream.text[stream.settled - 1] !== "\n") last.data = last.data.replace(/\n$/, "");
  return code;
}

/** Marks at the end belong to what comes next. */
function lastMarks(block) {
  const last = block.lastChild;
  const [marks] = (last instanceof Text && LAST.exec(last.data.trimEnd())) || [""];
  if (marks) last.data = last.data.trimEnd().slice(0, -marks.length);
  return marks;
}

/** What was marked at its beginning only, so far, looks as if it were marked at its end, too. */
function openMarks(block) {
  const texts = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { currentNode: text } = texts;
    const found = text.parentElement.closest("code") ? null : opened(text.data);
    if (!found) continue;
    const rest = text.splitText(found.index);
    rest.deleteData(0, found.mark.length);
    const made = element(found.name);
    rest.before(made);
    while (made.nextSibling) made.append(made.nextSibling);
    return [found.mark, ...openMarks(made)];
  }
  return [];
}

/** What is not typeset goes on in the last block, and then in paragraphs of its own. */
export function write(article, stream) {
  const body = article.querySelector("[data-body]");
  article.toggleAttribute("data-writing", stream.length > 0);
  const wanted = stream.length ? tails(stream).map(({ block, said }) => ({ parent: block ?? body, said })) : [];
  const there = [...body.querySelectorAll("[data-tail]")];
  const fits = there.length <= wanted.length && there.every((old, at) => old.parentElement === wanted[at].parent);
  if (!fits) there.splice(0).forEach((old) => old.remove());
  wanted.forEach(({ parent, said }, at) => say(there[at] ?? append(parent, parent === body ? "p" : "span"), said));
}

/** What is to be said where: in the last block, or, where `block` is null, after it. */
function tails(stream) {
  const { block, inTable, lead, open } = stream;
  const how = seam(stream);
  const kind = kindOf(block);
  const goesOn = block && !inTable && (kind === "code" || how === "inline" || (how === "line" && kind === "text"));
  const [first, ...others] = goesOn ? paragraphs(lead + tail(stream), kind) : paragraphs(tail(stream));
  const isRow = inTable && how !== "block";
  const own = [...(goesOn || isRow ? [] : [first]), ...others].filter((text) => text.trim());
  const after = own.map((text) => ({ block: null, said: pieces(text) }));
  if (goesOn) return [{ block, said: kind === "code" ? [{ text: first, within: [] }] : pieces(first, open) }, ...after];
  return after.length ? after : [{ block: null, said: [] }];
}

function kindOf(block) {
  if (block?.matches("code")) return "code";
  return block?.matches(HEADINGS) ? "heading" : "text";
}

function append(parent, name) {
  const made = element(name, { class: "tail", "data-tail": true });
  parent.append(made);
  return made;
}

function say(place, said) {
  const fresh = element("div");
  fresh.append(...said.map(({ text, within }) => within.reduceRight((inner, name) => element(name, {}, inner), document.createTextNode(text))));
  morphChildren(place, fresh);
}
