/** From room to room along the list, by keys. */
import { flash } from "chat/elements/flash";
import { ANYWHERE, keys } from "chat/keys";

/** The room before (-1) or after (+1) the one that is shown, of those that fit; round at the ends. */
function walk(by, fits) {
  const rows = [...document.querySelectorAll(".rooms .room-row:not([hidden])")];
  const here = rows.findIndex((row) => row.querySelector("[aria-current]"));
  const from = here < 0 && by < 0 ? 0 : here;
  const order = rows.map((_, step) => rows[(from + by * (step + 1) + rows.length * 2) % rows.length]);
  const next = order.find((row) => fits(row) && rows.indexOf(row) !== here);
  next?.querySelector("a").click();
  return next;
}

const isRoom = (row) => !row.matches(".room-row-side");
const isUnread = ({ dataset }) => "unread" in dataset && !("muted" in dataset);

export function nextUnread() {
  if (!walk(1, isUnread)) flash("Nothing is unread.");
}

function previousUnread() {
  if (!walk(-1, isUnread)) flash("Nothing is unread.");
}

const there = () => document.querySelector(".rooms");
keys.add({ press: "Alt+ArrowUp", words: "Room before", group: ANYWHERE, when: there, run: () => void walk(-1, isRoom) });
keys.add({ press: "Alt+ArrowDown", words: "Room after", group: ANYWHERE, when: there, run: () => void walk(1, isRoom) });
keys.add({ press: "Alt+Shift+ArrowUp", words: "Unread room before", group: ANYWHERE, when: there, run: previousUnread });
keys.add({ press: "Alt+Shift+ArrowDown", words: "Next unread room", group: ANYWHERE, when: there, run: nextUnread });
