/** Telling what was read: what is on the screen of somebody who is looking at it. */
import { connection, people, me } from "chat/page";
import { list } from "chat/words";

const SETTLED = 600;

export class Reading {
  #timer = null;

  constructor(lastRead, newestInSight) {
    Object.assign(this, { lastRead, newestInSight });
    document.addEventListener("visibilitychange", () => this.look());
    addEventListener("focus", () => this.look());
  }

  /** Look in a moment; what flies past is not read. */
  look() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), SETTLED);
  }

  #tell() {
    if (document.hidden || !document.hasFocus()) return;
    const seen = this.newestInSight();
    if (!seen || seen <= this.lastRead) return;
    if (connection.send({ type: "read", room: connection.room, message: seen })) this.lastRead = seen;
  }
}

/** Who has read up to the newest message. */
export class Seen {
  #upTo = new Map();

  constructor(place) {
    this.place = place;
  }

  heard({ user, message }) {
    if (user !== me) this.#upTo.set(user, message);
  }

  show(newest) {
    const names = [...this.#upTo].filter(([, upTo]) => newest && upTo >= newest).map(([user]) => people.name(user));
    this.place.hidden = !names.length;
    this.place.textContent = names.length ? `Seen by ${list(names, 4)}` : "";
  }
}
