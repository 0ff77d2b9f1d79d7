/** Completing `@han…` in what is being written. */

const UNFINISHED = /(?:^|[^\w@/])@([a-z0-9._-]{0,32})$/i;

/** The mention the caret stands at the end of: `{start, query}`, or null. */
export function mentionAt(text, caret) {
  const found = UNFINISHED.exec(text.slice(0, caret));
  return found && { start: caret - found[1].length, query: found[1].toLowerCase() };
}

export function suggest(people, query, most = 6) {
  const begins = (text) => text.toLowerCase().startsWith(query);
  const fits = (person) => begins(person.handle) || person.name.toLowerCase().split(/\s+/).some(begins);
  return people.filter(fits).slice(0, most);
}

/** The text with the mention completed, and where the caret goes. */
export function complete(text, caret, start, handle) {
  const rest = text.slice(caret);
  const done = `${text.slice(0, start)}${handle}${rest.startsWith(" ") ? "" : " "}`;
  return { text: done + rest, caret: done.length + (rest.startsWith(" ") ? 1 : 0) };
}
