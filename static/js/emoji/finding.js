/** Emoji by what they are called. `groups` are as bin/emoji writes them. */

export class EmojiNames {
  constructor(groups) {
    this.all = groups.flatMap(([, rows]) => rows.map(([emoji, name, words]) => ({ emoji, name, heard: `${name.replaceAll("_", " ")} ${words}`.trim() })));
    this.byName = new Map(this.all.map((one) => [one.name, one]));
    this.byEmoji = new Map(this.all.map((one) => [one.emoji, one]));
  }

  /** Best first: called so, beginning so, a word of it beginning so, somewhere in it; all words of `query` must fit. */
  find(query, most = 48) {
    const words = query.toLowerCase().split(/[\s_]+/).filter(Boolean);
    if (!words.length) return [];
    const ranked = this.all.map((one) => ({ one, rank: rank(one, words) })).filter((each) => each.rank < Infinity);
    return ranked.sort((a, b) => a.rank - b.rank).slice(0, most).map(({ one }) => one);
  }

  /** The text with a finished `:name:` before the caret made into its emoji: `{from, to, put, start, end}`, or null. */
  finished(text, caret) {
    const [, name] = /(?:^|[\s(])(:[a-z0-9_+-]+:)$/i.exec(text.slice(0, caret)) ?? [];
    const one = name && this.byName.get(name.slice(1, -1).toLowerCase());
    if (!one) return null;
    const from = caret - name.length;
    return { from, to: caret, put: one.emoji, start: from + one.emoji.length, end: from + one.emoji.length };
  }
}

function rank({ name, heard }, words) {
  const joined = words.join("_");
  if (name === joined) return 0;
  if (name.startsWith(joined)) return 1;
  const parts = heard.split(" ");
  if (words.every((word) => parts.includes(word))) return 2;
  if (words.every((word) => parts.some((part) => part.startsWith(word)))) return 3;
  // “thumbs up” is called thumbsup, and the other way round.
  return parts.join("").includes(words.join("")) ? 4 : Infinity;
}
