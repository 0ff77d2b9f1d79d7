/** Says that this page stands in for another, which could not be had, and looks for that again. */
const LOOK_EVERY = 10_000;

customElements.define(
  "chat-offline",
  class extends HTMLElement {
    #timer = null;

    connectedCallback() {
      if (location.pathname === this.dataset.own) return;
      document.title = "You are offline · Chat Manager";
      this.hidden = false;
      this.querySelector("[data-again]").addEventListener("click", () => location.reload());
      addEventListener("online", () => this.#look());
      document.addEventListener("visibilitychange", () => document.hidden || this.#look());
      this.#wait();
    }

    #wait() {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#look(), LOOK_EVERY);
    }

    async #look() {
      const answer = document.hidden ? null : await fetch("/healthz", { cache: "no-store" }).catch(() => null);
      if (answer?.ok) location.reload();
      else this.#wait();
    }
  },
);
