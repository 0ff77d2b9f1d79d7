/** Completing `@han…`, `#roo…` and `:emo…` in what is being written. */

const UNFINISHED = [/(?:^|[^\p{L}\p{N}_@/])(@)([\p{L}\p{N}._-]{0,32})$/u, /(?:^|[\s(])(#)([^\s#]{0,40})$/, /(?:^|[\s(])(:)([a-z0-9_+-]{1,32})$/i];

export const ALL_ROBOTS = { id: 0, handle: "robots", name: "All robots here", kind: "robot", role: "robot", icon: "robot" };
const CALLS = [
  { id: 0, handle: "here", name: "Everybody who is online", icon: "everyone" },
  { id: 0, handle: "everyone", name: "Everybody in this room", icon: "everyone" },
];

/** What the caret stands at the end of: `{sign, start, query}`, or null. */
export function wordAt(text, caret) {
  for (const unfinished of UNFINISHED) {
    const [, sign, query] = unfinished.exec(text.slice(0, caret)) ?? [];
    if (sign) return { sign, start: caret - query.length - 1, query: query.toLowerCase() };
  }
  return null;
}

export function suggest(people, query, most = 7) {
  const begins = (text) => text.toLowerCase().startsWith(query);
  const fits = (person) => begins(person.handle) || person.name.toLowerCase().split(/\s+/).some(begins);
  return people.filter(fits).slice(0, most);
}

/** Those whom one call reaches all, where there are several: customers and guests call nobody so. */
export function callsFor(people, me) {
  const may = people.get(me)?.kind === "person" && people.all.length > 2;
  return [...(people.robots.length ? [ALL_ROBOTS] : []), ...(may ? CALLS : [])];
}

/** The edit that puts `words` in the place of what was begun at `start`, and one space behind them. */
export function complete(text, caret, start, words) {
  const spaced = text[caret] === " ";
  const end = start + words.length + 1;
  return { from: start, to: caret, put: spaced ? words : `${words} `, start: end, end };
}

const FENCED = /^ {0,3}(`{3,}|~{3,})[^]*?(?:^ {0,3}\1|(?![^]))/gm;
const MENTION = /(?<![\w@/])@([a-z0-9._-]*[a-z0-9])/gi;

/** Those robots that a text names, outside of code and quotes; all of them by @robots. */
export function robotsNamed(text, robots) {
  const said = text.replace(FENCED, "").replace(/(`+)[^`]+\1/g, "").replace(/^ {0,3}>.*$/gm, "");
  const handles = new Set([...said.matchAll(MENTION)].map(([, handle]) => handle.toLowerCase()));
  return robots.filter(({ handle }) => handles.has(handle) || handles.has(ALL_ROBOTS.handle));
}
