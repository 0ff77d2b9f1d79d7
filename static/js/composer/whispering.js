/** Whom a whisper is for: the people of the form, found by name where there are many. */
import { api } from "chat/api";
import { avatar, element } from "chat/dom";
import { morph, morphList } from "chat/morph";
import { me, placeOf } from "chat/page";

/** Of more people than this one looks for those one means. */
const FEW = 8;
const SETTLED = 150;

export class Whispering {
  #timer = null;

  /** `done()` when whoever chose by keys has chosen; `met()` when it is known what one is called, or that they are gone. */
  constructor(chooser, { done, met }) {
    Object.assign(this, { chooser, done, met });
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
    return this.#chosen.map(idOf);
  }

  /** Also those whom the page was not told of. */
  set to(ids) {
    const shown = new Set(this.#boxes.map(idOf));
    ids.filter((id) => !shown.has(id) && this.place.people.mayBeHere(id)).forEach((id) => this.#meet(id));
    this.#check(ids);
  }

  get names() {
    return this.#chosen.map(({ dataset }) => dataset.name);
  }

  focus() {
    (this.finder.hidden ? this.#boxes[0] : this.input)?.focus();
  }

  /** Newcomers can be whispered to; who left cannot. */
  renew() {
    const { to, place: { people } } = this;
    const others = people.all.filter(({ id }) => id !== me);
    const told = new Set(others.map(({ id }) => id));
    const beyond = this.#chosen.filter((box) => !told.has(idOf(box)) && people.mayBeHere(idOf(box)));
    morphList(this.people, [...others.map(chip), ...beyond.map((box) => box.closest("label"))], (each) => each.querySelector("input").value);
    this.#check(to);
  }

  /** Whoever the page was not told of is chosen at once, and named when their name is known. */
  async #meet(id) {
    const { people, room } = this.place;
    const made = chip(people.get(id) ?? { id, name: people.name(id) });
    this.people.append(made);
    const card = await api(`rooms/${room}/participants/${id}/`).catch(({ status }) => (status === 404 ? {} : null));
    if (!card || !made.isConnected) return;
    if (card.role) morph(made, chip(card));
    else made.remove();
    this.met();
  }

  #check(ids) {
    for (const box of this.#boxes) box.checked = ids.includes(idOf(box));
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
      const known = new Set([me, ...this.#boxes.map(idOf)]);
      const others = results.filter(({ id }) => !known.has(id));
      this.people.append(...others.map(chip));
      this.#sift();
    }, SETTLED);
  }
}

const idOf = (box) => Number(box.value);

function chip(person) {
  const box = element("input", { type: "checkbox", name: "to", value: person.id, "data-name": person.name });
  return element("label", { class: "person-chip" }, box, avatar(person), element("span", {}, person.name));
}
