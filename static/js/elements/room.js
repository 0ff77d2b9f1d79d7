/** The parts of a room's page, and what changes it as a whole. */
import "chat/elements/people";
import "chat/elements/timeline";
import "chat/elements/typing";
import "chat/elements/composer";
import "chat/elements/tools";
import "chat/elements/connection";
import { connection, me, on, people, role } from "chat/page";
import { fetchPage, refresh } from "chat/refresh";

let told = false;

/** What was missed of the people while the line was cut: the page knows. */
on("synced", async () => {
  if (told) {
    const { page } = await fetchPage(location.href);
    people.start(JSON.parse(page.getElementById("people").textContent));
  }
  told = true;
});

on("room", ({ changed }) => {
  if (changed && Object.keys(changed).length) renew();
});

on("joined", ({ me: seat }) => {
  if (seat.role !== role) location.reload();
  else if (told) renew();
  told = true;
});

function renew() {
  const writing = document.querySelector(".composer textarea")?.value;
  refresh(".room-head", ".timeline-start", ...(writing ? [] : [".room-foot"]));
}

connection.addEventListener("state", ({ detail: state }) => people.see(me, state === "live" ? "online" : "offline"));

document.addEventListener("visibilitychange", () => {
  connection.send({ type: "presence", state: document.hidden ? "away" : "active" });
});
