/** Says calmly that this page is of an earlier release than the server, once it could know. */
import { connection } from "chat/page";

const LOOK_EVERY = 60 * 60_000;

customElements.define(
  "chat-release",
  class extends HTMLElement {
    #looked = Date.now();
    #met = false;

    connectedCallback() {
      this.querySelector("button").addEventListener("click", () => this.remove());
      // A line that was lost may have been lost to a restart.
      connection?.addEventListener("state", ({ detail }) => detail === "live" && this.#back());
      document.addEventListener("visibilitychange", () => document.hidden || this.#due());
    }

    #back() {
      if (this.#met) this.#look();
      this.#met = true;
    }

    #due() {
      if (Date.now() - this.#looked > LOOK_EVERY) this.#look();
    }

    async #look() {
      this.#looked = Date.now();
      const answer = await fetch("/release").catch(() => null);
      const newest = answer?.ok ? (await answer.json()).release : this.dataset.release;
      this.hidden = newest === this.dataset.release;
    }
  },
);
