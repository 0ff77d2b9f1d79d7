/** The parts of a room's page, and what changes it as a whole. */
import "chat/elements/people";
import "chat/elements/timeline";
import "chat/elements/typing";
import "chat/elements/composer";
import "chat/elements/tools";
import "chat/elements/connection";
import { api } from "chat/api";
import { connection, on, people, room } from "chat/page";
import { refresh } from "chat/refresh";

let told = false;

/** What was missed of the people while the line was cut. */
on("synced", async () => {
  if (told) people.start((await api(`rooms/${room}/participants/`)).results);
  told = true;
});

on("room", ({ changed }) => {
  if (changed && Object.keys(changed).length) renew();
});

on("joined", () => told && renew());

function renew() {
  const writing = document.querySelector(".composer textarea")?.value;
  refresh(".room-head", ".timeline-start", ...(writing ? [] : [".room-foot"]));
}

document.addEventListener("visibilitychange", () => {
  connection.send({ type: "presence", state: document.hidden ? "away" : "active" });
});
