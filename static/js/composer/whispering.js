/** Whom a whisper is for: the people of the form, found by name where there are many. */
import { api } from "chat/api";
import { avatar, element } from "chat/dom";
import { me, placeOf } from "chat/page";

/** Of more people than this one looks for those one means. */
const FEW = 8;
const SETTLED = 150;

export class Whispering {
  /** Those who were asked for. */
  #found = [];
  #timer = null;

  /** `done()` when whoever chose by keys has chosen. */
  constructor(chooser, done) {
    Object.assign(this, { chooser, done });
    this.place = placeOf(chooser);
    this.people = chooser.querySelector(".whisper-people");
    this.finder = chooser.querySelector("[data-finder]");
    this.input = this.finder.querySelector("input");
    this.input.addEventListener("input", () => (this.#sift(), this.#ask()));
    // What is looked for is no choice.
    this.input.addEventListener("change", (event) => event.stopPropagation());
    chooser.addEventListener("keydown", (event) => this.#pressed(event));
    this.#sift();
  }

  get to() {
    return this.#chosen.map(({ value }) => Number(value));
  }

  set to(ids) {
    for (const box of this.#boxes) box.checked = ids.includes(Number(box.value));
    this.#sift();
  }

  get names() {
    return this.#chosen.map(({ dataset }) => dataset.name);
  }

  focus() {
    (this.finder.hidden ? this.#boxes[0] : this.input)?.focus();
  }

  /** Newcomers can be whispered to; who left cannot. */
  renew() {
    const { to } = this;
    const others = this.place.people.all.filter(({ id }) => id !== me);
    const known = new Set(others.map(({ id }) => id));
    const found = this.#found.filter(({ id }) => to.includes(id) && !known.has(id));
    this.people.replaceChildren(...[...others, ...found].map((person) => chip(person, to.includes(person.id))));
    this.#sift();
  }

  get #boxes() {
    return [...this.people.querySelectorAll("[name=to]")];
  }

  get #chosen() {
    return this.#boxes.filter(({ checked }) => checked);
  }

  /** Enter takes the first that is found; where nothing is looked for, it has chosen, as Escape has. */
  #pressed(event) {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const sought = event.key === "Enter" && event.target === this.input && this.input.value.trim();
    const first = this.#boxes.find((box) => !box.checked && !box.closest("label").hidden);
    this.input.value = "";
    if (sought && first) first.click();
    this.#sift();
    if (!sought) this.done();
  }

  /** Those who are chosen are always seen. */
  #sift() {
    const sought = this.input.value.trim().toLowerCase();
    for (const box of this.#boxes) box.closest("label").hidden = !box.checked && !box.dataset.name.toLowerCase().includes(sought);
    this.finder.hidden = this.#boxes.length <= FEW;
  }

  /** For those whom the page was not told of. */
  #ask() {
    clearTimeout(this.#timer);
    const sought = this.input.value.trim();
    if (!sought || this.place.people.isWhole) return;
    this.#timer = setTimeout(async () => {
      const { results } = await api(`rooms/${this.place.room}/participants/?limit=20&q=${encodeURIComponent(sought)}`).catch(() => ({ results: [] }));
      const known = new Set([me, ...this.#boxes.map(({ value }) => Number(value))]);
      const others = results.filter(({ id }) => !known.has(id));
      this.#found.push(...others);
      this.people.append(...others.map((person) => chip(person, false)));
      this.#sift();
    }, SETTLED);
  }
}

function chip(person, checked) {
  const box = element("input", { type: "checkbox", name: "to", value: person.id, "data-name": person.name, checked });
  return element("label", { class: "person-chip" }, box, avatar(person), element("span", {}, person.name));
}
