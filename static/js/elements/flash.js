/** Notes that go by themselves; trouble stays a little longer. */
import { element, icon } from "chat/dom";

const SHOWN = 4_500;

customElements.define(
  "chat-flash",
  class extends HTMLElement {
    connectedCallback() {
      this.popover = "manual";
      [...this.children].forEach((note) => this.#expire(note));
      new MutationObserver((changes) => {
        for (const { addedNodes } of changes) addedNodes.forEach((note) => note.dataset && this.#expire(note));
      }).observe(this, { childList: true });
    }

    say(words, level = "success") {
      this.append(element("p", { class: "flash", "data-level": level }, icon(level === "error" ? "warning" : "check"), words));
    }

    /** A note comes above whatever is open now. */
    #expire(note) {
      this.hidePopover();
      this.showPopover();
      setTimeout(() => note.remove(), SHOWN * (note.dataset.level === "error" ? 2 : 1));
    }
  },
);

export function flash(words, level) {
  document.querySelector("chat-flash").say(words, level);
}
