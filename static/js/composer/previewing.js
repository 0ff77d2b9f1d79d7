/** How what is being written will look, as the server would show it. */
import { api } from "chat/api";
import { element, reachable } from "chat/dom";
import { nameRooms } from "chat/rooms";

const UNREACHED = "Nobody here is called that";

export class Previewing {
  /** `room` it would be said in; `write()` gives what would be posted. */
  constructor(form, room, write) {
    Object.assign(this, { form, room, write });
    this.textarea = form.elements.body;
    this.place = form.querySelector("[data-preview]");
    this.button = form.querySelector("[data-show-preview]");
    this.button.addEventListener("click", () => this.show(!this.isShown));
    this.place.addEventListener("keydown", ({ key }) => key === "Escape" && this.show(false));
  }

  get isShown() {
    return !this.place.hidden;
  }

  /** Show it in the place of the text, or the text again. */
  async show(shown) {
    if (shown === this.isShown) return;
    const height = this.textarea.offsetHeight;
    this.button.setAttribute("aria-pressed", String(shown));
    this.place.hidden = !shown;
    this.textarea.hidden = shown;
    if (!shown) return this.textarea.focus();
    this.place.style.minBlockSize = `${height}px`;
    this.place.setAttribute("aria-busy", "true");
    this.place.replaceChildren(...(await this.#look()));
    this.place.removeAttribute("aria-busy");
    this.place.focus();
  }

  async #look() {
    const body = this.write();
    if (!body.trim()) return [element("p", { class: "quiet" }, "Nothing is written yet.")];
    try {
      return render(await api(`rooms/${this.room}/preview/`, { method: "POST", body: { body } }));
    } catch (error) {
      return [element("p", { class: "error" }, error.message)];
    }
  }
}

/** As the server rendered and cleaned it; handles that are nobody's are told apart. */
function render({ html, mentions }) {
  const shown = element("template");
  shown.innerHTML = html;
  for (const mention of shown.content.querySelectorAll(".mention")) {
    if (!mentions.includes(mention.dataset.handle)) Object.assign(mention, { className: "mention-unreached", title: UNREACHED });
  }
  reachable(shown.content);
  nameRooms(shown.content);
  return shown.content.childNodes;
}
