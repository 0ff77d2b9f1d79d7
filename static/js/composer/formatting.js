/** The buttons and keys that put Markdown's signs where they belong. */
import { codeBlock, indent, link, list, mark, newLine, pasted } from "chat/composer/marking";
import { replace, written } from "chat/composer/replacing";
import { chordOf, keys, WRITING } from "chat/keys";

const FORMATS = {
  bold: (text) => mark(text, "**"),
  italic: (text) => mark(text, "_"),
  strike: (text) => mark(text, "~~"),
  code: (text) => mark(text, "`"),
  block: codeBlock,
  link: (text) => link(text),
  bullets: (text) => list(text, "- "),
  numbers: (text) => list(text, "1. "),
  quote: (text) => list(text, "> "),
};
/** Of digits it is the place that counts: what they write with Shift depends on the layout. */
const KEYS = {
  "Mod+b": ["bold", "Bold"],
  "Mod+i": ["italic", "Italic"],
  "Mod+Shift+x": ["strike", "Struck out"],
  "Mod+k": ["link", "Make a link of what is selected"],
  "Mod+Shift+8": ["bullets", "List"],
  "Mod+Shift+7": ["numbers", "Numbered list"],
  "Mod+Shift+9": ["quote", "Quote"],
  "Mod+e": ["code", "Code"],
  "Mod+Shift+e": ["block", "Block of code"],
};
const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

for (const [press, [, words]] of Object.entries(KEYS)) keys.add({ press, words, group: WRITING });

/** Whether a key was one for formatting, which it then has done. */
export function formatted(textarea, event) {
  if (event.key === "Tab" && !event.ctrlKey && !event.metaKey && !event.altKey) return done(textarea, event, indent(written(textarea), event.shiftKey));
  const [name] = KEYS[pressed(event)] ?? [];
  // With nothing selected, Ctrl+K goes to another room, as everywhere.
  if (!name || (name === "link" && textarea.selectionStart === textarea.selectionEnd)) return false;
  return done(textarea, event, FORMATS[name](written(textarea)));
}

function pressed(event) {
  const chord = chordOf(event, keys);
  const [, digit] = /^Digit(\d)$/.exec(event.code) ?? [];
  return digit && event.shiftKey ? `${chord.slice(0, -event.key.length)}Shift+${digit}` : chord;
}

/** Whether a new line went on with what it stands in. */
export function continued(textarea, event) {
  return done(textarea, event, newLine(written(textarea)));
}

/** Whether what was pasted became the link of what was selected. */
export function linked(textarea, event) {
  return done(textarea, event, pasted(written(textarea), event.clipboardData.getData("text/plain")));
}

function done(textarea, event, edit) {
  if (!edit) return false;
  event.preventDefault();
  event.stopPropagation();
  replace(textarea, edit);
  return true;
}

/** The bar of buttons: one stop for Tab, arrows within; where it is narrow, folded behind one button. */
export class FormatBar {
  constructor(bar, fold, textarea) {
    Object.assign(this, { bar, fold, textarea });
    bar.addEventListener("click", (event) => this.#chosen(event));
    bar.addEventListener("keydown", (event) => this.#roamed(event));
    // Buttons that take the focus would close the keyboard of a phone.
    bar.addEventListener("pointerdown", (event) => event.target.closest("button") && event.preventDefault());
    fold.addEventListener("click", () => this.#unfold(fold.getAttribute("aria-expanded") !== "true"));
    this.#stopAt(this.#buttons[0]);
  }

  get #buttons() {
    return [...this.bar.querySelectorAll("[data-format]")];
  }

  #chosen(event) {
    const button = event.target.closest("[data-format]");
    if (!button) return;
    this.#stopAt(button);
    replace(this.textarea, FORMATS[button.dataset.format](written(this.textarea)));
  }

  #roamed(event) {
    const all = this.#buttons;
    const step = STEPS[event.key];
    const at = { Home: 0, End: all.length - 1 }[event.key] ?? (step && (all.indexOf(document.activeElement) + step + all.length) % all.length);
    if (at === undefined) return;
    event.preventDefault();
    this.#stopAt(all[at]);
    all[at].focus();
  }

  #stopAt(button) {
    for (const each of this.#buttons) each.tabIndex = each === button ? 0 : -1;
  }

  #unfold(open) {
    this.fold.setAttribute("aria-expanded", String(open));
    this.bar.toggleAttribute("data-open", open);
    this.textarea.focus();
  }
}
