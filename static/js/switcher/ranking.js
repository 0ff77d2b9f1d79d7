/** What fits what was typed, the best first. */

const MOST = 14;
const UNREAD_FIRST = 6;
const RECENT = 6;
/** Other words for a thing are no name: they count where one of them begins so. */
const FOUND_BY = 70;
const BONUS = { room: 4, person: 2, command: 0 };

/**
 * How well a name fits a query, or null: `{score, marks}`, where `marks` are the `[from, to]` that were meant.
 * Each word of the query is the beginning of a word, a part of one, or letters in their order. Case and
 * accents count nothing.
 */
export function fit(name, query) {
  const text = folded(name);
  const wanted = folded(query).plain.split(/\s+/).filter(Boolean);
  const found = wanted.map((word) => fitWord(text, word));
  if (!wanted.length || found.includes(null)) return null;
  const score = found.reduce((sum, { score }) => sum + score, 0) / found.length - name.length / 50;
  const marks = found.flatMap(({ at, length, places }) => places?.map((place) => [place, place + 1]) ?? [[at, at + length]]);
  return { score, marks: joined(marks.map(([from, to]) => [text.origin[from], text.origin[to] ?? name.length])) };
}

/** Lower-case and without accents, with where each letter was. */
function folded(text) {
  let plain = "";
  const origin = [];
  let at = 0;
  for (const letter of text) {
    const bare = letter.normalize("NFD").replace(/\p{M}+/gu, "").toLowerCase();
    for (let each = 0; each < bare.length; each += 1) origin.push(at);
    plain += bare;
    at += letter.length;
  }
  return { plain, origin };
}

function fitWord({ plain }, word) {
  const { length } = word;
  if (plain.startsWith(word)) return { score: 100, at: 0, length };
  const begins = beginning(plain, word);
  if (begins > 0) return { score: 80, at: begins, length };
  const within = plain.indexOf(word);
  if (within >= 0) return { score: 60, at: within, length };
  const places = length > 1 ? inOrder(plain, word) : null;
  return places && { score: 40 - (places.at(-1) - places[0] - length) * 2, places };
}

/** Where a word of `plain` begins with `word`, or -1. */
function beginning(plain, word) {
  for (let at = plain.indexOf(word); at >= 0; at = plain.indexOf(word, at + 1)) if (at === 0 || !/[\p{L}\p{N}]/u.test(plain[at - 1])) return at;
  return -1;
}

/** Its letters one after the other, from where a word begins and never far apart; or null. */
function inOrder(plain, word) {
  for (let start = beginning(plain, word[0]); start >= 0 && start < plain.length; start += 1) {
    if (plain[start] !== word[0] || (start && /[\p{L}\p{N}]/u.test(plain[start - 1]))) continue;
    const places = [start];
    for (const letter of [...word].slice(1)) places.push(plain.indexOf(letter, places.at(-1) + 1));
    if (!places.includes(-1) && places.at(-1) - start < word.length * 5) return places;
  }
  return null;
}

/** Marks in order, none within another. */
function joined(marks) {
  const made = [];
  for (const [from, to] of marks.toSorted(([a], [b]) => a - b)) {
    if (made.length && from <= made.at(-1)[1]) made.at(-1)[1] = Math.max(made.at(-1)[1], to);
    else made.push([from, to]);
  }
  return made;
}

/**
 * What is offered, in sections `{title, choices}`. A choice has a `kind` (room, person, command), `key`, `name`,
 * and as it may be `also` (other words it is found by), `unread`, `mentions`, `muted`, `here` (one is there).
 * `recent` are keys of rooms, the latest first.
 */
export function offer(choices, query, recent = []) {
  return query.trim() ? fitting(choices, query.trim()) : waiting(choices, recent);
}

function fitting(choices, query) {
  const found = choices.flatMap((choice) => {
    const named = fit(choice.name, query);
    const also = named ? null : fit(choice.also ?? "", query);
    const best = named ?? (also?.score > FOUND_BY ? also : null);
    if (!best) return [];
    const score = best.score + BONUS[choice.kind] + (choice.unread && !choice.muted ? 8 : 0) - (named ? 0 : 15);
    return [{ ...choice, score, marks: named?.marks ?? [] }];
  });
  const best = found.toSorted((a, b) => b.score - a.score || a.name.localeCompare(b.name)).slice(0, MOST);
  return best.length ? [{ title: null, choices: best }] : [];
}

/** Nothing was typed: what waits, where one was last, and what one can do. */
function waiting(choices, recent) {
  const rooms = choices.filter(({ kind, here }) => kind === "room" && !here);
  const place = ({ key }) => (recent.includes(key) ? recent.indexOf(key) : recent.length);
  const unread = rooms
    .filter((room) => room.unread && !room.muted)
    .toSorted((a, b) => Number(b.mentions > 0) - Number(a.mentions > 0) || place(a) - place(b))
    .slice(0, UNREAD_FIRST);
  const others = rooms.filter((room) => !unread.includes(room)).toSorted((a, b) => place(a) - place(b));
  return [
    { title: "Unread", choices: unread },
    { title: "Rooms", choices: others.slice(0, RECENT) },
    { title: "Do", choices: choices.filter(({ kind }) => kind === "command") },
  ].filter(({ choices: some }) => some.length);
}
