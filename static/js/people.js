/** Who is in the room, as far as the page was told. Tells "changed", "seen" of how they are, "said" of their status. */

/** Of more a page is not told. */
const TOLD_MOST = 100;
const ORDER = ["owner", "supervisor", "agent", "member", "customer", "viewer", "robot"];

export class People extends EventTarget {
  #people = new Map();
  #states = new Map();
  /** Who was told to have left, of those a page is not told. */
  #gone = new Set();

  /** `count` is of all who are there: of many a page is told some. */
  constructor(people = [], count = people.length) {
    super();
    this.#take(people, count);
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

  /** Whether they are here, as far as one can know. */
  mayBeHere(id) {
    return this.#people.has(id) || !(this.isWhole || this.#gone.has(id));
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

  start(people, count = people.length) {
    this.#people.clear();
    this.#gone.clear();
    this.#take(people, count);
    this.#tell();
  }

  /** A `room` frame's `{added, changed, removed}`. */
  change({ added = [], changed = [], removed = [] }) {
    this.#put([...added, ...changed]);
    for (const gone of removed.map((each) => each.id ?? each)) this.#people.delete(gone), this.#gone.add(gone);
    this.count = this.isWhole ? this.#people.size : this.count + added.length - removed.length;
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

  /** `isWhole` is whether that is everybody. */
  #take(people, count) {
    this.#put(people);
    Object.assign(this, { count, isWhole: people.length < TOLD_MOST });
  }

  #put(people) {
    for (const person of people) {
      this.#gone.delete(person.id);
      this.#people.set(person.id, { ...this.#people.get(person.id), ...person });
      if (person.presence) this.#states.set(person.id, person.presence);
    }
  }

  #tell() {
    this.dispatchEvent(new CustomEvent("changed"));
  }
}
