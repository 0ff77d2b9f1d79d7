/** Telling what was read: what is on the screen of somebody who is looking at it. */
import { tellRead } from "chat/line";
import { connection } from "chat/page";

const SETTLED = 600;

export class Reading {
  #timer = null;

  constructor({ room, signal }, lastRead, newestInSight) {
    Object.assign(this, { room, lastRead, newestInSight });
    document.addEventListener("visibilitychange", () => this.look(), { signal });
    addEventListener("focus", () => this.look(), { signal });
    // What was read while the line was cut.
    connection.addEventListener("state", () => this.look(), { signal });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
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
    if (tellRead(this.room, seen)) this.lastRead = seen;
  }
}
