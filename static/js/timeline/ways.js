/** Going to a message by a quote or a link, and back to where one came from. */
import { flash } from "chat/elements/flash";

export class Ways {
  /** Messages one has left so, to come back to. */
  #left = [];

  /** `find(id)` promises what was brought before the reader, null where it is not there; `path` is the room's page. */
  constructor(find, path) {
    Object.assign(this, { find, path });
  }

  get hasBack() {
    return this.#left.length > 0;
  }

  /** One is among these, and need not come back to them. */
  pass(first, last) {
    const came = this.#left.at(-1);
    if (came >= first && came <= last) this.#left.pop();
  }

  forget() {
    this.#left = [];
  }

  /** Follow what was clicked, where it is a way to a message of this room. */
  follow(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const id = this.#target(event.target.closest("a"));
    if (!id) return;
    event.preventDefault();
    const from = event.target.closest("[data-entry]");
    if (from) this.#left.push(Number(from.dataset.entry));
    this.#go(id);
  }

  back() {
    return this.#go(this.#left.pop());
  }

  #target(link) {
    if (!link) return 0;
    const { origin, pathname, searchParams } = new URL(link.href);
    const isHere = origin === location.origin && pathname === this.path;
    return Number(link.dataset.jump ?? (isHere && searchParams.get("around"))) || 0;
  }

  async #go(id) {
    const entry = await this.find(id);
    if (entry) entry.querySelector(".message").focus({ preventScroll: true });
    else if (entry === null) flash("That message is not here, or not for you.", "error");
  }
}
