/** Files on their way to a message: sent at once, each with its progress, named by id in the post. */
import { upload } from "chat/api";
import { element, icon } from "chat/dom";
import { room } from "chat/page";
import { fileSize } from "chat/words";

export class Uploads {
  #files = [];

  constructor(place, changed) {
    Object.assign(this, { place, changed });
  }

  get ids() {
    return this.#files.filter((file) => file.id).map((file) => file.id);
  }

  get busy() {
    return this.#files.some((file) => !file.id && !file.failed);
  }

  add(files) {
    for (const file of files) this.#start(file);
    this.#show();
  }

  clear() {
    this.#files = [];
    this.#show();
  }

  async #start(file) {
    const bar = element("progress", { max: 1, value: 0, "aria-label": `Sending ${file.name}` });
    const says = element("span", { class: "quiet" }, fileSize(file.size));
    const drop = element("button", { type: "button", class: "icon-button icon-button-small", title: `Take ${file.name} away` }, icon("close"));
    const row = element("li", { class: "upload" }, icon("file"), element("span", { class: "truncate" }, file.name), says, bar, drop);
    const sending = upload(`rooms/${room}/attachments/`, file, (part) => (bar.value = part));
    const entry = { row };
    this.#files.push(entry);
    drop.addEventListener("click", () => {
      sending.cancel();
      this.#files = this.#files.filter((other) => other !== entry);
      this.#show();
    });
    try {
      entry.id = (await sending.done).id;
    } catch (error) {
      entry.failed = true;
      row.dataset.failed = "";
      says.textContent = error.message;
    }
    bar.remove();
    this.changed();
  }

  #show() {
    this.place.replaceChildren(...this.#files.map(({ row }) => row));
    this.place.hidden = !this.#files.length;
    this.changed();
  }
}
