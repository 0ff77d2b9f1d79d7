/**
 * What was written for a room and is not yet known to have arrived, in order. One post is under
 * way at a time, whichever tab sends it, with the same `client_id` until it is answered, so that
 * the order holds and nothing is said twice. Kept in `store` (localStorage: it is written before
 * the composer is emptied), so that neither a reload nor the browser's end loses anything.
 *
 * An entry is `{post, state, error, tried}`: `state` is "queued", "sent" or "failed", and `tried`
 * says whether it may have arrived already.
 * Tells: "added" (written here), "found" (written in another tab), "changed", "settled",
 * "discarded" (`event.detail` is the entry).
 */
import { atOnce } from "chat/turns";

const PAUSE = 2_000;
const LONGEST_PAUSE = 30_000;

export class Outbox extends EventTarget {
  #entries = [];
  #send = null;
  #timer = null;
  #pauses = 0;
  /** Whether a turn is asked for or ours, and what gives it back. */
  #asked = false;
  #release = null;

  /** `name` is the room's, kept along for pages that know no rooms. */
  constructor({ store, prefix, name = "", later = (deed, wait) => setTimeout(deed, wait), turn = atOnce }) {
    super();
    Object.assign(this, { store, prefix, later, turn });
    this.#entries = this.#kept();
    this.name = name || this.#entries.at(-1)?.name || "";
  }

  get entries() {
    return [...this.#entries];
  }

  add(post) {
    const entry = { post, state: "queued", error: null, tried: false };
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
    this.#done();
  }

  /** It has become this message. */
  posted(clientId, message) {
    const entry = this.#find(clientId);
    if (!entry) return;
    this.#pauses = 0;
    this.#drop(Object.assign(entry, { message }), "settled");
    this.#go();
  }

  refused(clientId, error) {
    const entry = this.#find(clientId);
    if (!entry) return;
    const forNow = error.retryable || error.code === "rate_limited";
    this.#turn(entry, forNow ? "queued" : "failed", error);
    if (forNow) this.#pause();
    this.#go();
  }

  /** None of it can be sent any more, for this reason. */
  giveUp(error) {
    this.#entries.filter(({ state }) => state !== "failed").forEach((entry) => this.#turn(entry, "failed", error));
  }

  retry(clientId) {
    const entry = this.#find(clientId);
    if (entry) this.#turn(entry, "queued");
    this.#next();
  }

  discard(clientId) {
    const entry = this.#find(clientId);
    if (!entry) return;
    const underWay = entry.state === "sent";
    this.#drop(entry, "discarded");
    if (underWay) this.#done();
    this.#next();
  }

  /** Another tab has written this under a key of the store, or taken it away (null). */
  heard(key, value) {
    if (!key?.startsWith(this.prefix)) return;
    const id = key.slice(this.prefix.length);
    if (!value) return this.discard(id);
    const entry = this.#find(id);
    const told = asKept(value);
    if (entry?.state === "sent") return;
    if (entry) this.#show(Object.assign(entry, { tried: told.tried }), told.state, told.error);
    else this.#meet(told);
    this.#next();
  }

  #meet(entry) {
    this.#entries.push(entry);
    this.#entries.sort((one, other) => (one.post.client_id < other.post.client_id ? -1 : 1));
    this.#tell("found", entry);
  }

  #next() {
    if (this.#asked || this.#timer || !this.#send || !this.#first()) return;
    this.#asked = true;
    this.turn((release) => this.#begin(release));
  }

  /** It is our turn; meanwhile another tab may have sent what we were to send. */
  #begin(release) {
    this.#release = release;
    this.#entries.filter((entry) => entry.kept && !this.#isKept(entry)).forEach((entry) => this.#drop(entry, "discarded"));
    const entry = this.#first();
    if (!entry || this.#timer || !this.#send?.(entry.post)) return this.#done();
    // Where it was answered within `send`, it is no more ours to mark.
    if (!this.#find(entry.post.client_id) || !this.#asked) return;
    entry.tried = true;
    this.#turn(entry, "sent");
  }

  /** Give the turn back. One that is only asked for comes yet. */
  #done() {
    if (!this.#release) return;
    this.#asked = false;
    this.#release();
    this.#release = null;
  }

  #go() {
    this.#done();
    this.#next();
  }

  #first() {
    return this.#entries.find((entry) => entry.state === "queued");
  }

  #pause() {
    const most = Math.min(LONGEST_PAUSE, PAUSE * 2 ** this.#pauses);
    this.#pauses += 1;
    this.#timer ??= this.later(() => {
      this.#timer = null;
      this.#next();
    }, most);
  }

  #turn(entry, state, error = null) {
    this.#show(entry, state, error);
    this.#keep(entry);
  }

  #show(entry, state, error) {
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

  #isKept(entry) {
    return this.store.getItem(this.prefix + entry.post.client_id) !== null;
  }

  #keep(entry) {
    const { post, tried, state } = entry;
    const error = state === "failed" ? pick(entry.error) : null;
    try {
      this.store.setItem(this.prefix + post.client_id, JSON.stringify({ post, tried, error, name: this.name }));
      entry.kept = true;
    } catch {
      // Full or forbidden: the post is kept while the page is.
    }
  }

  #kept() {
    return keysOf(this.store, this.prefix).map((key) => asKept(this.store.getItem(key)));
  }

  #tell(type, entry) {
    this.dispatchEvent(new CustomEvent(type, { detail: entry }));
  }
}

/** The keys of a store that begin so, in order. */
export function keysOf(store, prefix) {
  const keys = Array.from({ length: store.length }, (_, at) => store.key(at));
  return keys.filter((key) => key.startsWith(prefix)).sort();
}

function asKept(value) {
  const { post, tried, error, name } = JSON.parse(value);
  return { post, tried, error, name, state: error ? "failed" : "queued", kept: true };
}

function pick({ code, message, details }) {
  return { code, message, details };
}
