/**
 * The page's one socket. It comes back by itself, each time a little later, and joins its room,
 * and whichever others it was told to, with the last cursor it was given of each, so that nothing
 * is missed and nothing comes twice.
 *
 * Tells: every frame as an event of its type (`event.detail` is the frame), "state", and "refused"
 * where a socket did not come about.
 */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
/** A server that restarts has lost everybody at once: who is not looking comes back last. */
const RESTARTED_WAIT = 4_000;
const HIDDEN_RESTARTED_WAIT = 20_000;
const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;
/** What a line may take that was slept on, or that somebody has just come back to. */
const PROBED_WITHIN = 4_000;
/** So much later than it should have come, a timer has slept. */
const SLEPT = 5_000;
/** A line that says nothing for so long before it is live does not come about. */
const BEGUN_WITHIN = 15_000;
const FINAL = new Set(["expired", "signed_out"]);

export class Connection extends EventTarget {
  state = "connecting";
  #socket = null;
  #failures = 0;
  #greeted = false;
  #restarting = false;
  #heard = 0;
  #timers = {};
  /** By room, for those besides the page's own. */
  #cursors = new Map();

  /**
   * `me` is whose page it is; `hidden()`, whether nobody looks. `open(url)` makes a socket, and
   * `chance()` is in [0, 1): both are there for the tests.
   */
  constructor({ url, me = null, room = null, cursor = null, open = (url) => new WebSocket(url), chance = Math.random, hidden = () => false }) {
    super();
    Object.assign(this, { url, me, room, cursor, open, chance, hidden });
  }

  connect() {
    this.#cancel("again");
    if (this.state === "ended" || this.#socket) return;
    this.#say("connecting");
    const socket = (this.#socket = this.open(this.#address()));
    socket.onmessage = (event) => this.#hear(socket, JSON.parse(event.data));
    socket.onclose = () => this.#lost(socket);
    this.#begin(socket);
  }

  /** Try at once instead of waiting: the person asks. */
  hurry() {
    if (this.state !== "waiting") return;
    this.#failures = 0;
    this.connect();
  }

  /** The network changed, or somebody is back: a line that was lost is sought at once, one that seems live is asked. */
  wake() {
    this.hurry();
    if (this.state === "live" && Date.now() - this.#heard > SLEPT) this.#probe(PROBED_WITHIN);
  }

  /** Take a frame that came by another way. */
  take(frame) {
    this.dispatchEvent(new CustomEvent(frame.type, { detail: frame }));
    this.#follow(frame);
  }

  send(frame) {
    if (this.state !== "live") return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Hear another room, too, from this cursor on. */
  join(room, cursor = null) {
    this.#cursors.set(room, cursor);
    this.#sendJoin(room);
  }

  /** The rooms that are heard besides the page's own. */
  get others() {
    return [...this.#cursors.keys()];
  }

  /** How far a room was heard, or null. */
  cursorOf(room) {
    return room === this.room ? this.cursor : (this.#cursors.get(room) ?? null);
  }

  leave(room) {
    if (this.#cursors.delete(room)) this.send({ type: "leave", room });
  }

  /** No more: the reason stands until the page is left. */
  end(reason) {
    this.reason = reason;
    this.#say("ended");
    this.#socket?.close();
  }

  #address() {
    const query = new URLSearchParams({ render: "html" });
    if (this.cursor) query.set("cursor", this.cursor);
    return `${this.url}?${query}`;
  }

  #hear(socket, frame) {
    this.#heard = Date.now();
    this.#cancel("silence");
    if (this.state === "connecting") this.#begin(socket);
    if (frame.type === "hello") this.#greet(frame);
    if (frame.type === "bye") this.#restarting = frame.reason === "restarting";
    if (frame.type === "bye" && FINAL.has(frame.reason)) this.end(frame.reason);
    if (frame.type === "left" && frame.room === this.room) this.end("left");
    if (this.state === "connecting") this.#refuse(socket, frame);
    this.take(frame);
  }

  /** The room could not be joined: it is not there, or not just now. Later other things may fail in it: who loses it is told by `left`. */
  #refuse(socket, { type, code, retryable, room, client_id: post }) {
    if (type !== "error" || room !== this.room || post) return;
    if (code === "not_found") this.end("left");
    else if (retryable) this.#lost(socket);
  }

  /** The browser may have come to be another's: what is on this page is not for them. */
  #greet({ user }) {
    this.#greeted = true;
    if (this.me && user && user.id !== this.me) this.end("another");
  }

  #begin(socket) {
    this.#cancel("begin");
    this.#timers.begin = setTimeout(() => this.#lost(socket), BEGUN_WITHIN);
  }

  /** Keep the cursor of what was handled, and be live once the room has caught up. */
  #follow(frame) {
    const of = frame.type === "joined" ? frame.room?.id : frame.room;
    if (frame.cursor && of === this.room) this.cursor = frame.cursor;
    if (frame.type === "reset" && of === this.room) this.cursor = null;
    if (this.#cursors.has(of) && (frame.cursor || frame.type === "reset")) this.#cursors.set(of, frame.cursor ?? null);
    const caughtUp = this.room ? ["joined", "synced"].includes(frame.type) && of === this.room : frame.type === "hello";
    if (caughtUp && this.state === "connecting") {
      this.#failures = 0;
      this.#cancel("begin");
      this.#say("live");
      for (const other of this.#cursors.keys()) this.#sendJoin(other);
      this.#ping();
    }
  }

  #sendJoin(room) {
    const cursor = this.#cursors.get(room);
    this.send({ type: "join", room, ...(cursor && { cursor }) });
  }

  #ping() {
    const due = Date.now() + PING_EVERY;
    this.#timers.ping = setTimeout(() => {
      if (this.#probe(Date.now() - due > SLEPT ? PROBED_WITHIN : PONG_WITHIN)) this.#ping();
    }, PING_EVERY);
  }

  /** Ask whether anybody is there; a line on which nothing is heard counts as cut. */
  #probe(within) {
    if (!this.send({ type: "ping" })) return false;
    this.#cancel("silence");
    const socket = this.#socket;
    this.#timers.silence = setTimeout(() => this.#lost(socket), within);
    return true;
  }

  #lost(socket) {
    if (!socket || socket !== this.#socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    this.#socket = null;
    ["ping", "silence", "begin"].forEach((name) => this.#cancel(name));
    if (this.state === "ended") return;
    const refused = !this.#greeted;
    this.#greeted = false;
    this.#failures += 1;
    this.wait = this.#pause();
    this.#say("waiting");
    if (refused) this.dispatchEvent(new CustomEvent("refused"));
    if (this.state === "waiting") this.#timers.again = setTimeout(() => this.connect(), this.wait);
  }

  /** Doubling, and somewhere in its upper half, so that not all come back at the same moment. */
  #pause() {
    if (this.#restarting) return this.#pauseForRestart();
    const most = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.#failures - 1));
    return Math.round(most * (0.5 + this.chance() / 2));
  }

  #pauseForRestart() {
    this.#restarting = false;
    const most = this.hidden() ? HIDDEN_RESTARTED_WAIT : RESTARTED_WAIT;
    return FIRST_WAIT + Math.round((most - FIRST_WAIT) * this.chance());
  }

  #say(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #cancel(name) {
    clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }
}
