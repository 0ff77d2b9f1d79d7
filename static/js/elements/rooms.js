/** The list of rooms: found by name, and counting along. */
import { icon } from "chat/dom";
import { badge } from "chat/notifications/favicon";
import { connection, me, on, room } from "chat/page";
import { refresh } from "chat/refresh";
import { sign } from "chat/status";
import { atMost99 } from "chat/words";

const SETTLED = 800;
/** Who is there in rooms one is not in just now is looked up, not told. */
const LOOK_AGAIN = 60_000;
const FILTERS = {
  all: () => true,
  unread: (row) => "unread" in row.dataset,
  direct: (row) => row.dataset.kind === "direct",
};

customElements.define(
  "chat-rooms",
  class extends HTMLElement {
    #filter = "all";
    #timer = null;
    /** Whether it could not be fetched anew when there was something to fetch. */
    #isBehind = false;
    #title = document.title;

    connectedCallback() {
      this.search = this.querySelector("input[type=search]");
      this.search.addEventListener("input", () => this.#sift());
      this.search.addEventListener("keydown", (event) => this.#typed(event));
      this.querySelector("form").addEventListener("submit", (event) => this.#open(event));
      this.querySelector(".rooms-filter").addEventListener("click", (event) => this.#choose(event));
      on("activity", (frame) => this.#count(frame), { anywhere: true });
      on("read", (frame) => frame.user === me && this.#count({ room: frame.room, unread: 0, mentions: 0 }), { anywhere: true });
      on("status", ({ user, status }) => user === me && document.querySelector("[data-my-status]").replaceChildren(status ? sign(status) : icon("react", false)), { anywhere: true });
      on("left", () => this.renew(), { anywhere: true });
      on("room", ({ changed }) => changed && this.renew(), { anywhere: true });
      document.addEventListener("visibilitychange", () => this.renew());
      if (!room) setInterval(() => this.querySelector("[data-presence]") && this.renew(), LOOK_AGAIN);
      connection.addEventListener("state", ({ detail }) => detail === "live" && this.#isBehind && this.renew());
      if (!room) connection.connect();
      this.#showTotal();
    }

    get rows() {
      return [...this.querySelectorAll(".room-row")];
    }

    #sift() {
      const words = this.search.value.trim().toLowerCase();
      for (const row of this.rows) {
        const name = row.querySelector(".room-name").textContent.toLowerCase();
        row.hidden = !name.includes(words) || !FILTERS[this.#filter](row);
      }
      this.querySelector("[data-none]").hidden = !this.rows.length || this.rows.some((row) => !row.hidden);
    }

    #choose({ target }) {
      const button = target.closest("[data-filter]");
      if (!button) return;
      this.#filter = button.dataset.filter;
      for (const each of this.querySelectorAll("[data-filter]")) each.setAttribute("aria-pressed", String(each === button));
      this.#sift();
    }

    #open(event) {
      const first = this.rows.find((row) => !row.hidden);
      if (!first) return;
      event.preventDefault();
      first.querySelector("a").click();
    }

    #typed(event) {
      if (event.key === "Escape") {
        this.search.value = "";
        this.#sift();
        this.search.blur();
      }
      if (event.key === "ArrowDown") {
        event.preventDefault();
        this.rows.find((row) => !row.hidden)?.querySelector("a").focus();
      }
    }

    #count({ room: id, unread, mentions }) {
      const row = this.querySelector(`.room-row[data-room="${id}"]`);
      if (!row) return unread ? this.renew() : undefined;
      if (!unread && row.matches(".room-row-side:not(:has([aria-current]))")) row.remove();
      if (id === room) [unread, mentions] = [0, 0];
      row.toggleAttribute("data-unread", unread > 0);
      this.#badge(row, "mentions", mentions);
      this.#badge(row, "unread", mentions ? 0 : unread);
      this.#showTotal();
      if (document.body.dataset.page === "home") this.renew();
    }

    #badge(row, name, count) {
      const badge = row.querySelector(`[data-count="${name}"]`);
      badge.hidden = !count;
      badge.querySelector("[data-number]").textContent = atMost99(count);
    }

    #showTotal() {
      const waiting = this.rows.filter((row) => "unread" in row.dataset && !("muted" in row.dataset)).length;
      document.title = waiting ? `(${waiting}) ${this.#title}` : this.#title;
      badge(waiting);
    }

    /** Something the counts alone do not say: fetch the list, and the page of what waits. */
    renew() {
      clearTimeout(this.#timer);
      if (document.hidden) return;
      this.#timer = setTimeout(async () => {
        const home = document.body.dataset.page === "home";
        this.#isBehind = !(await refresh("[data-list]", ...(home ? ["#main"] : [])));
        this.#sift();
        this.#showTotal();
      }, SETTLED);
    }
  },
);
