/**
 * Whether anybody looks at one of this browser's tabs: each that is looked at holds a lock, and all
 * can see who does. `locks` is navigator.locks; without them a tab knows of itself alone.
 */
export class Attention {
  #letGo = null;

  constructor(name, locks) {
    Object.assign(this, { name, locks });
  }

  /** Whether this tab is looked at, from now on. */
  note(looks) {
    if (looks === Boolean(this.#letGo)) return;
    if (!looks) {
      this.#letGo();
      this.#letGo = null;
      return;
    }
    const held = new Promise((resolve) => (this.#letGo = resolve));
    this.locks?.request(this.name, { mode: "shared" }, () => held);
  }

  async anybodyLooks() {
    if (this.#letGo) return true;
    const { held = [] } = (await this.locks?.query()) ?? {};
    return held.some(({ name }) => name === this.name);
  }
}
