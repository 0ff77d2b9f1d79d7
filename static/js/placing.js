/**
 * Which messages the page holds: one unbroken stretch of the room, in the order of ids. Of two
 * copies of a message the one with the higher version is true, and the later one while it is written. What lies beyond an end with more
 * behind it is passed over: it comes with its page.
 */
export class Stretch {
  ids = [];
  #versions = new Map();

  constructor({ hasOlder = false, hasNewer = false } = {}) {
    Object.assign(this, { hasOlder, hasNewer });
  }

  get first() {
    return this.ids[0];
  }

  get last() {
    return this.ids.at(-1);
  }

  has(id) {
    return this.#versions.has(id);
  }

  /** What is to be done with a message: `{step}` is "insert" (with the id it goes `before`, or null), "replace" or "pass". */
  place({ id, version, status }) {
    const known = this.#versions.get(id);
    if (known !== undefined) {
      if (version < known || (version === known && status !== "streaming")) return { step: "pass" };
      this.#versions.set(id, version);
      return { step: "replace" };
    }
    if (this.hasNewer && id > (this.last ?? 0)) return { step: "pass" };
    if (this.hasOlder && id < (this.first ?? 0)) return { step: "pass" };
    return { step: "insert", before: this.#insert(id, version) };
  }

  /** A page from the "older" or "newer" end, and whether there is more beyond it. Calls `put(message)` for each. */
  extend(side, messages, more, put) {
    const end = side === "older" ? "hasOlder" : "hasNewer";
    this[end] = false;
    messages.forEach(put);
    this[end] = more;
  }

  /** Forget what is far from where one reads. Returns the ids that go. */
  trim(side, keep) {
    const extra = Math.max(0, this.ids.length - keep);
    if (!extra) return [];
    const gone = side === "older" ? this.ids.splice(0, extra) : this.ids.splice(-extra);
    gone.forEach((id) => this.#versions.delete(id));
    this[side === "older" ? "hasOlder" : "hasNewer"] = true;
    return gone;
  }

  clear() {
    this.ids = [];
    this.#versions.clear();
    Object.assign(this, { hasOlder: false, hasNewer: false });
  }

  #insert(id, version) {
    let at = this.ids.length;
    while (at > 0 && this.ids[at - 1] > id) at -= 1;
    this.ids.splice(at, 0, id);
    this.#versions.set(id, version);
    return this.ids[at + 1] ?? null;
  }
}
