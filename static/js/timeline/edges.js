/** What stands at the ends of the timeline: its beginning, what is being fetched, the ways back and to the end. */
import { newMessages } from "chat/words";

export class Edges {
  constructor(timeline) {
    this.timeline = timeline;
    this.back = timeline.querySelector("[data-jump-back]");
    this.jump = timeline.querySelector("[data-jump-latest]");
    this.words = timeline.querySelector("[data-jump-words]");
    this.older = timeline.querySelector('[data-loading="older"]');
    this.newer = timeline.querySelector('[data-loading="newer"]');
  }

  /** `left`: how much is new below; `back`: whether there is somewhere to go back to. */
  show({ hasOlder, hasNewer }, { atEnd, left, back }) {
    this.jump.hidden = atEnd && !hasNewer;
    this.jump.toggleAttribute("data-fresh", left > 0);
    this.#say(left ? newMessages(left) : "Jump to latest");
    this.back.hidden = !back;
    // Looked up anew: it is renewed with the room.
    this.timeline.querySelector("[data-start]").hidden = hasOlder;
    this.older.hidden = !hasOlder;
    this.newer.hidden = !hasNewer;
  }

  #say(words) {
    if (this.words.textContent !== words) this.words.textContent = words;
  }
}
