/** The emoji one can put under a message. */
import { element, fromTemplate } from "chat/dom";
import { EMOJI } from "chat/emoji";

const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 };

/** Open it beside `button`, and call `choose(emoji)` with what is chosen. */
export function openPicker(button, choose) {
  const picker = fromTemplate("emoji-picker");
  picker.append(...EMOJI.map((emoji) => element("button", { type: "button", role: "menuitem", "data-emoji": emoji }, emoji)));
  picker.addEventListener("keydown", roam);
  picker.addEventListener("click", ({ target }) => {
    const { emoji } = target.closest("button")?.dataset ?? {};
    if (!emoji) return;
    picker.hidePopover();
    choose(emoji);
  });
  picker.addEventListener("toggle", ({ newState }) => newState === "closed" && (picker.remove(), button.focus()));
  document.body.append(picker);
  picker.showPopover();
  place(picker, button.getBoundingClientRect());
  picker.firstElementChild.focus();
}

function roam(event) {
  const all = [...event.currentTarget.children];
  const next = all[all.indexOf(document.activeElement) + STEPS[event.key]];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function place(picker, near) {
  const { width, height } = picker.getBoundingClientRect();
  const above = near.top - height - 6;
  picker.style.insetBlockStart = `${above > 8 ? above : Math.min(near.bottom + 6, innerHeight - height - 8)}px`;
  picker.style.insetInlineStart = `${Math.max(8, Math.min(near.right - width, innerWidth - width - 8))}px`;
}
