/** Going anywhere by name, and doing anything: a box, and a list of what fits. */
import { api } from "chat/api";
import { avatar, element, icon, iconButton } from "chat/dom";
import { flash } from "chat/elements/flash";
import { ANYWHERE, keys } from "chat/keys";
import { commands } from "chat/switcher/commands";
import { around, listed, lookUp, recent, together } from "chat/switcher/places";
import { offer } from "chat/switcher/ranking";

const SETTLED = 150;
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

class Switcher {
  #rooms = [];
  #found = [];
  #asked = 0;
  #timer = null;
  /** While the server is asked. */
  #answer = null;
  #choices = [];
  #at = 0;

  constructor({ people, rooms }) {
    this.may = { people, rooms };
    this.box = element("input", {
      type: "text",
      role: "combobox",
      placeholder: "Go to a room or person, or do something",
      "aria-label": "Go to a room or person, or do something",
      "aria-controls": "switcher-list",
      "aria-expanded": "true",
      "aria-autocomplete": "list",
      autocomplete: "off",
      spellcheck: "false",
      maxlength: 100,
    });
    this.list = element("div", { id: "switcher-list", class: "switcher-list", role: "listbox", "aria-label": "What fits" });
    this.aloud = element("p", { class: "only-read-aloud", role: "status" });
    const close = iconButton("Close", icon("close"), { class: "icon-button-small" });
    close.addEventListener("click", () => this.dialog.close());
    const head = element("div", { class: "switcher-head" }, icon("search", true), this.box, close);
    const foot = element("p", { class: "switcher-foot" }, element("kbd", {}, "↑"), element("kbd", {}, "↓"), " choose ", element("kbd", {}, "Enter"), " go", element("span", { class: "stretch" }), element("button", { type: "button", class: "link", "data-keys": true }, "All keys"));
    this.dialog = element("dialog", { class: "switcher", "aria-label": "Go to" }, head, this.list, foot, this.aloud);
    document.body.append(this.dialog);
    this.#listen();
  }

  async open() {
    if (this.dialog.open) return this.dialog.close();
    document.getElementById("dialog").close();
    this.box.value = "";
    this.#found = [];
    this.commands = commands();
    this.dialog.showModal();
    this.box.focus();
    this.#show();
    this.#rooms = await listed();
    this.#show();
  }

  #listen() {
    this.box.addEventListener("input", () => (this.#show(), this.#ask()));
    this.box.addEventListener("keydown", (event) => this.#pressed(event));
    this.list.addEventListener("click", (event) => this.#pointed(event));
    this.list.addEventListener("pointermove", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) this.#mark(Number(option.dataset.at), { scroll: false });
    });
    this.dialog.addEventListener("click", ({ target }) => (target === this.dialog || target.closest("[data-keys]")) && this.dialog.close());
  }

  #pressed(event) {
    if (event.isComposing) return;
    const last = this.#choices.length - 1;
    if (STEPS[event.key] && !event.altKey) this.#mark((this.#at + STEPS[event.key] + last + 1) % (last + 1));
    else if (event.key === "Enter") this.#enter(event);
    else return;
    event.preventDefault();
  }

  /** Who types a name and Enter at once goes there, and not to the search for want of an answer. */
  async #enter(event) {
    if (this.#answer && this.#choices.length === 1) await this.#answer;
    this.#choose(this.#choices[this.#at], event);
  }

