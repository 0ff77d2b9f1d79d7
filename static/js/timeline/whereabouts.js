/** What tells readers where in the room they are: the day, what is new, the ways back and to the end. */
import { createdOf, idOf } from "chat/timeline/folds";
import { firstInSight, lastInSight } from "chat/timeline/scrolling";

export class Whereabouts {
  /** The message below the line that was last looked at. */
  #seen = null;

  /** `divided.line` is the message above which the line of what is new stands. */
  constructor({ scroller, list, stretch, unread, edges, top, ways }, divided) {
    Object.assign(this, { scroller, list, stretch, unread, edges, top, ways, divided });
  }

  look(isAtEnd) {
    const { scroller, list, stretch, unread, ways } = this;
    const first = firstInSight(scroller, list);
    const last = lastInSight(scroller, list);
    unread.see(idOf(last));
    ways.pass(idOf(first), idOf(last));
    const left = unread.left(stretch.hasNewer);
    this.edges.show(stretch, { atEnd: isAtEnd, left, back: ways.hasBack });
    this.#tellNew(idOf(first), idOf(last), left);
    const isScrolled = scroller.scrollHeight > scroller.clientHeight;
    this.top.showDay(isScrolled ? createdOf(first) : null, this.#dayLines());
  }

  /** The bar: while there is something below, or the line is above and was never looked at. */
  #tellNew(first, last, left) {
    const { divided: { line }, stretch, unread } = this;
    if (line >= first && line <= last && document.hasFocus()) this.#seen = line;
    const isOver = !line || (!left && (line >= first || this.#seen === line));
    const count = isOver ? 0 : unread.countFrom(line, stretch.hasNewer);
    this.top.tell(count, unread.timeOf(line), { isAbove: line < first });
  }

  #dayLines() {
    const from = this.scroller.getBoundingClientRect().top;
    return [...this.list.children].filter((part) => part.dataset.divider === "day").map((line) => line.getBoundingClientRect().top - from);
  }
}
