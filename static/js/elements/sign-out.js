/** Signing out takes along what this browser kept: what was begun, and what was not sent. */
import { leave, remember, roomsWaiting, who, wipeOf, wipeWhoLeft } from "chat/kept";
import { connection, me } from "chat/page";

const LOSES = "Something you wrote was not sent yet. Sign out, and lose it?";

if (me) remember({ id: me });
else if (document.body.dataset.page === "login") wipeWhoLeft();

// Another tab has signed out, or somebody else in: this page is over.
addEventListener("storage", ({ key, newValue }) => {
  if (key !== "who" || !me) return;
  const now = JSON.parse(newValue ?? "null");
  if (now?.id === me) return;
  connection?.end(now ? "another" : "gone");
  if (!now) wipeOf(me);
});

customElements.define(
  "chat-sign-out",
  class extends HTMLElement {
    connectedCallback() {
      this.addEventListener("submit", (event) => {
        const user = me ?? who()?.id;
        if (!user) return;
        if (roomsWaiting(user).length && !confirm(LOSES)) event.preventDefault();
        else leave(user);
      });
    }
  },
);
