/** Who is writing just now; each is forgotten when they said they would be. */
export class Typists {
  #until = new Map();

  heard(user, seconds, now = Date.now()) {
    this.#until.set(user, now + seconds * 1000);
  }

  /** They have said it. */
  done(user) {
    this.#until.delete(user);
  }

  now(now = Date.now()) {
    for (const [user, until] of this.#until) if (until <= now) this.#until.delete(user);
    return [...this.#until.keys()];
  }
}
