/** Where one message goes on from the one before it, where a new day begins, and what is told in one line. */

const PAUSE = 7 * 60_000;
/** So many notes in a row are one line, until it is opened. */
const RUN = 3;

/** Two messages as `{kind, author, audience, to, created, quotes}`; `created` in milliseconds. */
export function follows(previous, message) {
  return Boolean(
    previous &&
      previous.kind === "text" &&
      message.kind === "text" &&
      !message.quotes &&
      previous.author === message.author &&
      previous.audience === message.audience &&
      previous.to === message.to &&
      message.created - previous.created < PAUSE &&
      day(previous.created) === day(message.created),
  );
}

/** The reader's own day, as 2026-11-20. */
export function day(when) {
  const at = new Date(when);
  const two = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/**
 * How these look one below the other: what stands `above` each (a "day", the "line" above what is
 * new, a "run" of notes with the ids of all of them), whether it `follows` the one before it, and
 * whether it is `hidden` in its run. An item is a message, with its `id`, or what stands for some
 * that are folded out of the page: `{first, last}` of them. `opened` has ids of runs that are open.
 */
export function lay(items, { line = null, opened = new Set() } = {}) {
  let previous = null;
  const laid = items.map((item) => {
    const above = item.last ? [] : begins(previous, item, line);
    const goesOn = !item.last && !above.length && follows(previous, item);
    previous = item.last ?? item;
    return { above, follows: goesOn, hidden: false };
  });
  for (const at of runs(items, laid)) {
    const ids = at.map((one) => items[one].id);
    const open = ids.some((id) => opened.has(id));
    laid[at[0]].above.push({ kind: "run", ids, open });
    at.forEach((one) => (laid[one].hidden = !open));
  }
  return laid;
}

function begins(previous, item, line) {
  const isNewDay = !previous || day(previous.created) !== day(item.created);
  return [...(isNewDay ? [{ kind: "day", created: item.created }] : []), ...(item.id === line ? [{ kind: "line" }] : [])];
}

/** Places of notes for the same readers, next to each other with nothing between them. */
function runs(items, laid) {
  const found = [];
  items.forEach((item, at) => {
    const before = items[at - 1];
    const goesOn = before?.kind === "system" && before.audience === item.audience && !laid[at].above.length;
    if (item.kind !== "system") return;
    if (goesOn) found.at(-1).push(at);
    else found.push([at]);
  });
  return found.filter((run) => run.length >= RUN);
}
