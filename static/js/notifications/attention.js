/**
 * Whether anybody looks at one of this browser's tabs: they ask each other. `channel` is a
 * BroadcastChannel, which does not hear itself; `looking()` tells of this tab.
 */
const PATIENCE = 200;

export class Attention {
  #answered = null;
  #asking = null;

  constructor({ channel, looking, patience = PATIENCE }) {
    Object.assign(this, { channel, looking, patience });
    channel.addEventListener("message", ({ data }) => this.#hear(data));
  }

  async anybodyLooks() {
    if (this.looking()) return true;
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  #ask() {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), this.patience);
      this.#answered = () => (clearTimeout(timer), resolve(true));
      this.channel.postMessage("who looks?");
    });
  }

  #hear(words) {
    if (words === "who looks?" && this.looking()) this.channel.postMessage("I do");
    if (words === "I do") this.#answered?.();
  }
}
