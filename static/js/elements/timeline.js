/** What was said: placed by id, renewed by version, fetched as one scrolls. */
import { api } from "chat/api";
import { me, on, outbox, people, room } from "chat/page";
import { Stretch } from "chat/placing";
import { arrange, markUnread } from "chat/timeline/dividers";
import { Edges } from "chat/timeline/edges";
import { describe, makeEntry, mark, nameWhispered, renew } from "chat/timeline/entry";
import { Pages } from "chat/timeline/pages";
import { Pending } from "chat/timeline/pending";
import { Reading, Seen } from "chat/timeline/reading";
import { atEnd, keepPlace, lastInSight, show, toEnd } from "chat/timeline/scrolling";

const PAGE = 50;
const KEEP = 300;
const AHEAD = 900;

customElements.define(
  "chat-timeline",
  class extends HTMLElement {
    #stuck = false;

    connectedCallback() {
      this.scroller = this.querySelector(".timeline-scroll");
      this.list = this.querySelector(".timeline-list");
      this.stretch = new Stretch();
      this.edges = new Edges(this);
      this.pages = new Pages((query) => api(`rooms/${room}/messages/?render=html&limit=${PAGE}&${query}`));
      this.seen = new Seen(this.querySelector("[data-seen]"));
      this.reading = new Reading(Number(document.body.dataset.lastRead), () => Number(lastInSight(this.scroller, this.list)?.dataset.entry));
      this.#adopt();
      this.pending = new Pending(this.list, this.stretch, (change) => this.#steady(change));
      this.#listen();
      this.#land();
    }

    /** Bring a message to the middle of the screen, fetching what lies around it where it must. */
    async find(id) {
      await this.pages.idle;
      if (!this.stretch.has(id)) await this.#fetch(`around=${id}`, (page) => this.#replace(page));
      const entry = this.#entry(id);
      if (entry) show(entry);
    }

    async toLatest() {
      await this.pages.idle;
      if (this.stretch.hasNewer) await this.#fetch("", (page) => this.#replace(page));
      toEnd(this.scroller);
    }

    /** My newest message, if it is here. */
    get myLast() {
      return [...this.list.querySelectorAll("[data-mine][data-entry] .message[data-kind=text]:not([data-deleted])")].at(-1);
    }

    // What the server rendered

    #adopt() {
      for (const entry of this.list.querySelectorAll(".entry")) {
        this.stretch.place(describe(entry.querySelector(".message")));
        mark(entry);
      }
      const { hasOlder, hasNewer } = this.dataset;
      Object.assign(this.stretch, { hasOlder: hasOlder === "true", hasNewer: hasNewer === "true" });
      arrange(this.list);
    }

    #land() {
      const wanted = this.dataset.around && this.#entry(Number(this.dataset.around));
      const line = this.list.querySelector(".unread-line");
      if (wanted) show(wanted);
      else if (line) line.scrollIntoView({ block: "center" });
      else toEnd(this.scroller);
      this.#look();
    }

    // What is heard

    #listen() {
      on("messages", ({ messages }) => this.#hear(messages));
      on("reset", () => this.#empty());
      on("joined", (frame) => this.#start(frame));
      on("read", (frame) => this.#read(frame));
      outbox.addEventListener("added", () => this.toLatest());
      people.addEventListener("changed", () => this.list.querySelectorAll("[data-entry]").forEach(nameWhispered));
      this.scroller.addEventListener("scroll", () => this.#look(), { passive: true });
      this.edges.jump.addEventListener("click", () => this.toLatest());
      this.list.addEventListener("click", (event) => this.#follow(event));
      const stay = new ResizeObserver(() => this.#stuck && toEnd(this.scroller));
      [this.list, this.scroller].forEach((part) => stay.observe(part));
    }

    #hear(messages) {
      this.pages.heard(messages);
      this.#steady(() => {
        messages.forEach((message) => this.#news(message));
        if (!document.hasFocus()) markUnread(this.list, this.reading.lastRead);
        else if (messages.some(({ author }) => author.id === me)) this.list.querySelector(".unread-line")?.remove();
      });
    }

    #news(message) {
      const isNew = message.version === 1 && message.id > (this.stretch.last ?? 0);
      this.#put(message);
      if (message.author.id === me) this.pending.arrived(message);
      else if (isNew) this.edges.came();
    }

    #start({ messages, has_older: hasOlder, me: seat }) {
      this.pages.drop();
      this.#steady(() => this.#replace({ messages, has_older: hasOlder, has_newer: false }));
      this.reading.lastRead = seat.last_read;
      toEnd(this.scroller);
    }

    #read(frame) {
      if (frame.user === me) this.reading.lastRead = Math.max(this.reading.lastRead, frame.message);
      else this.seen.heard(frame);
      this.#showSeen();
    }

    // What is on the page

    #put(message) {
      const placed = this.stretch.place(message);
      if (placed.step === "replace") renew(this.#entry(message.id), message);
      if (placed.step === "insert") this.#insert(message, placed.before);
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

    #replace(page) {
      this.#empty();
      this.stretch.extend("older", page.messages, page.has_older, (message) => this.#put(message));
      this.stretch.hasNewer = page.has_newer;
    }

    /** Change the list: who reads the end goes on reading the end, who reads elsewhere stays there. */
    #steady(change) {
      const end = this.#stuck && !this.stretch.hasNewer;
      keepPlace(this.scroller, this.list, () => {
        change();
        arrange(this.list);
      });
      if (end) toEnd(this.scroller);
      this.#look();
    }

    // Scrolling and fetching

    #look() {
      this.#stuck = atEnd(this.scroller);
      this.edges.show(this.stretch, this.#stuck);
      this.#showSeen();
      this.reading.look();
      const { scrollTop, scrollHeight, clientHeight } = this.scroller;
      if (this.pages.busy) return;
      if (this.stretch.hasOlder && scrollTop < AHEAD) this.#more("older", `before=${this.stretch.first}`, "newer");
      else if (this.stretch.hasNewer && scrollHeight - scrollTop - clientHeight < AHEAD) this.#more("newer", `after=${this.stretch.last}`, "older");
    }

    /** One page more at this end; what is too far away at the other goes. */
    #more(side, query, far) {
      this.#fetch(query, (page) => {
        this.stretch.extend(side, page.messages, page[`has_${side}`], (message) => this.#put(message));
        for (const id of this.stretch.trim(far, KEEP)) this.#entry(id).remove();
      });
    }

    async #fetch(query, apply) {
      await this.pages.fetch(query, (page, meanwhile) =>
        this.#steady(() => {
          apply(page);
          meanwhile.forEach((message) => this.#put(message));
        }),
      );
      this.#look();
    }

    // Small things

    /** Below a whisper it would look as if others had seen that. */
    #showSeen() {
      const newest = [...this.list.querySelectorAll('[data-entry] .message[data-kind="text"]')].at(-1);
      const isLast = !this.stretch.hasNewer && !this.list.querySelector(".entry-pending");
      const isForAll = isLast && newest?.dataset.audience === "everyone";
      this.seen.show(isForAll ? Number(newest.dataset.id) : null);
    }

    #follow(event) {
      const quote = event.target.closest("[data-jump]");
      if (!quote || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.find(Number(quote.dataset.jump));
    }
  },
);
