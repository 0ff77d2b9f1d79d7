/** The mark of a room in the list in which something was begun and not sent, on this device. */
import { draftKey } from "chat/composer/draft";
import { me } from "chat/page";

customElements.define(
  "chat-draft",
  class extends HTMLElement {
    #gone = null;

    connectedCallback() {
      this.#gone = new AbortController();
      const heard = { signal: this.#gone.signal };
      addEventListener("storage", () => this.#show(), heard);
      addEventListener("draft", () => this.#show(), heard);
      this.#show();
    }

    disconnectedCallback() {
      this.#gone.abort();
    }

    /** In the room one is in it is seen anyway. */
    #show() {
      this.hidden = Boolean(this.closest("[aria-current]")) || localStorage.getItem(draftKey(me, this.dataset.room)) === null;
    }
  },
);
