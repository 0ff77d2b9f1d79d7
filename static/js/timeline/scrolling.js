/** Keeping one's place while messages come in above and below. */

const NEAR = 48;

export function atEnd(scroller) {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
}

export function toEnd(scroller) {
  scroller.scrollTop = scroller.scrollHeight;
}

/** Do what changes the list; the line one reads stays where it is on the screen. */
export function keepPlace(scroller, list, change) {
  const mark = readingLine(scroller, list);
  const before = mark?.getBoundingClientRect().top;
  change();
  if (mark?.isConnected) scroller.scrollTop += mark.getBoundingClientRect().top - before;
}

export function show(entry, { block = "center" } = {}) {
  entry.scrollIntoView({ block });
  entry.dataset.found = "";
  setTimeout(() => delete entry.dataset.found, 2_500);
}

function readingLine(scroller, list) {
  const top = scroller.getBoundingClientRect().top;
  const entries = list.children;
  let [low, high] = [0, entries.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].getBoundingClientRect().bottom > top) high = middle;
    else low = middle + 1;
  }
  return entries[low];
}

/** The last entry whose beginning can be seen. */
export function lastInSight(scroller, list) {
  const bottom = scroller.getBoundingClientRect().bottom - 12;
  const entries = [...list.querySelectorAll(":scope > [data-entry]")];
  return entries.findLast((entry) => entry.getBoundingClientRect().top < bottom);
}
