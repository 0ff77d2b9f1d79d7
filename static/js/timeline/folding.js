/** What of a long timeline is in the document: what is on the screen, and some of what is around it. */

/** Pixels beyond the screen: further away it goes, nearer it comes back. Between them it stays as it is. */
const FAR = 6_000;
const NEAR = 3_000;
/** Messages that go and come together. */
export const LEAF = 20;

/**
 * What is to be done, of `items` from top to bottom: `{top, bottom, isFold, isHeld}`, from the
 * upper edge of a screen of this `height`. Gives places in `items`: of folds to `open`, the
 * nearest first, and of neighbours to `shut` into one fold.
 */
export function plan(items, height) {
  const away = ({ top, bottom }) => Math.max(top - height, -bottom);
  const open = [...items.keys()].filter((at) => items[at].isFold && away(items[at]) < NEAR);
  open.sort((one, other) => away(items[one]) - away(items[other]));
  const shut = [];
  let run = [];
  items.forEach((item, at) => {
    const goes = !item.isFold && away(item) > FAR && !item.isHeld;
    run = goes ? [...run, at] : [];
    if (run.length === LEAF) (shut.push(run), (run = []));
  });
  return { open, shut };
}

/** Whether one would see, or nearly see, that it is not there. */
export function isUrgent({ top, bottom }, height) {
  return top < 2 * height && bottom > -height;
}
