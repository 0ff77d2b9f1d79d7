/** Files on their way to a message: sent at once, each with its progress, named by id in the post. */
import { upload } from "chat/api";
import { element, icon, iconButton } from "chat/dom";
import { flash } from "chat/elements/flash";
import { placeOf } from "chat/page";
import { fileSize } from "chat/words";

export class Uploads {
  #files = [];

  /** `limits`: `maxSize` in bytes, `maxFiles` of a message. */
  constructor(place, changed, limits) {
    Object.assign(this, { place, changed, limits });
  }

  get ids() {
    return this.#files.filter((file) => file.id).map((file) => file.id);
  }

  get any() {
    return this.#files.length > 0;
  }

  get busy() {
    return this.#files.some((file) => !file.id && !file.failed);
  }

  /** Why what is here cannot be sent yet. */
  get trouble() {
    if (this.#files.some((file) => file.failed)) return "Some files could not be sent. Take them away, or try again.";
    return this.#files.some((file) => !file.id) ? "The files are still on their way." : null;
  }

  add(files) {
    const free = Number(this.limits.maxFiles) - this.#files.length;
    if (files.length > free) flash(`At most ${this.limits.maxFiles} files go with a message.`, "error");
    const added = [...files].slice(0, Math.max(free, 0)).map((file) => this.#entry(file, file));
    this.#files.push(...added);
    this.#show();
    for (const entry of added) this.#start(entry);
  }

  /** Those that have arrived, as they may be kept: `{id, name, size, type, thumbnail, at}`. */
  get arrived() {
    return this.#files.filter(({ id }) => id).map(({ told }) => told);
  }

  /** Have those back that had arrived before. */
  restore(arrived) {
    this.#files = arrived.map((told) => this.#sent(this.#entry(told), told));
    this.#show();
  }

  clear() {
    this.#files = [];
    this.#show();
  }

  /** Nothing more is to come of those that are on their way. */
  cancel() {
    this.#files.forEach(({ sending }) => sending?.cancel());
  }

  /** `file` is what to send, where that has yet to be done. */
  #entry({ name, size }, file = null) {
    const face = element("span", { class: "upload-face" }, icon("file"));
    const bar = element("progress", { max: 1, value: 0, "aria-label": `Sending ${name}` });
    const says = element("span", { class: "upload-says quiet", role: "status" }, fileSize(size));
    const words = element("span", { class: "upload-words" }, element("bdi", { class: "truncate", title: name }, name), says);
    const again = small(`Try to send ${name} again`, "retry");
    const drop = small(`Take ${name} away`, "close");
    const entry = { file, face, bar, says, again, row: element("li", { class: "upload" }, face, words, bar, again, drop) };
    again.addEventListener("click", () => this.#start(entry));
    drop.addEventListener("click", () => this.#drop(entry));
    return entry;
  }

  async #start(entry) {
    const { file, bar, says, again } = entry;
    again.hidden = true;
    const refused = refusal(file, this.limits);
    if (refused) return this.#fail(entry, refused);
    entry.failed = false;
    delete entry.row.dataset.failed;
    bar.value = 0;
    bar.hidden = false;
    says.textContent = fileSize(file.size);
    const room = placeOf(this.place).room;
    entry.sending = upload(`rooms/${room}/attachments/`, file, (part) => (bar.value = part));
    try {
      this.#sent(entry, { ...(await entry.sending.done), at: Date.now() });
    } catch (error) {
      this.#fail(entry, error.message, error.retryable);
    }
    this.changed();
  }

  /** What was sent is shown as its readers will see it. */
  #sent(entry, { id, name, size, type, thumbnail, at }) {
    entry.id = id;
    entry.told = { id, name, size, type, thumbnail, at };
    entry.bar.hidden = true;
    entry.again.hidden = true;
    if (thumbnail) entry.face.replaceChildren(element("img", { src: thumbnail, alt: "" }));
    else if (type.startsWith("image/")) entry.says.textContent += ", no preview";
    return entry;
  }

  #fail(entry, reason, retryable = false) {
    entry.failed = true;
    entry.row.dataset.failed = "";
    entry.bar.hidden = true;
    entry.says.textContent = reason;
    entry.again.hidden = !retryable;
  }

  #drop(entry) {
    entry.sending?.cancel();
    this.#files = this.#files.filter((other) => other !== entry);
    this.#show();
  }

  #show() {
    this.place.replaceChildren(...this.#files.map(({ row }) => row));
    this.place.hidden = !this.#files.length;
    this.changed();
  }
}

/** Why the server would not take this file, known without asking it; null where it may. */
export function refusal({ size }, { maxSize }) {
  if (!size) return "The file is empty, or a folder.";
  return size > Number(maxSize) ? `The file is larger than ${fileSize(Number(maxSize))}.` : null;
}

function small(title, sign) {
  return iconButton(title, icon(sign), { class: "icon-button-small" });
}
