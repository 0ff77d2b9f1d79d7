/**
 * Rooms in what is written. To the writer a room is `#its name`; what is posted says `<#5>`, which tells its
 * name to nobody: the page of a reader who is in that room puts it there.
 */
import { element, icon } from "chat/dom";

/** Code, in which nothing is a room. */
const CODE = "^ {0,3}(`{3,}|~{3,})[^]*?(?:^ {0,3}\\1|(?![^]))|(`+)[^`]+\\2";
const NUMBERED = new RegExp(`${CODE}|<#(\\d{1,18})>`, "gm");

/** Those of the list beside the page that have a name of their own. */
export function myRooms(list = document.querySelector("[data-list]")) {
  const rows = list?.querySelectorAll('.room-row:not([data-kind="direct"], [data-kind="sidebar"])') ?? [];
  return [...rows].map((row) => ({
    id: Number(row.dataset.room),
    name: row.querySelector(".room-name").textContent.trim(),
    sign: row.querySelector("use")?.getAttribute("href").replace("#icon-", "") ?? "hash",
  }));
}

export function suggestRooms(rooms, query, most = 7) {
  const sought = query.toLowerCase();
  const fits = ({ name }) => name.toLowerCase().split(/[\s-]+/).some((word) => word.startsWith(sought));
  return rooms.filter(fits).slice(0, most);
}

/** What was written, with rooms by number. Of two of the same name, it is the first in the list. */
export function numbered(text, rooms) {
  if (!text.includes("#") || !rooms.length) return text;
  const ids = new Map(rooms.toReversed().map(({ id, name }) => [name, id]));
  const names = [...ids.keys()].sort((a, b) => b.length - a.length).map((name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  const named = new RegExp(`${CODE}|(?<![\\w#&/])#(${names.join("|")})(?![\\p{L}\\p{N}_])`, "gmu");
  return text.replace(named, (all, fence, ticks, name) => (name === undefined ? all : `<#${ids.get(name)}>`));
}

/** And back, for those rooms one is in. */
export function named(text, rooms) {
  const names = new Map(rooms.map(({ id, name }) => [String(id), name]));
  return text.replace(NUMBERED, (all, fence, ticks, id) => (names.has(id) ? `#${names.get(id)}` : all));
}

/** Name the rooms that a rendered message links to, where one is in them. */
export function nameRooms(root, rooms = null) {
  const links = root.querySelectorAll(".room-link[data-room]");
  if (!links.length) return;
  const mine = new Map((rooms ?? myRooms()).map((room) => [room.id, room]));
  for (const link of links) {
    const room = mine.get(Number(link.dataset.room));
    if (room) link.replaceChildren(icon(room.sign), element("span", {}, room.name));
  }
}
