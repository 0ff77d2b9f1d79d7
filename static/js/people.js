/** Who is in the room, as far as the page was told. Tells "changed", "seen" of how they are, "said" of their status. */

const ORDER = ["owner", "supervisor", "agent", "member", "customer", "viewer", "robot"];

export class People extends EventTarget {
  #people = new Map();
  #states = new Map();

  constructor(people = []) {
    super();
    this.#put(people);
  }

  /** Those here: by role, those online first, then by name. */
  get all() {
    const rank = (person) => [ORDER.indexOf(person.role), this.state(person.id) === "offline" ? 1 : 0];
    return [...this.#people.values()].sort((a, b) => {
      const [[roleA, awayA], [roleB, awayB]] = [rank(a), rank(b)];
      return roleA - roleB || awayA - awayB || a.name.localeCompare(b.name);
    });
  }

  get robots() {
    return this.all.filter(({ role }) => role === "robot");
  }

  get(id) {
    return this.#people.get(id);
  }

  name(id) {
    return this.#people.get(id)?.name ?? "somebody";
  }

  state(id) {
    return this.#states.get(id) ?? "offline";
  }

  /** Whether anything was told of how they are. */
  isTold(id) {
    return this.#states.has(id);
  }

  start(people) {
    this.#people.clear();
    this.#put(people);
    this.#tell();
  }

  /** A `room` frame's `{added, changed, removed}`. */
  change({ added = [], changed = [], removed = [] }) {
    this.#put([...added, ...changed]);
    removed.forEach((gone) => this.#people.delete(gone.id ?? gone));
    this.#tell();
  }

  see(id, state) {
    this.#states.set(id, state);
    this.dispatchEvent(new CustomEvent("seen", { detail: id }));
  }

  /** What they say of themselves now; null where nothing any more. Tells "said" of them. */
  say(id, status) {
    const person = this.#people.get(id);
    if (!person) return;
    person.status = status;
    this.dispatchEvent(new CustomEvent("said", { detail: id }));
  }

  #put(people) {
    for (const person of people) {
      this.#people.set(person.id, { ...this.#people.get(person.id), ...person });
      if (person.presence) this.#states.set(person.id, person.presence);
    }
  }

  #tell() {
    this.dispatchEvent(new CustomEvent("changed"));
  }
}
