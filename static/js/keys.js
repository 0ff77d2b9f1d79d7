/**
 * Every key that pages listen for, in one table, which the sheet of keys shows.
 *
 *   keys.add({ press: ["j", "ArrowDown"], words: "Next message", group: IN_A_ROOM, within: "chat-timeline", run: next });
 *
 * `press` names chords as `chordOf` does: "r", "Shift+r", "?", "Escape", "Alt+ArrowUp", "Mod+k". `Mod` is
 * Command on a Mac and Control elsewhere. `run(event)` does it; where it returns false, the key is
 * somebody else's. A row without `run` is only shown: another module listens.
 *
 * Keys without Control, Alt or Command are never taken from somebody who types, and those that are a single
 * character can be turned off (WCAG 2.1.4).
 */

export const ANYWHERE = "Anywhere";
export const IN_A_ROOM = "In a room";
export const ON_A_MESSAGE = "On a message";
export const WRITING = "While writing";
const GROUPS = [ANYWHERE, IN_A_ROOM, ON_A_MESSAGE, WRITING];

const TYPED_IN = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable=true]";
/** What is above the page has keys of its own. */
const ABOVE = "dialog[open], [popover]:popover-open";

/** What was pressed, as rows name it. */
export function chordOf({ key, code = "", ctrlKey, metaKey, altKey, shiftKey }, { mac = false } = {}) {
  const name = nameOf(key, code);
  const shifts = shiftKey && (name.length > 1 || /[a-z]/.test(name));
  const held = [
    [mac ? metaKey : ctrlKey, "Mod"],
    [mac ? ctrlKey : metaKey, mac ? "Control" : "Meta"],
    [altKey, "Alt"],
    [shifts, "Shift"],
  ];
  return [...held.filter(([is]) => is).map(([, modifier]) => modifier), name].join("+");
}

/** By what it writes; where that is no Latin letter, by what is printed on it elsewhere. */
function nameOf(key, code) {
  if (key === " ") return "Space";
  const latin = /^Key[A-Z]$/.test(code) && !/^[\x21-\x7e]$/.test(key);
  return latin ? code.at(-1).toLowerCase() : key.length === 1 ? key.toLowerCase() : key;
}

const isCharacter = (chord) => chord.length === 1 || /^Shift\+.$/.test(chord);
const isPlain = (chord) => !/^(?:Mod|Control|Meta|Alt)\+/.test(chord);

export class Keys {
  #rows = [];

  /** `store` keeps whether single characters act; `mac` is where Command is what Control is elsewhere. */
  constructor({ store = null, mac = false } = {}) {
    Object.assign(this, { store, mac });
  }

  /**
   * Listen for keys: until `signal` aborts, where focus is inside `within` (a selector), while
   * `when(event)` holds. `above`: also while a dialog is open. Of two rows the later is asked first.
   */
  add({ press, words, group = ANYWHERE, run = null, within = null, when = null, above = false, signal = null }) {
    const row = { press: [press].flat(), words, group, run, within, when, above };
    this.#rows.push(row);
    signal?.addEventListener("abort", () => (this.#rows = this.#rows.filter((other) => other !== row)));
  }

  /** Whether keys that are a single character act. */
  get characters() {
    return this.store?.getItem("keys:characters") !== "off";
  }

  set characters(act) {
    if (act) this.store?.removeItem("keys:characters");
    else this.store?.setItem("keys:characters", "off");
  }

  /** Hear a `keydown`. What is acted on goes no further. */
  hear(event) {
    if (event.defaultPrevented || event.isComposing || !event.key) return;
    const chord = chordOf(event, this);
    for (const row of this.#rows.toReversed()) {
      if (!this.#takes(row, chord, event) || row.run(event) === false) continue;
      event.preventDefault();
      return;
    }
  }

  /** What there is to press, as `[{group, rows: [{press, words}]}]`; the same from two places is one row. */
  get sheet() {
    const groups = [...new Set([...GROUPS, ...this.#rows.map(({ group }) => group)])];
    return groups
      .map((group) => ({ group, rows: this.#shown(group) }))
      .filter(({ rows }) => rows.length);
  }

  #shown(group) {
    const rows = new Map();
    for (const { group: of, press, words } of this.#rows) if (of === group && words) rows.set(words, { press, words });
    return [...rows.values()];
  }

  #takes({ press, run, within, when, above }, chord, event) {
    if (!run || !press.includes(chord)) return false;
    if (isCharacter(chord) && !this.characters) return false;
    const { target } = event;
    if (chord !== "Escape" && target.closest?.(isPlain(chord) ? TYPED_IN : "select")) return false;
    if (!above && !within && target.closest?.(ABOVE)) return false;
    if (within && !target.closest?.(within)) return false;
    return !when || Boolean(when(event));
  }
}

const SIGNS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", Delete: "Del", PageUp: "Page up", PageDown: "Page down" };
const HELD = { false: { Mod: "Ctrl" }, true: { Mod: "⌘", Alt: "⌥", Shift: "⇧", Control: "⌃" } };

/** A chord as the keys one presses, as they are labelled. */
export function labelsOf(chord, { mac = false } = {}) {
  const parts = chord === "+" ? ["+"] : chord.split(/\+(?!$)/);
  return parts.map((part) => HELD[mac][part] ?? SIGNS[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}

const here = globalThis.document;
export const keys = new Keys({
  store: here ? localStorage : null,
  mac: /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? ""),
});
here?.addEventListener("keydown", (event) => keys.hear(event));
