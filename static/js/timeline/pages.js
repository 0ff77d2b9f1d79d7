/**
 * Fetching history, one page at a time. What is heard while a page is under way may be newer than
 * what is on it, and is handed over with it, to be placed after it.
 */

const PAUSE = 2_000;

export class Pages {
  #current = null;
  #meanwhile = [];

  /** `load(query)` promises a page; `later(ms)` promises that time has passed. */
  constructor(load, later = (ms) => new Promise((resolve) => setTimeout(resolve, ms))) {
    Object.assign(this, { load, later });
  }

  get busy() {
    return this.#current !== null;
  }

  /** When nothing is under way any more. */
  get idle() {
    return Promise.resolve(this.#current);
  }

  heard(messages) {
    if (this.busy) this.#meanwhile.push(...messages);
  }

  /** What is under way is no longer wanted. */
  drop() {
    this.#current = null;
  }

  /**
   * Calls `apply(page, meanwhile, wanted)`, unless it was dropped, and waits for that; `wanted()` says
   * whether it still is. A page that fails is waited for. Promises whether it could be fetched, or
   * null where it was dropped.
   */
  fetch(query, apply) {
    this.#meanwhile = [];
    const ours = this.#get(query, apply, () => this.#current === ours).finally(() => {
      if (this.#current === ours) this.#current = null;
    });
    this.#current = ours;
    return ours;
  }

  async #get(query, apply, wanted) {
    try {
      const page = await this.load(query);
      if (wanted()) await apply(page, this.#meanwhile, wanted);
      return wanted() || null;
    } catch {
      await this.later(PAUSE);
      return wanted() ? false : null;
    }
  }
}
