/**
 * What was written and is not yet known to have arrived, in order. One post is under way at a
 * time, with the same `client_id` until it is answered, so that the order holds and nothing is
 * said twice. Kept in `store` (as localStorage is), so that a reload loses nothing.
 *
 * Tells: "added", "changed", "settled", "discarded" (`event.detail` is the entry).
 */

const PAUSE = 2_000;

export class Outbox extends EventTarget {
  #entries = [];
  #send = null;
  #timer = null;

  constructor({ store, prefix, later = setTimeout }) {
    super();
    Object.assign(this, { store, prefix, later });
    this.#entries = this.#kept();
  }

  get entries() {
    return [...this.#entries];
  }

  add(post) {
    const entry = { post, state: "queued", error: null };
    this.#entries.push(entry);
    this.#keep(entry);
    this.#tell("added", entry);
    this.#next();
  }

  /** The way is open: `send(post)` says whether it went out. */
  open(send) {
    this.#send = send;
    this.#next();
  }

  /** The way is closed: what was under way is to be sent again. */
  close() {
    this.#send = null;
    this.#entries.filter((entry) => entry.state === "sent").forEach((entry) => this.#turn(entry, "queued"));
  }

  /** It has become this message. */
  posted(clientId, message) {
    const entry = this.#find(clientId);
    if (entry) this.#drop(Object.assign(entry, { message }), "settled");
    this.#next();
  }

  refused(clientId, error) {
    const entry = this.#find(clientId);
    if (!entry) return;
    if (error.retryable || error.code === "rate_limited") {
      this.#turn(entry, "queued", error);
      this.#pause();
    } else {
      this.#turn(entry, "failed", error);
      this.#next();
    }
  }

  retry(clientId) {
    const entry = this.#find(clientId);
    if (entry) this.#turn(entry, "queued");
    this.#next();
  }

  discard(clientId) {
    const entry = this.#find(clientId);
    if (entry) this.#drop(entry, "discarded");
    this.#next();
  }

  #next() {
    if (!this.#send || this.#timer) return;
    if (this.#entries.some((entry) => entry.state === "sent")) return;
    const entry = this.#entries.find((entry) => entry.state === "queued");
    if (entry && this.#send(entry.post)) this.#turn(entry, "sent");
  }

  #pause() {
    this.#timer ??= this.later(() => {
      this.#timer = null;
      this.#next();
    }, PAUSE);
  }

  #turn(entry, state, error = null) {
    Object.assign(entry, { state, error });
    this.#tell("changed", entry);
  }

  #drop(entry, event) {
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.store.removeItem(this.prefix + entry.post.client_id);
    this.#tell(event, entry);
  }

  #find(clientId) {
    return this.#entries.find((entry) => entry.post.client_id === clientId);
  }

  #keep(entry) {
    try {
      this.store.setItem(this.prefix + entry.post.client_id, JSON.stringify(entry.post));
    } catch {
      // Full or forbidden: the post is kept while the page is.
    }
  }

  #kept() {
    const keys = Array.from({ length: this.store.length }, (_, at) => this.store.key(at));
    const ours = keys.filter((key) => key.startsWith(this.prefix)).sort();
    return ours.map((key) => ({ post: JSON.parse(this.store.getItem(key)), state: "queued", error: null }));
  }

  #tell(type, entry) {
    this.dispatchEvent(new CustomEvent(type, { detail: entry }));
  }
}
