/** What stands in the list, from top to bottom. A selector would look at all that is within it, too. */

export function isEntry(part) {
  return part.hasAttribute("data-entry");
}

export function isFold(part) {
  return part.classList.contains("fold");
}

export function entriesOf(list) {
  return [...list.children].filter(isEntry);
}

/** Messages, and what stands for some that are folded away. */
export function messagesOf(list) {
  return [...list.children].filter((part) => isEntry(part) || isFold(part));
}
