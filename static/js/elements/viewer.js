/** A picture of a message, large and over the page; arrow keys, buttons or a swipe go to the next. */
import { element, icon, iconButton } from "chat/dom";
import { fileSize } from "chat/words";

const SWIPE = 48;
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

class Viewer {
  #links = [];
  #at = 0;
  #touched = null;

  constructor() {
    this.name = element("h2", { id: "viewer-name", class: "truncate", dir: "auto" });
    this.says = element("p", {});
    this.load = element("a", { class: "icon-button", title: "Download" }, icon("download", false), element("span", { class: "only-read-aloud" }, "Download"));
    const close = iconButton("Close", icon("close", false), { autofocus: true });
    const words = element("div", { class: "viewer-words", "aria-live": "polite" }, this.name, this.says);
    this.picture = element("img", { alt: "" });
    this.steps = [iconButton("The one before", icon("down", false), { class: "viewer-step", "data-step": -1 }), iconButton("The next", icon("down", false), { class: "viewer-step", "data-step": 1 })];
    this.stage = element("div", { class: "viewer-stage" }, this.picture, ...this.steps);
    this.dialog = element("dialog", { class: "viewer", "aria-labelledby": "viewer-name" }, element("div", { class: "viewer-bar" }, words, this.load, close), this.stage);
    document.body.append(this.dialog);
    close.addEventListener("click", () => this.dialog.close());
    this.#listen();
  }

  /** Begin with this one among all that are on its timeline. */
  open(link) {
    const around = link.closest("chat-timeline") ?? link.closest(".message");
    this.#links = [...around.querySelectorAll("a[data-picture]")];
    this.#show(this.#links.indexOf(link));
    this.dialog.showModal();
  }

  #listen() {
    const { dialog, stage } = this;
    dialog.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key in STEPS) (event.preventDefault(), this.#step(STEPS[event.key]));
    });
    this.steps.forEach((each) => each.addEventListener("click", () => this.#step(Number(each.dataset.step))));
    stage.addEventListener("click", ({ target }) => target === stage && dialog.close());
    stage.addEventListener("touchstart", ({ touches }) => (this.#touched = touches.length === 1 ? touches[0].clientX : null), { passive: true });
    stage.addEventListener("touchend", ({ changedTouches }) => this.#swiped(changedTouches[0].clientX));
    dialog.addEventListener("close", () => this.picture.removeAttribute("src"));
  }

  #swiped(to) {
    const moved = this.#touched === null || visualViewport.scale > 1 ? 0 : to - this.#touched;
    if (Math.abs(moved) > SWIPE) this.#step(moved > 0 ? -1 : 1);
  }

  #step(by) {
    if (this.#links[this.#at + by]) this.#show(this.#at + by);
  }

  #show(at) {
    this.#at = at;
    const { href, dataset } = this.#links[at];
    const { name, size, width, height } = dataset;
    this.name.textContent = name;
    this.#say(size);
    Object.assign(this.load, { href, download: name });
    this.picture.alt = name;
    this.picture.style.setProperty("--width", width);
    this.picture.style.setProperty("--height", height);
    this.#fetch(href, this.#links[at].querySelector("img").src, size);
    this.steps.forEach((each) => (each.hidden = !this.#links[at + Number(each.dataset.step)]));
    if (!this.dialog.contains(document.activeElement)) this.load.focus();
  }

  #say(size, trouble = "") {
    const place = this.#links.length > 1 ? `${this.#at + 1} of ${this.#links.length} · ` : "";
    this.says.textContent = `${place}${fileSize(Number(size))}${trouble}`;
  }

  /** The thumbnail stands in its place until the whole picture is there. */
  async #fetch(href, thumbnail, size) {
    this.picture.src = thumbnail;
    const whole = element("img", { src: href });
    const current = () => this.dialog.open && this.#links[this.#at].href === href;
    try {
      await whole.decode();
      if (current()) this.picture.src = href;
    } catch {
      if (current()) this.#say(size, " · only the preview could be loaded");
    }
  }
}

let viewer = null;

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-picture]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  viewer ??= new Viewer();
  viewer.open(link);
});
