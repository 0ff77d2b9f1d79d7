/** Swapping parts of this page for the server's newer ones. */
import { localise } from "chat/time";

export async function fetchPage(url, options = {}) {
  const response = await fetch(url, { credentials: "same-origin", ...options });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return { response, page };
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
    if (!ours || !theirs) continue;
    ours.replaceWith(document.adoptNode(theirs));
    localise(theirs);
  }
}

/** What the server says of a place now; the composer only where nothing would be lost. */
export function renewPlace({ root, teller }, page) {
  const writing = root.querySelector("chat-composer")?.isWriting;
  swapWithin(root, teller, page, [".room-head", ".beside-what", ".timeline-start", ...(writing ? [] : [".room-foot"])]);
}

export async function refresh(...selectors) {
  const { response, page } = await fetchPage(location.href);
  if (response.ok && !response.redirected) swap(page, ...selectors);
}

export function tellFlashes(page) {
  const notes = page.querySelectorAll(".flash");
  document.querySelector("chat-flash")?.append(...[...notes].map((note) => document.adoptNode(note)));
}
