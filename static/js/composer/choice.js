/** Who is to see what is being written: the radios and the people of the form, as one value. */
import { Whispering } from "chat/composer/whispering";
import { element } from "chat/dom";
import { placeOf } from "chat/page";
import { whoSees } from "chat/words";

export class Choice {
  /** The robots a note was turned to, since they do not see notes; null where somebody chose otherwise. */
  #asked = [];

  /** Hears of who is here until `signal`. */
  constructor(form, changed, { signal }) {
    this.changed = changed;
    this.place = placeOf(form);
    this.says = form.querySelector("[data-says]");
    this.chooser = form.querySelector(".audience");
    this.whispering = this.chooser && new Whispering(this.chooser, { done: () => form.elements.body.focus(), met: () => this.show() });
    this.chooser?.addEventListener("change", () => this.#chosen());
    this.place.people.addEventListener("changed", () => (this.whispering?.renew(), this.show()), { signal });
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
    this.whispering.to = to;
    this.show();
  }

  /** Choose the audience at this place, if there is one; a whisper goes on to whom it is for. */
  chooseAt(at) {
    const radio = this.chooser?.querySelectorAll("[name=audience]")[at];
    if (!radio) return false;
    radio.checked = true;
    this.#chosen();
    if (this.missing) this.whispering.focus();
    return true;
  }

  #chosen() {
    this.#overrule();
    this.show();
    this.changed();
  }

  get audience() {
    return this.chooser?.querySelector("[name=audience]:checked")?.value ?? "everyone";
  }

  get to() {
    return this.whispering?.to ?? [];
  }

  /** A note that names robots turns into a question to them alone, and back when it does not. */
  ask(robots) {
    const [asked, now] = [this.#asked, robots.map(({ id }) => id)];
    if (!this.chooser || asked === null || String(asked) === String(now)) return;
    if (!asked.length && this.audience !== "staff") return;
    this.#asked = now;
    this.value = now.length ? { audience: "only", to: now } : { audience: "staff" };
  }

  /** Who changes what a note was turned to has the last word, until it is sent. */
  #overrule() {
    if (this.#asked?.length) this.#asked = null;
  }

  sent() {
    this.#asked ??= [];
  }

  /** What is missing before this can be sent, in words, or nothing. */
  get missing() {
    return this.audience === "only" && !this.to.length ? "Choose who is to see this." : "";
  }

  show() {
    if (!this.says) return;
    const { mode, people } = this.place;
    const names = this.whispering?.names;
    const customers = people.all.filter(({ role }) => role === "customer").map(({ name }) => name);
    const asked = Boolean(this.#asked?.length);
    const words = whoSees({ audience: this.audience, names, mode, customers, asked });
    this.says.replaceChildren(element("span", { "data-alarm": Boolean(this.missing) }, words));
  }
}
