/** Where one can go: the rooms of the list beside the page, and what the server finds besides. */
import { api } from "chat/api";
import { me, people as here, room } from "chat/page";
import { fetchPage } from "chat/refresh";

const KEPT = 12;
const STORE = `visited:${me}`;
const LOOKED_FOR = 8;

/** Keys of the rooms one was in last on this device, the latest first. */
export function recent() {
  try {
    return JSON.parse(localStorage.getItem(STORE)) ?? [];
  } catch {
    return [];
  }
}

if (room) localStorage.setItem(STORE, JSON.stringify([`room:${room}`, ...recent().filter((key) => key !== `room:${room}`)].slice(0, KEPT)));

/** All rooms of the list; a page without one has it fetched. */
export async function listed() {
  const list = document.querySelector("[data-list]") ?? (await fetchPage("/")).page.querySelector("[data-list]");
  return [...(list?.querySelectorAll(".room-row") ?? [])].map(roomOf);
}

function roomOf(row) {
  const link = row.querySelector("a");
  const number = (name) => Number.parseInt(row.querySelector(`[data-count="${name}"] [data-number]`)?.textContent, 10) || 0;
  return {
    kind: "room",
    key: `room:${row.dataset.room}`,
    name: row.querySelector(".room-name").textContent,
    url: link.getAttribute("href"),
    sign: row.querySelector(".avatar, .room-glyph")?.cloneNode(true),
    unread: "unread" in row.dataset ? number("unread") || number("mentions") || 1 : 0,
    mentions: number("mentions"),
    muted: "muted" in row.dataset,
    here: link.hasAttribute("aria-current"),
    other: Number(row.querySelector("[data-presence]")?.dataset.presence) || null,
    detail: row.dataset.kind === "sidebar" ? "Side-bar" : null,
  };
}

/** Those one is with, who need not be looked up. */
export function around() {
  return here.all.filter(({ id, kind }) => id !== me && ["person", "robot"].includes(kind)).map(personOf);
}

/** Rooms and people by that name beyond the list: those one may find, and no others. */
export async function lookUp(query, { people, rooms }) {
  const q = encodeURIComponent(query);
  const asked = [
    api(`rooms/?scope=mine&q=${q}&limit=${LOOKED_FOR}`).then(({ results }) => results.map((found) => placeOf(found))),
    rooms ? api(`rooms/?scope=public&q=${q}&limit=${LOOKED_FOR}`).then(({ results }) => results.map((found) => placeOf(found))) : [],
    people ? api(`users/?q=${q}`).then(({ results }) => results.filter(({ id }) => id !== me).slice(0, LOOKED_FOR).map(personOf)) : [],
  ];
  const answers = await Promise.allSettled(asked);
  return answers.flatMap(({ value }) => value ?? []);
}

function placeOf({ id, name, mode, visibility, parent, state, me: seat, unread, mentions }) {
  const about = parent ? "Side-bar" : mode === "support" ? "Support" : seat ? null : "Public, not joined";
  const icon = parent ? "beside" : mode === "support" ? "support" : visibility === "public" ? "hash" : "lock";
  return { kind: "room", key: `room:${id}`, name, url: `/rooms/${id}/`, icon, unread, mentions, muted: seat?.muted, detail: state === "archived" ? "Archived" : about };
}

function personOf(person) {
  return { kind: "person", key: `user:${person.id}`, name: person.name, also: person.handle, person, detail: `@${person.handle}` };
}

/** What is listed, and what was found besides: each room once, and nobody beside the room one has with them. */
export function together(rooms, found) {
  const known = new Set(rooms.flatMap(({ key, other }) => [key, `user:${other}`]));
  return [...rooms, ...found.filter(({ key }) => !known.has(key) && known.add(key))];
}
