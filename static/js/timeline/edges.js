/** What stands at the ends of the timeline: its beginning, what is being fetched, the way to the end. */
export class Edges {
  #fresh = 0;

  constructor(timeline) {
    this.jump = timeline.querySelector("[data-jump-latest]");
    this.words = timeline.querySelector("[data-jump-words]");
    this.start = timeline.querySelector("[data-start]");
    this.older = timeline.querySelector('[data-loading="older"]');
    this.newer = timeline.querySelector('[data-loading="newer"]');
  }

  /** Something new has come, perhaps out of sight. */
  came() {
    this.#fresh += 1;
  }

  show({ hasOlder, hasNewer }, atEnd) {
    const away = !atEnd || hasNewer;
    if (!away) this.#fresh = 0;
    this.jump.hidden = !away;
    this.jump.toggleAttribute("data-fresh", this.#fresh > 0);
    this.words.textContent = this.#sentence();
    this.start.hidden = hasOlder;
    this.older.hidden = !hasOlder;
    this.newer.hidden = !hasNewer;
  }

  #sentence() {
    if (!this.#fresh) return "Jump to latest";
    return this.#fresh === 1 ? "1 new message" : `${this.#fresh} new messages`;
  }
}
