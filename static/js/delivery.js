/**
 * Brings what waits in outboxes to the server: by the socket while it is live, else, where the
 * server can be reached all the same, by HTTP. Tells "changed" when anything that waits does.
 */
const ANSWERED_WITHIN = 20_000;
const CHANGES = ["added", "found", "changed", "settled", "discarded"];

export class Delivery extends EventTarget {
  #outboxes = new Map();
  #way = null;

  /** `post(room, post, signal)` says it by HTTP, and gives its message. */
  constructor({ connection = null, post }) {
    super();
    Object.assign(this, { connection, post });
    connection?.addEventListener("state", ({ detail: state }) => this.go(state === "live" ? "socket" : null));
    connection?.addEventListener("posted", ({ detail: { client_id: id, message } }) => this.#each((outbox) => outbox.posted(id, message.id)));
    connection?.addEventListener("error", ({ detail: frame }) => frame.client_id && this.#each((outbox) => outbox.refused(frame.client_id, frame)));
  }

  /** In place of one that was there before. */
  add(room, outbox) {
    this.remove(room);
    this.#outboxes.set(room, outbox);
    for (const change of CHANGES) outbox.addEventListener(change, () => this.dispatchEvent(new Event("changed")));
    if (this.#way) this.#open(outbox, room);
  }

  remove(room) {
    this.#outboxes.get(room)?.close();
    this.#outboxes.delete(room);
  }

  get way() {
    return this.#way;
  }

  /** From now on by the "socket", by "http", or, with null, not at all. */
  go(way) {
    if (this.#way === way) return;
    this.#way = way;
    this.#each((outbox) => outbox.close());
    if (way) this.#each((outbox, room) => this.#open(outbox, room));
  }

  #open(outbox, room) {
    if (this.#way === "socket") outbox.open((post) => this.connection.send({ type: "post", room, ...post }));
    else outbox.open((post) => (this.#say(outbox, room, post), true));
  }

  async #say(outbox, room, post) {
    try {
      const message = await this.post(room, post, AbortSignal.timeout(ANSWERED_WITHIN));
      outbox.posted(post.client_id, message.id);
    } catch (error) {
      // Nobody, or somebody else, is signed in now: it waits for its writer.
      if (error.status === 401) this.go(null);
      else outbox.refused(post.client_id, error);
    }
  }

  #each(deed) {
    this.#outboxes.forEach(deed);
  }
}
