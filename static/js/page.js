/** What this page is about, and what its elements share. */
import { Connection } from "chat/connection";
import { outboxOf } from "chat/kept";
import { People } from "chat/people";

const { dataset } = document.body;
const origin = location.origin.replace(/^http/, "ws");

export const me = Number(dataset.me) || null;

/** What the reader may do in a place, as far as the page was told; it changes with the room. */
class Rights {
  #told;

  constructor(told) {
    this.#told = told;
  }

  get write() {
    return "mayWrite" in this.#told;
  }

  get manage() {
    return "mayManage" in this.#told;
  }

  get ask() {
    return "mayAsk" in this.#told;
  }

  get share() {
    return "mayShare" in this.#told;
  }

  get openSidebars() {
    return "mayOpenSidebars" in this.#told;
  }

  get shareBack() {
    return "mayShareBack" in this.#told;
  }
}

/** A room on the page: that of the page itself, and a side-bar beside it while one is open. */
class Place {
  #leaving = new AbortController();

  /** `root` holds its elements; `teller` has, as data attributes, what the server told of it. */
  constructor(root, teller, people, reads) {
    Object.assign(this, { root, teller, reads });
    const { dataset: told } = teller;
    this.room = Number(told.room) || null;
    this.mode = told.mode;
    this.role = told.role;
    this.editWindow = Number(told.editWindow || 0) * 1000;
    this.may = new Rights(told);
    this.people = new People(people, Number(told.participants) || people.length);
    this.outbox = this.room ? outboxOf(me, this.room, { signal: this.signal, name: told.roomName }) : null;
  }

  get url() {
    return this === main ? location.href : `/rooms/${this.room}/`;
  }

  /** Ends what was begun for this place when it goes. */
  get signal() {
    return this.#leaving.signal;
  }

  /** Hear a frame of this room, or, where `anywhere`, of any, until `signal`: else as long as it is there. */
  on(type, hear, { anywhere = false, signal = this.signal } = {}) {
    const heard = ({ detail: frame }) => {
      const of = frame?.room?.id ?? frame?.room;
      if (anywhere || !of || of === this.room) hear(frame);
    };
    connection?.addEventListener(type, heard, { signal });
  }

  leave() {
    this.#leaving.abort();
    others.delete(this.root);
  }
}

const others = new Map();

export const connection = dataset.socket
  ? new Connection({ url: origin + dataset.socket, me, room: Number(dataset.room) || null, cursor: dataset.cursor, hidden: () => document.hidden })
  : null;

export const main = new Place(document.getElementById("main"), document.body, peopleOf(document), readsOf(document));
export const { room, people, outbox } = main;

/** The place that an element of the page belongs to. */
export function placeOf(node) {
  return others.get(node.closest("[data-place]")) ?? main;
}

/** Have another place within `root`, whose data attributes tell of it, with these people, who have read so far. An older one of its room ends. */
export function addPlace(root, people, reads) {
  root.dataset.place = "";
  const place = new Place(root, root, people, reads);
  [...others.values()].filter(({ room: same }) => same === place.room).forEach((older) => older.leave());
  others.set(root, place);
  return place;
}

/** The place whose room's page has this address. */
export function placeAt(pathname) {
  return [main, ...others.values()].find((place) => new URL(place.url, location).pathname === pathname);
}

export function peopleOf(page) {
  return JSON.parse(page.getElementById("people")?.textContent ?? "[]");
}

export function readsOf(page) {
  return JSON.parse(page.getElementById("reads")?.textContent ?? "[]");
}

export function on(type, hear, options) {
  main.on(type, hear, options);
}
