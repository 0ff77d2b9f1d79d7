/**
 * The page's one socket. It comes back by itself, each time a little later, and joins its room
 * with the last cursor it was given, so that nothing is missed and nothing comes twice.
 *
 * Tells: every frame as an event of its type (`event.detail` is the frame), and "state".
 */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;
const FINAL = new Set(["expired", "signed_out"]);

export class Connection extends EventTarget {
  state = "connecting";
  #socket = null;
  #failures = 0;
  #greeted = false;
  #timers = {};

  /** `open(url)` makes a socket; `chance()` is in [0, 1). Both are there for the tests. */
  constructor({ url, room = null, cursor = null, open = (url) => new WebSocket(url), chance = Math.random }) {
    super();
    Object.assign(this, { url, room, cursor, open, chance });
  }

  connect() {
    this.#cancel("again");
    if (this.state === "ended" || this.#socket) return;
    this.#say("connecting");
    const socket = (this.#socket = this.open(this.#address()));
    socket.onmessage = (event) => this.#hear(JSON.parse(event.data));
    socket.onclose = () => this.#lost(socket);
  }

  /** Try at once instead of waiting: the network is back, or the person asks. */
  hurry() {
    if (this.state !== "waiting") return;
    this.#failures = 0;
    this.connect();
  }

  send(frame) {
    if (this.state !== "live") return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
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

  #hear(frame) {
    if (frame.type === "hello") this.#greeted = true;
    if (frame.type === "pong") this.#cancel("silence");
    if (frame.type === "bye" && FINAL.has(frame.reason)) this.end(frame.reason);
    if (frame.type === "left" && frame.room === this.room) this.end("left");
    if (frame.type === "error" && frame.code === "not_found" && frame.room === this.room && !frame.client_id) this.end("left");
    this.dispatchEvent(new CustomEvent(frame.type, { detail: frame }));
    this.#follow(frame);
  }

  /** Keep the cursor of what was handled, and be live once the room has caught up. */
  #follow(frame) {
    const of = frame.type === "joined" ? frame.room?.id : frame.room;
    if (frame.cursor && of === this.room) this.cursor = frame.cursor;
    if (frame.type === "reset" && of === this.room) this.cursor = null;
    const caughtUp = this.room ? ["joined", "synced"].includes(frame.type) : frame.type === "hello";
    if (caughtUp && this.state === "connecting") {
      this.#failures = 0;
      this.#say("live");
      this.#ping();
    }
  }

  #ping() {
    this.#timers.ping = setTimeout(() => {
      if (!this.send({ type: "ping" })) return;
      this.#timers.silence = setTimeout(() => this.#lost(this.#socket), PONG_WITHIN);
      this.#ping();
    }, PING_EVERY);
  }

  #lost(socket) {
    if (!socket || socket !== this.#socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    this.#socket = null;
    ["ping", "silence"].forEach((name) => this.#cancel(name));
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
    const most = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.#failures - 1));
    return Math.round(most * (0.5 + this.chance() / 2));
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
