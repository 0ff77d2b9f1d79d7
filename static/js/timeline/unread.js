/** What is new to the reader: how much of it, since when, and how much is still to be seen. */

/** The server counts no further. */
const MOST = 100;

export class Unread {
  /** Of what is to be read, as far as the page holds it; ascending. */
  #ids = [];
  #times = new Map();
  #told = 0;
  #from = 0;
  #seen = 0;

  /** Begin anew: `told` are after `lastRead`, as the server has counted. */
  start(told, lastRead) {
    this.clear();
    [this.#told, this.#from, this.#seen] = [told, lastRead, lastRead];
  }

  /** A message the page holds, `{id, created}`: whether it is for who is here to read. */
  hold({ id, created }, isToRead) {
    const isHeld = this.#times.has(id);
    if (id <= this.#from || isHeld === isToRead) return;
    if (isToRead) this.#ids.splice(this.#upTo(id), 0, id), this.#times.set(id, created);
    else this.forget([id]);
  }

  forget(ids) {
    for (const id of ids) if (this.#times.delete(id)) this.#ids.splice(this.#upTo(id - 1), 1);
  }

  clear() {
    this.#ids = [];
    this.#times.clear();
  }

  /** It has come, but lies beyond what the page holds. */
  cameBeyond() {
    this.#told += 1;
  }

  /** One has come as far as this message. */
  see(id) {
    this.#seen = Math.max(this.#seen, id);
  }

  /** The first of them after `lastRead`, above which the line belongs. */
  first(lastRead) {
    return this.#ids[this.#upTo(lastRead)] ?? null;
  }

  /** How many are below what one has seen, at most 100, which may be more. `hasNewer`: the page does not hold all there is. */
  left(hasNewer) {
    return this.#count(this.#seen, hasNewer);
  }

  /** How many there are from this one on, as `left` counts. */
  countFrom(id, hasNewer) {
    return this.#count(id - 1, hasNewer);
  }

  /** When it was said. */
  timeOf(id) {
    return this.#times.get(id) ?? null;
  }

  #count(after, hasNewer) {
    const held = this.#ids.length - this.#upTo(after);
    if (!hasNewer) return Math.min(MOST, held);
    const passed = this.#told >= MOST ? 0 : this.#upTo(after);
    return Math.min(MOST, Math.max(held, this.#told - passed));
  }

  /** How many of the ids are not after this one. */
  #upTo(id) {
    let [low, high] = [0, this.#ids.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ids[middle] > id) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
