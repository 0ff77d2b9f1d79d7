/** Small faces beside the newest message each has read. */
import { element } from "chat/dom";
import { me } from "chat/page";
import { standing } from "chat/receipts";
import { describe } from "chat/timeline/entry";
import { entriesOf } from "chat/timeline/parts";
import { list as inWords } from "chat/words";

const FACES = 3;
const NAMES = 6;

export class Receipts {
  #upTo = new Map();

  constructor({ people, reads }, list) {
    Object.assign(this, { people, list });
    this.start(reads);
  }

  /** As the server tells it at once. */
  start(reads) {
    this.#upTo = new Map(reads.map(({ user, message }) => [user, message]));
  }

  heard({ user, message }) {
    this.#upTo.set(user, message);
  }

  /** Put the faces where they belong now; those that stay are left alone. `hasNewer`: the newest messages are not here. */
  show(hasNewer) {
    const entries = entriesOf(this.list);
    const messages = entries.map((entry) => describe(entry.querySelector(".message")));
    const last = messages.at(-1)?.id ?? 0;
    const reach = new Map([...this.#upTo].filter(([user, id]) => this.people.get(user) && !(hasNewer && id > last)));
    const found = standing(reach, messages, me);
    for (const entry of entries) this.#put(entry, found.get(Number(entry.dataset.entry)) ?? []);
  }

  #put(entry, users) {
    const there = entry.querySelector(":scope > .receipts");
    if ((there?.dataset.users ?? "") === users.join(" ")) return;
    there?.remove();
    if (users.length) entry.append(this.#faces(users));
  }

  #faces(users) {
    const more = users.length > FACES + 1 ? users.length - FACES : 0;
    const faces = users.slice(0, more ? FACES : users.length).map((user) => face(this.people.get(user)));
    const words = `Read by ${inWords(users.map((user) => this.people.name(user)), NAMES)}`;
    // They move along with every message: nobody wants that read aloud.
    return element("span", { class: "receipts", role: "img", tabindex: 0, "aria-label": words, "aria-live": "off", "data-users": users.join(" ") }, ...faces, more ? element("span", { class: "receipts-more" }, `+${more}`) : null);
  }
}

function face({ id, name, avatar, kind }) {
  return element("span", { class: "avatar", "data-tint": id % 10, "data-kind": kind, "aria-hidden": "true" }, avatar ? element("img", { src: avatar, alt: "" }) : (name || "?")[0].toUpperCase());
}
