/** Notes that go by themselves, but not while they are pointed at; trouble stays longer, and can be taken away. */
import { element, icon, iconButton } from "chat/dom";

const SHOWN = 6_000;
const TROUBLE_SHOWN = 20_000;
const TROUBLE = ["error", "warning"];

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
      [...this.children].filter((note) => note.textContent.startsWith(words)).forEach((note) => note.remove());
      this.append(element("p", { class: "flash", "data-level": level }, icon(level === "error" ? "warning" : "check"), words));
    }

    /** A note comes above whatever is open now. */
    #expire(note) {
      this.hidePopover();
      this.showPopover();
      const isTrouble = TROUBLE.includes(note.dataset.level);
      if (isTrouble) note.append(dismissal(note));
      setTimeout(() => this.#leave(note), isTrouble ? TROUBLE_SHOWN : SHOWN);
    }

    #leave(note) {
      if (note.matches(":hover")) note.addEventListener("pointerleave", () => note.remove(), { once: true });
      else note.remove();
    }
  },
);

function dismissal(note) {
  const button = iconButton("Dismiss", icon("close"), { class: "icon-button-small" });
  button.addEventListener("click", () => note.remove());
  return button;
}

export function flash(words, level) {
  document.querySelector("chat-flash").say(words, level);
}
