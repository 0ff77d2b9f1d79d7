/** Choosing an emoji: by looking, by a few letters of what it is called, by arrow keys. */
import { element, fromTemplate, placeNear } from "chat/dom";
import { EmojiNames } from "chat/emoji/finding";
import { GROUPS } from "chat/emoji/list";
import { RecentEmoji } from "chat/emoji/recent";
import { me } from "chat/page";

const ACROSS = 8;
const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
const touch = matchMedia("(pointer: coarse)");

export const emojiNames = new EmojiNames(GROUPS);
const recent = new RecentEmoji(localStorage, `emoji:${me}`);

/** Open it beside `button`, and call `choose(emoji)` with what is chosen. The focus goes `back` then. */
export function openPicker(button, choose, back = button) {
  const root = fromTemplate("emoji-picker");
  new Picker(root, (emoji) => {
    recent.use(emoji);
    root.hidePopover();
    choose(emoji);
  });
  button.setAttribute("aria-expanded", "true");
  root.addEventListener("toggle", ({ newState }) => {
    if (newState !== "closed") return;
    // Not from where somebody went meanwhile.
    const { activeElement } = document;
    const isLost = root.contains(activeElement) || activeElement === document.body;
    root.remove();
    button.removeAttribute("aria-expanded");
    if (isLost) back.focus();
  });
  document.body.append(root);
  root.showPopover();
  placeNear(root, button.getBoundingClientRect());
}

class Picker {
  #at = null;

  constructor(root, choose) {
    this.input = root.querySelector("input");
    this.grid = root.querySelector("[data-grid]");
    this.tells = root.querySelector("[data-tells]");
    this.input.addEventListener("input", () => this.#show());
    this.input.addEventListener("keydown", (event) => this.#pressed(event));
    this.grid.addEventListener("pointerover", ({ target }) => target.dataset.emoji && this.#mark(target, { scroll: false }));
    root.addEventListener("click", ({ target }) => target.dataset.emoji && choose(target.dataset.emoji));
    this.choose = choose;
    // On a phone its keyboard would cover what one looks through.
    this.input.autofocus = !touch.matches;
    this.#show();
  }

  #show() {
    const query = this.input.value.trim();
    const groups = query
      ? [["Found", emojiNames.find(query)]]
      : [["Used lately", recent.all.map((emoji) => emojiNames.byEmoji.get(emoji) ?? { emoji, name: emoji })], ...GROUPS.map(([title, rows]) => [title, rows.map(([emoji]) => emojiNames.byEmoji.get(emoji))])];
    this.grid.replaceChildren(...groups.filter(([, all]) => all.length).map(([title, all]) => group(title, all)));
    this.grid.scrollTop = 0;
    this.rows = [...this.grid.querySelectorAll("[role=row]")].map((row) => [...row.children]);
    this.#mark(this.rows[0]?.[0] ?? null);
  }

  #pressed(event) {
    const step = STEPS[event.key];
    if (event.isComposing || !(step || event.key === "Enter")) return;
    event.preventDefault();
    if (event.key === "Enter") return this.#at && this.choose(this.#at.dataset.emoji);
    const row = this.rows.findIndex((cells) => cells.includes(this.#at));
    if (row < 0) return;
    const cells = this.rows.flat();
    const next = this.rows[row + step[0]];
    const column = this.rows[row].indexOf(this.#at);
    this.#mark(step[1] ? (cells[cells.indexOf(this.#at) + step[1]] ?? this.#at) : (next?.[Math.min(column, next.length - 1)] ?? this.#at));
  }

  #mark(cell, { scroll = true } = {}) {
    this.#at?.removeAttribute("aria-selected");
    this.#at = cell;
    cell?.setAttribute("aria-selected", "true");
    if (cell) this.input.setAttribute("aria-activedescendant", cell.id);
    else this.input.removeAttribute("aria-activedescendant");
    if (scroll) cell?.scrollIntoView({ block: "nearest" });
    this.tells.replaceChildren(...(cell ? [element("span", { class: "emoji-shown", "aria-hidden": "true" }, cell.dataset.emoji), ` ${cell.dataset.name}`] : ["Nothing is called that."]));
  }
}

function group(title, all) {
  const rows = [];
  for (let from = 0; from < all.length; from += ACROSS) rows.push(element("div", { role: "row" }, ...all.slice(from, from + ACROSS).map((one) => cell(one, title))));
  return element("div", { role: "rowgroup", "aria-label": title }, element("div", { class: "emoji-group", "aria-hidden": "true" }, title), ...rows);
}

function cell({ emoji, name }, title) {
  const id = `emoji-${title[0]}-${name}`;
  return element("span", { role: "gridcell", id, "aria-label": name.replaceAll("_", " "), "data-emoji": emoji, "data-name": `:${name}:` }, emoji);
}
