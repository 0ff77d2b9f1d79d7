/** The emoji somebody uses, on this device: those used last, then the few that say most of what is said. */

const USUAL = ["👍", "❤️", "😂", "🎉", "🙏", "👀", "✅", "🔥", "😄", "🤔", "👏", "🙌", "🚀", "💯", "😢", "👎"];
const KEEP = 16;

export class RecentEmoji {
  /** `key` of `store` (as localStorage is) holds them. */
  constructor(store, key) {
    Object.assign(this, { store, key });
  }

  get all() {
    return [...new Set([...this.#kept(), ...USUAL])].slice(0, KEEP);
  }

  use(emoji) {
    const now = [...new Set([emoji, ...this.#kept()])].slice(0, KEEP);
    try {
      this.store.setItem(this.key, JSON.stringify(now));
    } catch {
      // Full or forbidden: the usual ones are offered then.
    }
  }

  #kept() {
    try {
      const kept = JSON.parse(this.store.getItem(this.key) ?? "[]");
      return Array.isArray(kept) ? kept.filter((each) => typeof each === "string") : [];
    } catch {
      return [];
    }
  }
}
