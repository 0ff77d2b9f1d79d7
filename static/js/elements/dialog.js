/**
 * Pages within the page: a link marked `data-dialog` opens the part of its page marked
 * `data-partial`; forms in it are sent, and answered, in place.
 */
import { element, icon } from "chat/dom";
import { fetchPage, swap, tellFlashes } from "chat/refresh";
import { localise } from "chat/time";

const PARTS = [".room-head", ".room-foot", ".aside", "[data-list]"];
const dialog = document.getElementById("dialog");

export async function openDialog(url) {
  const { response, page } = await fetchPage(url);
  if (!show(page)) location.href = response.url;
}

export function closeDialog() {
  dialog.close();
}

function show(page) {
  const partial = page.querySelector("[data-partial]");
  if (!partial) return false;
  const close = element("button", { type: "button", class: "icon-button dialog-close", "data-close": true, title: "Close" }, icon("close"), element("span", { class: "only-read-aloud" }, "Close"));
  dialog.replaceChildren(close, document.adoptNode(partial));
  localise(dialog);
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[autofocus], .form input:not([type=hidden]), textarea, .button")?.focus();
  return true;
}

async function submit(form, button) {
  const body = new FormData(form, button);
  button?.setAttribute("disabled", "");
  const { response, page } = await fetchPage(form.action, { method: "POST", body });
  button?.removeAttribute("disabled");
  tellFlashes(page);
  if (!response.redirected) return show(page);
  const there = new URL(response.url);
  if (there.pathname === new URL(form.action).pathname) return show(page);
  dialog.close();
  if (there.pathname === location.pathname) return form.action.includes("/rooms/") && keepWriting(page);
  if (form.dataset.stay === undefined) location.href = response.url;
}

/** New head and people; the composer only where nothing would be lost. */
function keepWriting(page) {
  const writing = document.querySelector(".composer textarea")?.value;
  swap(page, ...PARTS.filter((part) => part !== ".room-foot" || !writing));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openDialog(link.href);
  }
});

dialog?.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]") || event.target === dialog) {
    event.preventDefault();
    dialog.close();
  }
});

dialog?.addEventListener("submit", (event) => {
  event.preventDefault();
  submit(event.target, event.submitter);
});

/** A choice on which the rest of its form depends asks for the form anew. */
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-look]") && event.target.form;
  const button = form?.querySelector("[name=look]");
  if (button) form.requestSubmit(button);
});
