/** Says calmly that the line is cut, and what becomes of it; and feeds the outbox when it is not. */
import { api } from "chat/api";
import { connection, on, outbox, room } from "chat/page";

const QUIET = 1_200;
const ENDS = {
  expired: "You have been signed out. Sign in again to go on.",
  signed_out: "You have been signed out. Sign in again to go on.",
  left: "You are no longer in this room.",
};

customElements.define(
  "chat-connection",
  class extends HTMLElement {
    #timer = null;

    connectedCallback() {
      this.button = this.querySelector("[data-retry]");
      this.button.addEventListener("click", () => connection.hurry());
      connection.addEventListener("state", () => this.#changed());
      connection.addEventListener("refused", () => this.#ask());
      on("posted", ({ client_id: id, message }) => outbox.posted(id, message.id));
      on("error", (frame) => frame.client_id && outbox.refused(frame.client_id, frame));
      addEventListener("online", () => connection.hurry());
      document.addEventListener("visibilitychange", () => document.hidden || connection.hurry());
      connection.connect();
    }

    #changed() {
      clearTimeout(this.#timer);
      const { state, reason } = connection;
      if (state === "live") {
        this.hidden = true;
        outbox.open((post) => connection.send({ type: "post", room, ...post }));
        return;
      }
      outbox.close();
      document.querySelector(".room-foot").inert = state === "ended";
      if (state === "ended") this.#show(ENDS[reason] ?? "The connection has ended.", state);
      if (state === "waiting") this.#timer = setTimeout(() => this.#show("Reconnecting… What you write is kept.", state), QUIET);
    }

    #show(words, state) {
      this.dataset.state = state;
      this.querySelector("[data-says]").textContent = words;
      this.button.hidden = state === "ended";
      this.hidden = false;
    }

    /** A refused socket does not say why; the API does. */
    async #ask() {
      try {
        await api("me/");
      } catch (error) {
        if (error.status === 401) connection.end("signed_out");
      }
    }
  },
);
