/** Swapping parts of this page for the server's newer ones. */

export async function fetchPage(url, options = {}) {
  const response = await fetch(url, { credentials: "same-origin", ...options });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return { response, page };
}

const RIGHTS = ["data-may-write", "data-may-manage", "data-may-share"];

/** Put the parts of `page` that these selectors name in place of ours, and take over what one may do. */
export function swap(page, ...selectors) {
  for (const right of RIGHTS) document.body.toggleAttribute(right, page.body.hasAttribute(right));
  for (const selector of selectors) {
    const [ours, theirs] = [document.querySelector(selector), page.querySelector(selector)];
    if (ours && theirs) ours.replaceWith(document.adoptNode(theirs));
  }
}

export async function refresh(...selectors) {
  const { response, page } = await fetchPage(location.href);
  if (response.ok && !response.redirected) swap(page, ...selectors);
}

export function tellFlashes(page) {
  const notes = page.querySelectorAll(".flash");
  document.querySelector("chat-flash")?.append(...[...notes].map((note) => document.adoptNode(note)));
}
