/** The one tab of this browser that tells: whichever holds the lock. `locks` is navigator.locks. */
export class Leader {
  #release = null;
  leads = false;

  constructor(name, locks) {
    Object.assign(this, { name, locks });
  }

  /** Be the one, or wait in line for it. Without locks every tab is. */
  stand() {
    if (this.#release) return;
    const held = new Promise((resolve) => (this.#release = resolve));
    if (!this.locks) {
      this.leads = true;
      return;
    }
    const release = this.#release;
    this.locks.request(this.name, async () => {
      this.leads = release === this.#release;
      if (this.leads) await held;
    });
  }

  /** Leave it to another: this tab hears nothing any more. */
  resign() {
    this.leads = false;
    this.#release?.();
    this.#release = null;
  }
}
