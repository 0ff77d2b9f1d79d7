/** What of a long timeline is in the document: what is on the screen, and some of what is around it. */

/** Pixels beyond the screen: further away it goes, nearer it comes back. Between them it stays as it is. */
const FAR = 6_000;
const NEAR = 3_000;
/** Messages that go and come together. */
export const LEAF = 20;

/**
 * What is to be done, of `items` from top to bottom: `{top, bottom, isFold, isHeld}`, from the
 * upper edge of a screen of this `height`. Gives places in `items`: of folds to `open`, the
 * nearest first, and of neighbours to `shut` into one fold, the furthest first: what is too few
 * for a fold is left over beside what one reads, where more will come to it, never between folds.
 */
export function plan(items, height) {
  const away = ({ top, bottom }) => Math.max(top - height, -bottom);
  const open = [...items.keys()].filter((at) => items[at].isFold && away(items[at]) < NEAR);
  open.sort((one, other) => away(items[one]) - away(items[other]));
  const goes = (at) => !items[at].isFold && away(items[at]) > FAR && !items[at].isHeld;
  const above = [...items.keys()].filter((at) => items[at].bottom < 0);
  const below = [...items.keys()].filter((at) => items[at].top > height);
  const shut = [...leaves(above, goes), ...leaves(below.reverse(), goes).map((leaf) => leaf.reverse())];
  return { open, shut };
}

/** Of these places, in their order, those next to each other that go, so many at a time. */
function leaves(places, goes) {
  const found = [];
  let run = [];
  for (const at of places) {
    run = goes(at) ? [...run, at] : [];
    if (run.length === LEAF) (found.push(run), (run = []));
  }
  return found;
}

/** Whether one would see, or nearly see, that it is not there. */
export function isUrgent({ top, bottom }, height) {
  return top < 2 * height && bottom > -height;
}
