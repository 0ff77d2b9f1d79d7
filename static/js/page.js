/** What this page is about, and what its elements share. */
import { Connection } from "chat/connection";
import { Outbox } from "chat/outbox";
import { People } from "chat/people";

const { dataset } = document.body;
const origin = location.origin.replace(/^http/, "ws");

export const me = Number(dataset.me) || null;
export const room = Number(dataset.room) || null;
export const mode = dataset.mode;
export const role = dataset.role;
/** What the reader may do here, as far as the page was told; it changes with the room. */
export const may = {
  get write() {
    return "mayWrite" in dataset;
  },
  get manage() {
    return "mayManage" in dataset;
  },
  get share() {
    return "mayShare" in dataset;
  },
};
export const editWindow = Number(dataset.editWindow || 0) * 1000;

export const connection = dataset.socket
  ? new Connection({ url: origin + dataset.socket, room, cursor: dataset.cursor })
  : null;

export const people = new People(JSON.parse(document.getElementById("people")?.textContent ?? "[]"));

export const outbox = room ? new Outbox({ store: localStorage, prefix: `outbox:${me}:${room}:` }) : null;

/** Hear a frame of this page's room, or, where `anywhere`, of any. */
export function on(type, hear, { anywhere = false } = {}) {
  connection?.addEventListener(type, ({ detail: frame }) => {
    const of = frame?.room?.id ?? frame?.room;
    if (anywhere || !of || of === room) hear(frame);
  });
}
