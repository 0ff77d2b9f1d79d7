/** Whether this browser shows notifications. It is asked only when somebody presses the offer. */
import { keepSubscribed } from "chat/notifications/push";
import { me } from "chat/page";

const WORDS = {
  default: "This browser does not show notifications of Chat Manager yet.",
  granted: "This browser shows them.",
  denied: "This browser was told not to show notifications of this site. Its settings of the site can allow it again.",
};

customElements.define(
  "chat-permission",
  class extends HTMLElement {
    connectedCallback() {
      if (!globalThis.Notification) return;
      this.button = this.querySelector("button");
      this.button.addEventListener("click", () => this.#ask());
      this.#show();
    }

    async #ask() {
      if ((await Notification.requestPermission()) === "granted") keepSubscribed(me);
      this.#show();
    }

    #show() {
      const state = Notification.permission;
      this.querySelector("[data-says]").textContent = WORDS[state];
      this.button.hidden = state !== "default";
      this.hidden = "offer" in this.dataset && state !== "default";
    }
  },
);
