/** What was said: placed by id, renewed by version, fetched as one scrolls. */
import { api } from "chat/api";
import { connection, me, on, outbox, people, room } from "chat/page";
import { Stretch } from "chat/placing";
import { arrange, markUnread } from "chat/timeline/dividers";
import { describe, makeEntry, mark, nameWhispered, renew } from "chat/timeline/entry";
import { Pending } from "chat/timeline/pending";
import { Reading, Seen } from "chat/timeline/reading";
import { atEnd, keepPlace, show, toEnd } from "chat/timeline/scrolling";

const PAGE = 50;
const KEEP = 300;
const AHEAD = 900;

customElements.define(
  "chat-timeline",
  class extends HTMLElement {
    #fetching = null;
    #meanwhile = [];
    #fresh = 0;

    connectedCallback() {
      this.scroller = this.querySelector(".timeline-scroll");
      this.list = this.querySelector(".timeline-list");
      this.jump = this.querySelector("[data-jump-latest]");
      const flag = (name) => this.dataset[name] === "true";
      this.stretch = new Stretch();
      this.#adopt();
      Object.assign(this.stretch, { hasOlder: flag("hasOlder"), hasNewer: flag("hasNewer") });
      this.pending = new Pending(this.list, (change) => this.#steady(change, { follow: true }));
      this.reading = new Reading(Number(document.body.dataset.lastRead), () => this.#newestInSight());
      outbox.addEventListener("added", () => this.toLatest());
      this.seen = new Seen(this.querySelector("[data-seen]"));
      this.#listen();
      this.#land();
    }

    /** Bring a message to the middle of the screen, fetching what lies around it where it must. */
    async find(id) {
      if (!this.stretch.has(id)) await this.#around(id);
      const entry = this.#entry(id);
      if (entry) show(entry);
      return entry;
    }

    /** My newest message, if it is here. */
    get myLast() {
      return [...this.list.querySelectorAll(".entry[data-mine][data-entry] .message[data-kind=text]:not([data-deleted])")].at(-1);
    }

    // What the server rendered

    #adopt() {
      for (const entry of this.list.querySelectorAll(".entry")) {
        this.stretch.place(describe(entry.querySelector(".message")));
        mark(entry);
      }
      arrange(this.list);
    }

    #land() {
      const wanted = this.dataset.around && this.#entry(Number(this.dataset.around));
      const line = this.list.querySelector(".unread-line");
      if (wanted) show(wanted);
      else if (line) line.scrollIntoView({ block: "center" });
      else toEnd(this.scroller);
      this.#scrolled();
    }

    // What is heard

    #listen() {
      on("messages", ({ messages }) => this.#hear(messages));
      on("posted", ({ message }) => this.#hear([message]));
      on("reset", () => this.#empty());
      on("joined", (frame) => this.#start(frame));
      on("read", (frame) => this.#read(frame));
      people.addEventListener("changed", () => this.list.querySelectorAll(".entry[data-entry]").forEach(nameWhispered));
      this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
      this.jump.addEventListener("click", () => this.toLatest());
      this.list.addEventListener("click", (event) => this.#follow(event));
      new ResizeObserver(() => this.#stuck && toEnd(this.scroller)).observe(this.list);
      new ResizeObserver(() => this.#stuck && toEnd(this.scroller)).observe(this.scroller);
    }

    #hear(messages) {
      if (this.#fetching) this.#meanwhile.push(...messages);
      this.#steady(() => {
        messages.forEach((message) => this.#put(message, { live: true }));
        if (!document.hasFocus()) markUnread(this.list, this.reading.lastRead);
        else if (messages.some(({ author }) => author.id === me)) this.list.querySelector(".unread-line")?.remove();
      });
    }

    #start({ messages, has_older: hasOlder, me: seat }) {
      this.#fetching = null;
      this.#steady(() => {
        this.#empty();
        this.stretch.extend("older", messages, hasOlder, (message) => this.#put(message));
        if (seat) this.reading.lastRead = seat.last_read;
      });
      toEnd(this.scroller);
    }

    #read(frame) {
      if (frame.user === me) this.reading.lastRead = Math.max(this.reading.lastRead, frame.message);
      else this.seen.heard(frame);
      this.#showSeen();
    }

    // What is on the page

    #put(message, { live = false } = {}) {
      if (!message.article) return;
      const placed = this.stretch.place(message);
      if (placed.step === "replace") renew(this.#entry(message.id), message);
      if (placed.step === "insert") this.#insert(message, placed.before);
      if (live && message.author.id === me) this.pending.arrived(message.body);
      if (live && message.author.id !== me && message.version === 1 && message.id > (this.stretch.last ?? 0) - 1) this.#fresh += 1;
    }

    #insert(message, before) {
      const next = before === null ? this.list.querySelector(".entry-pending") : this.#entry(before);
      this.list.insertBefore(makeEntry(message), next);
    }

    #entry(id) {
      return this.list.querySelector(`:scope > [data-entry="${id}"]`);
    }

    #empty() {
      this.stretch.clear();
      this.list.querySelectorAll(":scope > :not(.entry-pending)").forEach((child) => child.remove());
    }

    /** Change the list: who reads the end goes on reading the end, who reads elsewhere stays there. */
    #steady(change, { follow = false } = {}) {
      const end = follow || (this.#stuck && !this.stretch.hasNewer);
      keepPlace(this.scroller, this.list, () => {
        change();
        arrange(this.list);
      });
      if (end) toEnd(this.scroller);
      this.#scrolled();
    }

    // Scrolling and fetching

    #stuck = false;

    #scrolled() {
      this.#stuck = atEnd(this.scroller);
      if (this.#stuck && !this.stretch.hasNewer) this.#fresh = 0;
      this.#showEdges();
      this.#showSeen();
      this.reading.look();
      const below = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
      if (this.stretch.hasOlder && this.scroller.scrollTop < AHEAD) this.#more("older");
      else if (this.stretch.hasNewer && below < AHEAD) this.#more("newer");
    }

    #more(side) {
      const query = side === "older" ? `before=${this.stretch.first}` : `after=${this.stretch.last}`;
      return this.#fetch(query, (page) => {
        const more = side === "older" ? page.has_older : page.has_newer;
        this.stretch.extend(side, page.messages, more, (message) => this.#put(message));
        for (const id of this.stretch.trim(side === "older" ? "newer" : "older", KEEP)) this.#entry(id).remove();
      });
    }

    #around(id) {
      return this.#fetch(`around=${id}`, (page) => this.#replace(page));
    }

    async toLatest() {
      if (this.stretch.hasNewer) await this.#fetch("", (page) => this.#replace(page));
      toEnd(this.scroller);
    }

    #replace(page) {
      this.#empty();
      this.stretch.extend("older", page.messages, page.has_older, (message) => this.#put(message));
      this.stretch.hasNewer = page.has_newer;
    }

    /** One page at a time. What is heard while it is under way is placed after it: it may be newer. */
    async #fetch(query, apply) {
      if (this.#fetching) return;
      const ours = (this.#fetching = {});
      this.#meanwhile = [];
      try {
        const page = await api(`rooms/${room}/messages/?render=html&limit=${PAGE}&${query}`);
        if (this.#fetching !== ours) return;
        this.#steady(() => {
          apply(page);
          this.#meanwhile.forEach((message) => this.#put(message));
        });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 2_000));
      } finally {
        if (this.#fetching === ours) this.#fetching = null;
      }
      this.#scrolled();
    }

    // Small things

    #showEdges() {
      const away = !this.#stuck || this.stretch.hasNewer;
      this.jump.hidden = !away;
      this.jump.toggleAttribute("data-fresh", this.#fresh > 0);
      const words = this.#fresh === 1 ? "1 new message" : `${this.#fresh} new messages`;
      this.jump.querySelector("[data-jump-words]").textContent = this.#fresh ? words : "Jump to latest";
      this.querySelector("[data-start]").hidden = this.stretch.hasOlder;
      this.querySelector('[data-loading="older"]').hidden = !this.stretch.hasOlder;
      this.querySelector('[data-loading="newer"]').hidden = !this.stretch.hasNewer;
    }

    #showSeen() {
      const spoken = this.list.querySelectorAll('.entry[data-entry] .message[data-kind="text"][data-audience="everyone"]');
      const newest = [...spoken].at(-1);
      this.seen.show(newest && !this.stretch.hasNewer ? Number(newest.dataset.id) : null);
    }

    #newestInSight() {
      const bottom = this.scroller.getBoundingClientRect().bottom;
      const entries = [...this.list.querySelectorAll(".entry[data-entry]")];
      const seen = entries.findLast((entry) => entry.getBoundingClientRect().top < bottom - 12);
      return seen && Number(seen.dataset.entry);
    }

    #follow(event) {
      const quote = event.target.closest("[data-jump]");
      if (!quote || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.find(Number(quote.dataset.jump));
    }
  },
);
