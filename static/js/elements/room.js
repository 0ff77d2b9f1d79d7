/** The parts of a room's page, and what changes it as a whole. */
import "chat/elements/people";
import "chat/elements/timeline";
import "chat/elements/typing";
import "chat/elements/composer";
import "chat/elements/card";
import "chat/elements/tools";
import { connection, main, me, people } from "chat/page";
import { keepUp } from "chat/place";
import "chat/threads/board";
import { isComing } from "chat/threads/panel";

// Who is in the search box by now, or comes for a side-bar, is not brought here; who came for a message, which the
// browser stands on, is.
if (document.activeElement.matches("body, :target") && !isComing()) document.querySelector("#main chat-composer")?.begin();
keepUp(main, { moved: () => location.reload() });

connection.addEventListener("state", ({ detail: state }) => people.see(me, state === "live" ? "online" : "offline"));

document.addEventListener("visibilitychange", () => {
  connection.send({ type: "presence", state: document.hidden ? "away" : "active" });
});
