/** In the list of rooms: how much of what one wrote elsewhere was not sent yet. */
import { waiting } from "chat/kept";
import { delivery } from "chat/line";
import { me, room } from "chat/page";

const show = () => {
  const link = document.querySelector("[data-unsent]");
  const count = waiting(me).filter((post) => post.room !== room).length;
  if (!link) return;
  link.hidden = !count;
  link.querySelector("[data-unsent-words]").textContent = `${count} not sent yet`;
};

delivery.addEventListener("changed", show);
addEventListener("storage", show);
show();
