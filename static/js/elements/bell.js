/** Counts what one is told of, and tells it outside of the page while nobody looks. */
import { api } from "chat/api";
import { Attention } from "chat/notifications/attention";
import { Leader } from "chat/notifications/leader";
import { keepSubscribed } from "chat/notifications/push";
import { ring } from "chat/notifications/sound";
import { addressOf, tagOf, titleOf } from "chat/notifications/wording";
import { connection, me, on, room } from "chat/page";
import { refresh } from "chat/refresh";
import { atMost99 } from "chat/words";

const SETTLED = 800;
const looking = () => !document.hidden;

customElements.define(
  "chat-bell",
  class extends HTMLElement {
    #timer = null;
    #leader = new Leader(`notifications:${me}`, navigator.locks);
    #attention = new Attention(`looked-at:${me}`, navigator.locks);

    connectedCallback() {
      this.badge = this.querySelector("[data-count]");
      on("notification", (frame) => this.#told(frame), { anywhere: true });
      on("read", ({ user }) => user === me && this.#recount(), { anywhere: true });
      connection.addEventListener("state", () => this.#stand());
      document.addEventListener("visibilitychange", () => this.#look());
      this.#attention.note(looking());
      this.#stand();
      keepSubscribed(me);
    }

    #look() {
      this.#attention.note(looking());
      if (looking()) this.#recount();
    }

    #stand() {
      if (connection.state !== "live") return this.#leader.resign();
      this.#leader.stand();
      this.#recount();
    }

    async #told({ notification, quiet }) {
      if (looking() && notification.room.id === room) return; // it is being read
      this.#show(Number(this.dataset.unread) + 1);
      if (document.body.dataset.page === "notifications") this.#recount();
      if (!quiet && this.#leader.leads && !(await this.#attention.anybodyLooks())) this.#tell(notification);
    }

    async #tell(notification) {
      if ("sounds" in this.dataset) ring();
      if (!("browser" in this.dataset) || globalThis.Notification?.permission !== "granted") return;
      const { author, excerpt } = notification;
      const [title, url] = [titleOf(notification), addressOf(notification)];
      const options = { body: excerpt, tag: tagOf(notification), ...(author.avatar && { icon: author.avatar }) };
      const worker = await navigator.serviceWorker?.getRegistration();
      // On phones no page may show any; and the worker's outlasts the page.
      if (worker?.active) await worker.showNotification(title, { ...options, data: { url } });
      else leadTo(url, new Notification(title, options));
    }

    /** What was read elsewhere, or missed, the frames do not say. */
    #recount() {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(async () => {
        const { unread } = await api("notifications/?limit=1").catch(() => ({}));
        if (unread !== undefined) this.#show(unread);
        if (document.body.dataset.page === "notifications" && looking()) await refresh("#main");
      }, SETTLED);
    }

    #show(unread) {
      this.dataset.unread = unread;
      this.badge.hidden = !unread;
      this.badge.querySelector("[data-number]").textContent = atMost99(unread);
    }
  },
);

function leadTo(url, shown) {
  shown.onclick = () => {
    focus();
    location.assign(url);
    shown.close();
  };
}
