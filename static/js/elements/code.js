/** Blocks of code that somebody wrote: one button copies the one that is pointed at, or stood on by keys. */
import { element, icon, iconButton } from "chat/dom";

const CODE = ".message:not([data-status=streaming]) .prose pre, .composer-preview pre";
const AGAIN_AFTER = 2_000;

const says = element("span", { class: "only-read-aloud", role: "status" });
const button = iconButton("Copy this code", icon("copy"), { class: "icon-button-small code-copy" });
button.append(says);
let timer;

/** What is written bit by bit has none: its blocks still change beneath it. */
function show(pre) {
  if (!pre || button.previousElementSibling === pre) return;
  renew();
  pre.after(button);
  button.style.insetBlockStart = `${pre.offsetTop + 6}px`;
  button.style.insetInlineEnd = `${pre.offsetParent.clientWidth - pre.offsetLeft - pre.offsetWidth + 6}px`;
}

function renew(sign = "copy", words = "") {
  clearTimeout(timer);
  button.firstElementChild.replaceWith(icon(sign));
  says.textContent = words;
}

async function copy() {
  const { textContent } = button.previousElementSibling;
  try {
    await navigator.clipboard.writeText(textContent.replace(/\n$/, ""));
    renew("check", "Copied");
  } catch {
    renew("warning", "This browser does not let it be copied");
  }
  timer = setTimeout(renew, AGAIN_AFTER);
}

button.addEventListener("click", copy);
for (const type of ["pointerover", "focusin"]) document.addEventListener(type, ({ target }) => show(target.closest?.(CODE)));
document.addEventListener("pointerdown", ({ target }) => button.contains(target) || target.closest?.(CODE) || button.remove());
