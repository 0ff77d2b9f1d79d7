/** Swapping parts of this page for the server's newer ones. */
import { notes } from "chat/elements/flash";
import { localise } from "chat/time";

/** What is said where a page could not be fetched at all. */
export const UNREACHED = "The server could not be reached. Try again in a moment.";

/** What went wrong, in the words of the page that says so. */
export function whyNot(page) {
  return page.querySelector(".error-number ~ .lede")?.textContent.trim() || "That did not work. Try again in a moment.";
}

export async function fetchPage(url, options = {}) {
  const response = await fetch(url, { credentials: "same-origin", ...options });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return { response, page };
}

/** Post a form, with the button that was pressed out of use meanwhile. As `fetchPage`; nothing where there was no answer. */
export async function send(form, button) {
  const body = new FormData(form, button);
  button?.setAttribute("disabled", "");
  const answer = await fetchPage(form.action, { method: "POST", body }).catch(() => ({}));
  button?.removeAttribute("disabled");
  return answer;
}

const RIGHTS = ["data-may-write", "data-may-manage", "data-may-share", "data-may-ask", "data-may-open-sidebars", "data-may-share-back"];

/** Put the parts of `page` that these selectors name in place of ours, and take over what one may do. */
export function swap(page, ...selectors) {
  swapWithin(document, document.body, page, selectors);
}

function swapWithin(root, teller, page, selectors) {
  for (const right of RIGHTS) teller.toggleAttribute(right, page.body.hasAttribute(right));
  for (const selector of selectors) {
    const [ours, theirs] = [root.querySelector(selector), page.querySelector(selector)];
    if (!ours || !theirs || keepsComposer(ours, theirs)) continue;
    // As with where history begins: the page knows better what it shows just now.
    theirs.hidden = ours.hidden;
    const held = ours.contains(document.activeElement) && document.activeElement;
    ours.replaceWith(document.adoptNode(theirs));
    localise(theirs);
    if (held) standIn(theirs, held)?.focus({ preventScroll: true });
  }
}

/** Where a link had the focus, the one that now leads there. */
function standIn(part, held) {
  return held.href && [...part.querySelectorAll("a[href]")].find(({ href }) => href === held.href);
}

/**
 * Whether a part stays for the sake of the composer in it: where there is still one for the same
 * readers, with whatever was chosen in it, or where something would be lost.
 */
function keepsComposer(ours, theirs) {
  const composer = ours.querySelector("chat-composer");
  const fresh = theirs.querySelector("chat-composer");
  if (!composer) return false;
  const stays = fresh && String(audiencesOf(fresh)) === String(audiencesOf(composer));
  if (stays) composer.call(fresh.querySelector("textarea"));
  return stays || composer.isWriting;
}

function audiencesOf(composer) {
  return [...composer.querySelectorAll("[name=audience]")].map(({ value }) => value);
}

/** What the server says of a place now. */
export function renewPlace({ root, teller }, page) {
  swapWithin(root, teller, page, [".room-head", ".beside-what", ".timeline-start", ".room-foot"]);
}

/** Promises whether there was an answer. */
export async function refresh(...selectors) {
  const { response, page } = await fetchPage(location.href).catch(() => ({}));
  if (response?.ok && !response.redirected) swap(page, ...selectors);
  return Boolean(page);
}

export function tellFlashes(page) {
  notes().append(...[...page.querySelectorAll(".flash")].map((note) => document.adoptNode(note)));
}
