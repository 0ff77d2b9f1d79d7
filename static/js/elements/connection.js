/** Says calmly that the line is cut, what becomes of what one writes, and how to go on. */
import { delivery } from "chat/line";
import { connection, outbox, room } from "chat/page";

const QUIET = 2_000;
const CUT = room ? "Connecting again… What you write is kept, and sent then." : "Connecting again…";
const OFFLINE = room ? "You are offline. What you write is kept, and sent once you are back." : "You are offline.";
const BY_HTTP = "News come a little later here: this network lets no live connection through.";
const SIGNED_OUT = "You are signed out. What you wrote is kept: sign in again to go on.";
const ENDS = {
  expired: SIGNED_OUT,
  signed_out: SIGNED_OUT,
  gone: "You have signed out in another tab.",
  another: "Somebody else is signed in in this browser now.",
  left: "You are no longer in this room.",
};

customElements.define(
  "chat-connection",
  class extends HTMLElement {
    #timer = null;

    connectedCallback() {
      this.button = this.querySelector("[data-retry]");
      this.signIn = this.querySelector("[data-sign-in]");
      this.button.addEventListener("click", () => connection.hurry());
      connection.addEventListener("state", () => this.#changed());
      connection.addEventListener("reached", () => this.#show(BY_HTTP, "http"));
      connection.connect();
    }

    #changed() {
      const { state, reason } = connection;
      if (state === "live") this.#hide();
      if (state === "ended") this.#end(reason);
      if (state === "waiting") this.#timer ??= setTimeout(() => this.#cut(), QUIET);
    }

    #hide() {
      this.#settle();
      this.hidden = true;
      this.dataset.state = "live";
    }

    #cut() {
      this.#settle();
      if (this.dataset.state !== "http" || !delivery.way) this.#show(navigator.onLine ? CUT : OFFLINE, "waiting");
    }

    #end(reason) {
      this.#settle();
      document.querySelector(".room-foot")?.toggleAttribute("inert", true);
      if (reason === "left") outbox?.giveUp({ code: "not_found" });
      this.signIn.hidden = ["another", "left"].includes(reason);
      this.signIn.href = `/login/?next=${encodeURIComponent(location.pathname + location.search)}`;
      this.#show(ENDS[reason] ?? "The connection has ended.", "ended");
    }

    /** Said once, however often it is tried: who has it read aloud hears it once, too. */
    #show(words, state) {
      const says = this.querySelector("[data-says]");
      if (says.textContent !== words) says.textContent = words;
      this.dataset.state = state;
      this.button.hidden = state !== "waiting";
      this.hidden = false;
    }

    #settle() {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  },
);
