/** The list that opens while one writes `@somebody`, `#room` or `:emoji`. */
import { api } from "chat/api";
import { inCode } from "chat/composer/marking";
import { replace } from "chat/composer/replacing";
import { avatar, element, icon } from "chat/dom";
import { emojiNames } from "chat/emoji/picker";
import { callsFor, complete, suggest, wordAt } from "chat/mentions";
import { me, placeOf } from "chat/page";
import { myRooms, suggestRooms } from "chat/rooms";

const SETTLED = 150;
/** As many as are seen without scrolling. */
const MOST = 7;
const LABELS = { "@": "People", "#": "Rooms", ":": "Emoji" };

export class Completing {
  #found = null;
  #at = 0;
  #timer = null;

  constructor(textarea) {
    this.textarea = textarea;
    const { room, people } = placeOf(textarea);
    Object.assign(this, { room, everybody: people });
    this.list = element("ul", { class: "completion", id: `completion-${room}`, role: "listbox", hidden: true });
    this.says = element("p", { class: "only-read-aloud", role: "status" });
    textarea.before(this.list, this.says);
    // A text of several lines may not be a combobox: that something is suggested is said instead.
    textarea.setAttribute("aria-autocomplete", "list");
    textarea.setAttribute("aria-haspopup", "listbox");
    textarea.setAttribute("aria-controls", this.list.id);
    textarea.addEventListener("input", () => this.#look());
    textarea.addEventListener("blur", () => this.#close());
    // The focus stays, or the list would be gone before the click.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", ({ target }) => {
      const option = target.closest("li");
      if (option) this.#take([...this.list.children].indexOf(option));
    });
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** Whether a key was for the list. */
  key(event) {
    if (!this.isOpen) return false;
    if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) this.#close();
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#mark((this.#at + step + this.options.length) % this.options.length);
    else if (event.key === "Enter" || event.key === "Tab") this.#take(this.#at);
    else if (event.key === "Escape") this.#close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  #look() {
    const { value, selectionStart } = this.textarea;
    if (this.#finish(value, selectionStart)) return;
    const found = inCode(value, selectionStart) ? null : wordAt(value, selectionStart);
    this.#found = found;
    clearTimeout(this.#timer);
    if (!found) return this.#close();
    this.#show(SUGGESTED[found.sign](found.query, this));
    if (found.sign === "@" && found.query && !this.everybody.isWhole) this.#timer = setTimeout(() => this.#ask(found), SETTLED);
  }

  /** `:tada:` is an emoji as soon as it is written out. */
  #finish(value, caret) {
    const edit = value[caret - 1] === ":" && !inCode(value, caret) && emojiNames.finished(value, caret);
    if (edit) (this.#close(), replace(this.textarea, edit));
    return Boolean(edit);
  }

  /** Those whom the page was not told of. */
  async #ask(found) {
    const { results } = await api(`rooms/${this.room}/participants/?limit=8&q=${encodeURIComponent(found.query)}`).catch(() => ({ results: [] }));
    if (this.#found !== found) return;
    const known = new Set(this.options.map(({ id }) => id));
    const others = suggest(results, found.query).filter(({ handle }) => !known.has(`@${handle}`));
    this.#show([...this.options, ...others.map(personOption)].slice(0, MOST));
  }

  #show(options) {
    this.options = options;
    if (!options.length) return this.#close();
    this.list.setAttribute("aria-label", LABELS[this.#found.sign]);
    this.list.replaceChildren(...options.map(({ face, name, detail }, at) => this.#option(at, face(), name, detail)));
    this.list.hidden = false;
    this.says.textContent = `${options.length} suggested`;
    this.#mark(0);
  }

  #option(at, face, name, detail) {
    const words = element("span", { class: "truncate" }, name);
    return element("li", { role: "option", id: `${this.list.id}-${at}` }, face, words, detail ? element("span", { class: "quiet small truncate" }, detail) : null);
  }

  #mark(at) {
    this.#at = at;
    [...this.list.children].forEach((option, each) => option.setAttribute("aria-selected", String(each === at)));
    this.list.children[at].scrollIntoView({ block: "nearest" });
    this.textarea.setAttribute("aria-activedescendant", `${this.list.id}-${at}`);
  }

  #take(at) {
    const { value, selectionStart } = this.textarea;
    const edit = complete(value, selectionStart, this.#found.start, this.options[at].put);
    this.#close();
    replace(this.textarea, edit);
    this.#close();
  }

  #close() {
    clearTimeout(this.#timer);
    this.#found = null;
    this.options = [];
    if (!this.isOpen) return;
    this.list.hidden = true;
    this.says.textContent = "";
    this.textarea.removeAttribute("aria-activedescendant");
  }
}

const SUGGESTED = {
  "@": (query, { everybody }) => {
    const calls = suggest(callsFor(everybody, me), query);
    return [...suggest(everybody.all, query, MOST - calls.length), ...calls].map(personOption);
  },
  "#": (query) => suggestRooms(myRooms(), query).map(roomOption),
  ":": (query) => (query.length < 2 ? [] : emojiNames.find(query, 7).map(emojiOption)),
};

function personOption(person) {
  return { id: `@${person.handle}`, face: () => (person.id ? avatar(person) : element("span", { class: "completion-face" }, icon(person.icon))), name: person.name, detail: `@${person.handle}`, put: `@${person.handle}` };
}

function roomOption({ id, name, sign }) {
  return { id: `#${id}`, face: () => element("span", { class: "completion-face" }, icon(sign)), name, detail: "", put: `#${name}` };
}

function emojiOption({ emoji, name }) {
  return { id: name, face: () => element("span", { class: "completion-face emoji-shown" }, emoji), name: `:${name}:`, detail: "", put: emoji };
}
