/** All that waits in this browser for who is signed in, room by room; sent from here, too, where that can be. */
import { Delivery } from "chat/delivery";
import { element, fromTemplate } from "chat/dom";
import { outboxOf, roomsWaiting, who } from "chat/kept";
import { audienceOf, offer, tell } from "chat/waiting";
import { mustBe, postAs } from "chat/writer";

const ASK_EVERY = 10_000;

customElements.define(
  "chat-waiting",
  class extends HTMLElement {
    #user = who()?.id ?? null;
    #rows = new Map();
    #timer = null;
    /** Whether nobody, or somebody else, has come to be signed in. */
    #isOver = false;

    connectedCallback() {
      this.delivery = new Delivery({ post: (...said) => postAs(this.#user, ...said).catch((error) => this.#heed(error)) });
      const rooms = this.#user ? roomsWaiting(this.#user) : [];
      for (const room of rooms) this.#add(room);
      this.#count();
      if (!rooms.length) return;
      this.#ask();
      addEventListener("online", () => this.#ask());
      // Who comes back may have signed in again meanwhile.
      addEventListener("focus", () => this.#isOver && this.#ask());
    }

    #add(room) {
      const outbox = outboxOf(this.#user, room);
      const link = element("a", { href: `/rooms/${room}/` }, outbox.name || `Room ${room}`);
      const section = element("section", { class: "waiting-room" }, element("h2", {}, link), element("ol", { class: "waiting-list" }));
      outbox.entries.forEach((entry) => this.#show(section, outbox, entry));
      outbox.addEventListener("found", ({ detail }) => this.#show(section, outbox, detail));
      outbox.addEventListener("changed", ({ detail }) => this.#rows.has(detail.post.client_id) && tell(this.#rows.get(detail.post.client_id), detail));
      for (const gone of ["settled", "discarded"]) outbox.addEventListener(gone, ({ detail }) => this.#hide(detail.post.client_id));
      this.delivery.add(room, outbox);
    }

    #show(section, outbox, entry) {
      // Where nothing of it waited any more it was taken away.
      if (!section.isConnected) this.querySelector("[data-rooms]").append(section);
      const row = fromTemplate("waiting-post");
      const said = audienceOf(entry.post);
      row.querySelector("[data-body]").textContent = entry.post.body || "(files)";
      row.querySelector(".audience-label").hidden = !said;
      row.querySelector(".audience-label").textContent = said;
      offer(row, outbox, entry.post);
      tell(row, entry);
      this.#rows.set(entry.post.client_id, row);
      section.querySelector("ol").append(row);
      this.#count();
    }

    #hide(id) {
      const row = this.#rows.get(id);
      const room = row?.closest(".waiting-room");
      row?.remove();
      this.#rows.delete(id);
      if (room && !room.querySelector("li")) room.remove();
      this.#count();
    }

    #count() {
      this.querySelector("[data-none]").hidden = this.#rows.size > 0;
    }

    /** Sent only as who wrote it; by a page of their new session where theirs was over. */
    async #ask() {
      clearTimeout(this.#timer);
      try {
        await mustBe(this.#user);
        if (this.#isOver) location.reload();
        else this.delivery.go("http");
      } catch (error) {
        this.#isOver ||= error.status === 401;
        if (this.#isOver) this.delivery.go(null);
        else this.#timer = setTimeout(() => this.#ask(), ASK_EVERY);
      }
    }

    #heed(error) {
      this.#isOver ||= error.status === 401;
      throw error;
    }
  },
);
