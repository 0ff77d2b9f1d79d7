/** The list of people that opens while one writes an @. */
import { avatar, element } from "chat/dom";
import { complete, mentionAt, suggest } from "chat/mentions";
import { people } from "chat/page";

export class Mentioning {
  #found = null;
  #at = 0;

  constructor(textarea) {
    this.textarea = textarea;
    this.list = element("ul", { class: "mention-list", id: "mention-list", role: "listbox", "aria-label": "People", hidden: true });
    textarea.before(this.list);
    textarea.addEventListener("input", () => this.#look());
    textarea.addEventListener("blur", () => this.#close());
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("li");
      if (option) this.#take([...this.list.children].indexOf(option));
    });
  }

  /** Whether a key was for the list. */
  key(event) {
    if (this.list.hidden) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#mark((this.#at + step + this.list.children.length) % this.list.children.length);
    else if (event.key === "Enter" || event.key === "Tab") this.#take(this.#at);
    else if (event.key === "Escape") this.#close();
    else return false;
    event.preventDefault();
    return true;
  }

  #look() {
    const { value, selectionStart } = this.textarea;
    this.#found = mentionAt(value, selectionStart);
    this.people = this.#found ? suggest(people.all, this.#found.query) : [];
    this.list.hidden = !this.people.length;
    this.textarea.setAttribute("aria-expanded", String(!this.list.hidden));
    this.list.replaceChildren(...this.people.map((person, at) => this.#option(person, at)));
    if (this.people.length) this.#mark(0);
  }

  #option(person, at) {
    const handle = element("span", { class: "quiet small" }, `@${person.handle}`);
    return element("li", { role: "option", id: `mention-${at}` }, avatar(person), person.name, handle);
  }

  #mark(at) {
    this.#at = at;
    [...this.list.children].forEach((option, each) => option.setAttribute("aria-selected", String(each === at)));
    this.textarea.setAttribute("aria-activedescendant", `mention-${at}`);
  }

  #take(at) {
    const { value, selectionStart } = this.textarea;
    const done = complete(value, selectionStart, this.#found.start, this.people[at].handle);
    this.textarea.value = done.text;
    this.textarea.setSelectionRange(done.caret, done.caret);
    this.#close();
    this.textarea.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #close() {
    this.list.hidden = true;
    this.textarea.removeAttribute("aria-activedescendant");
  }
}
