/** Who is to see what is being written: the radios and the people of the form, as one value. */
import { element } from "chat/dom";
import { me, mode, people } from "chat/page";
import { whoSees } from "chat/words";

export class Choice {
  constructor(form, changed) {
    this.form = form;
    this.says = form.querySelector("[data-says]");
    this.chooser = form.querySelector(".audience");
    this.chooser?.addEventListener("change", () => (this.show(), changed()));
    people.addEventListener("changed", () => this.#showPeople());
    this.show();
  }

  /** As a post has it: nothing where there is nothing to choose. */
  get value() {
    if (!this.chooser) return {};
    const { audience } = this;
    return audience === "only" ? { audience, to: this.to } : { audience };
  }

  set value({ audience = "everyone", to = [] }) {
    const radio = this.chooser?.querySelector(`[name=audience][value=${audience}]`);
    if (!radio) return;
    radio.checked = true;
    for (const box of this.#boxes) box.checked = to.includes(Number(box.value));
    this.show();
  }

  get audience() {
    return this.chooser?.querySelector("[name=audience]:checked")?.value ?? "everyone";
  }

  get to() {
    return this.#boxes.filter((box) => box.checked).map((box) => Number(box.value));
  }

  /** What is missing before this can be sent, in words, or nothing. */
  get missing() {
    return this.audience === "only" && !this.to.length ? "Choose who is to see this." : "";
  }

  show() {
    if (!this.says) return;
    const names = this.#boxes.filter((box) => box.checked).map((box) => box.dataset.name);
    const customers = people.all.filter(({ role }) => role === "customer").map(({ name }) => name);
    const words = whoSees({ audience: this.audience, names, mode, customers });
    this.says.replaceChildren(element("span", { "data-alarm": Boolean(this.missing) }, words));
  }

  get #boxes() {
    return [...(this.chooser?.querySelectorAll("[name=to]") ?? [])];
  }

  /** Newcomers can be whispered to; who left cannot. */
  #showPeople() {
    const place = this.chooser?.querySelector(".whisper-people");
    if (!place) return;
    const chosen = this.to;
    const others = people.all.filter(({ id }) => id !== me);
    place.replaceChildren(...others.map((person) => chip(person, chosen.includes(person.id))));
    this.show();
  }
}

function chip({ id, name }, checked) {
  const box = element("input", { type: "checkbox", name: "to", value: id, "data-name": name, checked });
  return element("label", { class: "person-chip" }, box, element("span", {}, name));
}
