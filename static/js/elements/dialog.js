/**
 * Pages within the page: a link marked `data-dialog` opens the part of its page marked
 * `data-partial`; forms in it are sent, and answered, in place.
 */
import { icon, iconButton, reachable } from "chat/dom";
import { placeAt } from "chat/page";
import { flash } from "chat/elements/flash";
import { fetchPage, renewPlace, send, swap, tellFlashes, UNREACHED, whyNot } from "chat/refresh";
import { localise } from "chat/time";

const PARTS = [".room-head", ".beside-what", ".room-foot", ".aside", "[data-list]"];
/** Where one begins: the first of these that can be seen. */
const FIRST = ["[autofocus]", ".form input:not([type=hidden]), textarea, .button"];
const dialog = document.getElementById("dialog");
/** What one was at; the button in it that opened the dialog may be gone when it closes. */
let from = null;
/** An answer that comes after something else was opened is not wanted any more. */
let openings = 0;

export async function openDialog(url) {
  const ours = ++openings;
  const { response, page } = await fetchPage(url).catch(() => ({}));
  if (ours !== openings) return;
  if (!page) flash(UNREACHED, "error");
  else if (!show(page)) location.href = response.url;
}

export function closeDialog() {
  dialog.close();
}

function show(page) {
  const partial = page.querySelector("[data-partial]");
  if (partial) openWith(document.adoptNode(partial));
  return Boolean(partial);
}

/** Show this, whose heading has the id `dialog-title`. */
export function openWith(content) {
  openings += 1;
  const close = iconButton("Close", icon("close"), { class: "dialog-close", "data-close": true });
  dialog.replaceChildren(close, content);
  localise(dialog);
  reachable(dialog);
  if (!dialog.open) {
    from = document.activeElement.closest("[tabindex]");
    dialog.showModal();
  }
  const first = FIRST.flatMap((one) => [...dialog.querySelectorAll(one)]);
  first.find((each) => each.checkVisibility())?.focus();
}

async function submit(form, button) {
  if (form.method === "get") return openDialog(`${form.action}?${new URLSearchParams(new FormData(form, button))}`);
  const { response, page } = await send(form, button);
  if (!page) return flash(UNREACHED, "error");
  answered(form, response, page);
  // Once what is open stays open: the notes are shown within it.
  tellFlashes(page);
}

function answered(form, response, page) {
  if (!response.redirected) return show(page) || response.ok || flash(whyNot(page), "error");
  const there = new URL(response.url);
  if (there.pathname === new URL(form.action).pathname) return show(page);
  dialog.close();
  if (there.pathname === location.pathname) return form.action.includes("/rooms/") && swap(page, ...PARTS);
  const place = placeAt(there.pathname);
  if (place) return renewPlace(place, page);
  if (form.dataset.stay === undefined && goTo(page, there)) location.href = response.url;
}

/** Whether it is to be gone to: another part of the page may show it instead. */
function goTo(page, there) {
  return document.dispatchEvent(new CustomEvent("went", { detail: { page, there }, cancelable: true }));
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

dialog?.addEventListener("close", () => document.activeElement === document.body && from?.focus({ preventScroll: true }));

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
