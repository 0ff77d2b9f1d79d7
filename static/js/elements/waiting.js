/** All that waits in this browser for who is signed in, room by room; sent from here, too, where that can be. */
import { api } from "chat/api";
import { Delivery } from "chat/delivery";
import { element, fromTemplate } from "chat/dom";
import { outboxOf, roomsWaiting, who } from "chat/kept";
import { audienceOf, offer, tell } from "chat/waiting";

const ASK_EVERY = 10_000;

customElements.define(
  "chat-waiting",
  class extends HTMLElement {
    #user = who()?.id ?? null;
    #rows = new Map();

    connectedCallback() {
      this.delivery = new Delivery({ post: (room, post, signal) => api(`rooms/${room}/messages/`, { method: "POST", body: post, signal }) });
      const rooms = this.#user ? roomsWaiting(this.#user) : [];
      for (const room of rooms) this.#add(room);
      this.#count();
      if (rooms.length) this.#ask();
      addEventListener("online", () => this.#ask());
    }

    #add(room) {
      const outbox = outboxOf(this.#user, room);
      const list = element("ol", { class: "waiting-list" });
      const link = element("a", { href: `/rooms/${room}/` }, outbox.name || `Room ${room}`);
      this.querySelector("[data-rooms]").append(element("section", { class: "waiting-room" }, element("h2", {}, link), list));
      outbox.entries.forEach((entry) => this.#show(list, outbox, entry));
      outbox.addEventListener("found", ({ detail }) => this.#show(list, outbox, detail));
      outbox.addEventListener("changed", ({ detail }) => this.#rows.has(detail.post.client_id) && tell(this.#rows.get(detail.post.client_id), detail));
      for (const gone of ["settled", "discarded"]) outbox.addEventListener(gone, ({ detail }) => this.#hide(detail.post.client_id));
      this.delivery.add(room, outbox);
    }

    #show(list, outbox, entry) {
      const row = fromTemplate("waiting-post");
      const said = audienceOf(entry.post);
      row.querySelector("[data-body]").textContent = entry.post.body || "(files)";
      row.querySelector(".audience-label").hidden = !said;
      row.querySelector(".audience-label").textContent = said;
      offer(row, outbox, entry.post);
      tell(row, entry);
      this.#rows.set(entry.post.client_id, row);
      list.append(row);
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

    /** Sent only as who wrote it. */
    async #ask() {
      try {
        const { id } = await api("me/");
        this.delivery.go(id === this.#user ? "http" : null);
      } catch (error) {
        if (error.status !== 401) setTimeout(() => this.#ask(), ASK_EVERY);
      }
    }
  },
);
