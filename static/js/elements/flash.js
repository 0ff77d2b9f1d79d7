/** Notes that go by themselves, but not while somebody is at them; trouble stays longer, and can be taken away. */
import { element, icon, iconButton } from "chat/dom";

const SHOWN = 6_000;
const TROUBLE_SHOWN = 20_000;
const LOOK_AGAIN = 1_000;
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
      if (isTrouble && !note.querySelector("button")) note.append(dismissal(note));
      setTimeout(() => leave(note), isTrouble ? TROUBLE_SHOWN : SHOWN);
    }
  },
);

function leave(note) {
  if (note.matches(":hover, :focus-within")) setTimeout(() => leave(note), LOOK_AGAIN);
  else note.remove();
}

function dismissal(note) {
  const button = iconButton("Dismiss", icon("close"), { class: "icon-button-small" });
  button.addEventListener("click", () => note.remove());
  return button;
}

/** Where notes are heard and can be taken away: whatever is outside of a modal dialog is inert while it is open. */
export function notes() {
  const dialog = [...document.querySelectorAll("dialog:modal")].at(-1);
  if (!dialog) return document.querySelector("body > chat-flash");
  return dialog.querySelector("chat-flash") ?? within(dialog);
}

/** What is still there when the dialog closes goes on being shown. */
function within(dialog) {
  const host = element("chat-flash", { class: "flashes", role: "alert" });
  const outlast = () => {
    if (host.isConnected) notes().append(...host.children);
    host.remove();
  };
  dialog.append(host);
  dialog.addEventListener("close", outlast, { once: true });
  return host;
}

export function flash(words, level) {
  notes().say(words, level);
}