  #pointed(event) {
    const option = event.target.closest("[role=option]");
    if (option) this.#choose(this.#choices[option.dataset.at], event);
  }

  /** Ask the server for what the page does not have, once typing has settled. */
  #ask() {
    clearTimeout(this.#timer);
    const query = this.box.value.trim();
    const asked = (this.#asked += 1);
    this.#answer = null;
    if (!query) return void (this.#found = []);
    this.#answer = new Promise((settled) => (this.#timer = setTimeout(settled, SETTLED))).then(async () => {
      const found = await lookUp(query, this.may);
      if (asked !== this.#asked) return;
      this.#found = found;
      this.#answer = null;
      this.#show({ stay: found.length > 0 && this.#choices.length > 1 });
    });
  }

  /** `stay` on the choice one is at, where it is still there. */
  #show({ stay = false } = {}) {
    const query = this.box.value.trim();
    const was = stay && this.#choices[this.#at]?.key;
    const known = this.may.people ? [...around(), ...this.#found] : this.#found;
    const all = [...together(this.#rooms, known), ...(this.commands ?? [])];
    const sections = offer(all, query, recent());
    if (query) sections.push({ title: null, choices: [{ kind: "search", key: "search", name: `Search messages for “${query}”`, icon: "search", url: `/search/?q=${encodeURIComponent(query)}` }] });
    this.#choices = sections.flatMap(({ choices }) => choices);
    let at = 0;
    this.list.replaceChildren(...sections.map(({ title, choices }, number) => section(title, number, choices.map((choice) => option(choice, at++)))));
    this.#mark(Math.max(0, this.#choices.findIndex(({ key }) => key === was)));
    const count = this.#choices.length - (query ? 1 : 0);
    this.aloud.textContent = query ? `${count} ${count === 1 ? "fits" : "fit"}` : "";
  }

  #mark(at, { scroll = true } = {}) {
    this.#at = at;
    for (const each of this.list.querySelectorAll("[role=option]")) each.setAttribute("aria-selected", String(Number(each.dataset.at) === at));
    const marked = this.list.querySelector("[aria-selected=true]");
    if (scroll) marked?.scrollIntoView({ block: "nearest" });
    if (marked) this.box.setAttribute("aria-activedescendant", marked.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  async #choose(choice, { ctrlKey, metaKey }) {
    if (!choice) return;
    this.dialog.close();
    if (choice.run) return choice.run();
    try {
      const url = choice.url ?? `/rooms/${(await api("rooms/direct/", { method: "POST", body: { user: choice.person.id } })).id}/`;
      if (ctrlKey || metaKey) open(url);
      else location.href = url;
    } catch (error) {
      flash(error.message, "error");
    }
  }
}

function section(title, number, options) {
  if (!title) return element("div", { role: "group", "aria-label": "Results" }, ...options);
  return element("div", { role: "group", "aria-labelledby": `switcher-${number}` }, element("h2", { id: `switcher-${number}`, role: "presentation" }, title), ...options);
}

function option(choice, at) {
  const { name, marks = [], detail, unread, mentions, muted, press } = choice;
  return element(
    "div",
    { role: "option", id: `switcher-option-${at}`, class: "switcher-option", "data-at": at, "data-kind": choice.kind, "data-unread": Boolean(unread && !muted), "aria-selected": "false" },
    signOf(choice),
    element("span", { class: "switcher-name truncate" }, ...marked(name, marks)),
    detail ? element("span", { class: "switcher-detail truncate" }, detail) : null,
    press ? element("span", { class: "switcher-keys" }, ...press.map((label) => element("kbd", {}, label))) : null,
    unread ? element("span", { class: mentions ? "count count-mentions" : "count" }, mentions ? `@${mentions}` : String(unread), element("span", { class: "only-read-aloud" }, mentions ? " mentions" : " unread")) : null,
  );
}

function signOf({ sign, person, icon: name }) {
  if (sign) return sign.cloneNode(true);
  return person ? avatar(person) : element("span", { class: "room-glyph" }, icon(name ?? "hash", true));
}

function marked(name, marks) {
  const pieces = [];
  let at = 0;
  for (const [from, to] of marks) {
    pieces.push(name.slice(at, from), element("mark", {}, name.slice(from, to)));
    at = to;
  }
  return [...pieces, name.slice(at)];
}

const { dataset } = document.querySelector("[data-switcher]");
let switcher = null;

function openSwitcher() {
  switcher ??= new Switcher({ people: "mayMeet" in dataset, rooms: "mayMeet" in dataset });
  switcher.open();
}

keys.add({ press: "Mod+k", words: "Go to a room or person, or do something", group: ANYWHERE, above: true, run: openSwitcher });

document.addEventListener("click", ({ target }) => target.closest("[data-switcher]") && openSwitcher());
