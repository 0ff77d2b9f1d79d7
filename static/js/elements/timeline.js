/** What was said: placed by id, renewed by version, fetched as one scrolls, folded away behind one. */
import { api } from "chat/api";
import { flash } from "chat/elements/flash";
import { me, placeOf } from "chat/page";
import { Stretch } from "chat/placing";
import { arrange } from "chat/timeline/dividers";
import { Edges } from "chat/timeline/edges";
import { describe, isToRead, makeEntry, mark, nameOthers, renew } from "chat/timeline/entry";
import { createdOf, Folds, idOf } from "chat/timeline/folds";
import { Pages } from "chat/timeline/pages";
import { Pending } from "chat/timeline/pending";
import { Reading } from "chat/timeline/reading";
import { Receipts } from "chat/timeline/receipts";
import { atEnd, Hold, lastInSight, show, toEnd } from "chat/timeline/scrolling";
import { Top } from "chat/timeline/top";
import { Unread } from "chat/timeline/unread";
import { Ways } from "chat/timeline/ways";
import { Whereabouts } from "chat/timeline/whereabouts";
import { Writing } from "chat/timeline/writing";

const PAGE = 50;
/** Put into the document at a time: more would be seen as a jerk. */
const AT_ONCE = 10;
/** Messages the page holds; in the document is what `folding` says. */
const KEEP = 20_000;
const AHEAD = 3_000;

customElements.define(
  "chat-timeline",
  class extends HTMLElement {
    #stuck = false;
    /** The message above which the line stands, and the runs of notes that are open. */
    #divided = { line: null, opened: new Set() };

    connectedCallback() {
      this.place = placeOf(this);
      const { people, room, root, teller } = this.place;
      this.scroller = this.querySelector(".timeline-scroll");
      this.list = this.querySelector(".timeline-list");
      this.stretch = new Stretch();
      this.hold = new Hold(this.scroller, this.list);
      this.folds = new Folds(this.scroller, this.list, (message) => this.#unfold(message));
      this.unread = new Unread();
      this.top = new Top(this, (moment) => this.#goTo(moment));
      this.ways = new Ways((id) => this.find(id), `/rooms/${room}/`);
      this.edges = new Edges(this);
      this.whereabouts = new Whereabouts(this, this.#divided);
      this.pages = new Pages((query) => api(`rooms/${room}/messages/?render=html&limit=${PAGE}&${query}`));
      this.writing = new Writing((id) => this.#entry(id)?.querySelector(".message"), root.querySelector("[data-aloud]"), people);
      this.receipts = new Receipts(this.place, this.list);
      this.reading = new Reading(this.place, Number(teller.dataset.lastRead), () => Number(lastInSight(this.scroller, this.list)?.dataset.entry));
      this.#adopt();
      this.pending = new Pending(this.place, this.list, this.stretch, (change) => this.#steady(change));
      this.#listen();
      this.#land();
    }

    /** Bring a message to the middle of the screen, fetching what lies around it where it must. Promises its entry; null where there is none, undefined where that could not be asked. */
    async find(id) {
      await this.pages.idle;
      if (!this.stretch.has(id) && !(await this.#demand(`around=${id}`))) return undefined;
      this.#reveal(id);
      const entry = this.#entry(id);
      if (!entry) return null;
      show(entry);
      this.#look();
      return entry;
    }

    async toLatest() {
      if ((await this.#latest()) === false) sayMissing();
    }

    async toStart() {
      await this.pages.idle;
      if (this.stretch.hasOlder) await this.#demand("after=0");
      if (this.stretch.first) this.#reveal(this.stretch.first);
      this.scroller.scrollTop = 0;
      this.#look();
    }

    /** Stand on the next message (1), or the one before it (-1); without one, on the last in sight. */
    step(by, from) {
      const all = [...this.list.querySelectorAll(":scope > [data-entry]:not([hidden])")];
      const at = from ? all.indexOf(from.closest(".entry")) + by : all.indexOf(lastInSight(this.scroller, this.list));
      if (all[at]) this.#standOn(all[at]);
      return Boolean(all[at]);
    }

    /** Stand on the first (-1) or the last (1) there is. */
    async stepTo(end) {
      await (end < 0 ? this.toStart() : this.toLatest());
      const all = [...this.list.querySelectorAll(":scope > [data-entry]:not([hidden])")];
      all.at(end < 0 ? 0 : -1)?.querySelector(".message").focus({ preventScroll: true });
    }

    /** Change something in the list from outside, as `#steady` does. */
    steadily(change) {
      this.#steady(change);
    }

    /** My newest message, if it is here. */
    get myLast() {
      return [...this.list.querySelectorAll("[data-mine][data-entry] .message[data-kind=text]:not([data-deleted])")].at(-1);
    }

    // What the server rendered

    #adopt() {
      const { hasOlder, hasNewer, unread } = this.dataset;
      this.unread.start(Number(unread), this.reading.lastRead);
      for (const entry of this.list.querySelectorAll(".entry")) {
        const message = describe(entry.querySelector(".message"));
        this.stretch.place(message);
        this.unread.hold(message, isToRead(message));
        mark(entry);
      }
      Object.assign(this.stretch, { hasOlder: hasOlder === "true", hasNewer: hasNewer === "true" });
      this.newest = Number(this.dataset.newest) || 0;
      this.#divided.line = Number(this.list.querySelector(".unread-line + .entry")?.dataset.entry) || null;
      arrange(this.list, this.#divided);
    }

    #land() {
      const around = Number(this.dataset.around);
      this.dataset.landed = "";
      if (around) this.#landOn(around);
      else if (this.#divided.line) this.#toLine();
      else toEnd(this.scroller);
      this.hold.remember();
      this.#showReceipts();
      this.#look();
    }

    #landOn(id) {
      this.#reveal(id);
      const entry = this.#entry(id);
      if (entry) show(entry);
      else flash("That message is not here, or not for you.", "error");
      if (!entry) this.list.querySelector(`[data-entry]`)?.scrollIntoView({ block: "center" });
    }

    #toLine() {
      this.list.querySelector(".unread-line")?.scrollIntoView({ block: "start" });
    }

    // What is heard

    #listen() {
      const { place } = this;
      place.on("messages", ({ messages }) => this.#hear(messages));
      place.on("delta", (delta) => this.writing.hear(delta, (change) => this.hold.keep(change)));
      place.on("reset", () => (this.writing.forget(), this.#empty()));
      place.on("joined", (frame) => this.#start(frame));
      place.on("read", (frame) => this.#read(frame));
      place.outbox.addEventListener("added", () => this.#latest());
      place.people.addEventListener("said", ({ detail: id }) => this.list.querySelectorAll(`[data-entry]:has(.message[data-author="${id}"])`).forEach((entry) => nameOthers(entry)));
      place.people.addEventListener("changed", () => this.#showReceipts());
      place.people.addEventListener("changed", () => this.list.querySelectorAll("[data-entry]").forEach((entry) => nameOthers(entry)));
      this.scroller.addEventListener("scroll", () => (this.hold.remember(), this.#look()), { passive: true });
      this.edges.jump.addEventListener("click", () => this.stepTo(1));
      this.edges.back.addEventListener("click", () => this.ways.back());
      this.list.addEventListener("click", (event) => this.#press(event));
      this.top.bar.addEventListener("submit", (event) => this.#readAll(event));
      this.top.bar.addEventListener("click", (event) => event.target.closest("a") && (event.preventDefault(), this.#goToLine()));
      const stay = new ResizeObserver(() => (this.#stuck ? toEnd(this.scroller) : this.hold.restore()));
      [this.list, this.scroller].forEach((part) => stay.observe(part));
    }

    #hear(messages) {
      this.pages.heard(messages);
      this.writing.heard(messages);
      this.newest = Math.max(this.newest, ...messages.map(({ id }) => id));
      this.#steady(() => {
        messages.forEach((message) => this.#news(message));
        this.writing.showWaiting();
        if (!document.hasFocus()) this.#divided.line = this.unread.first(this.reading.lastRead);
        else if (messages.some(({ author }) => author.id === me)) this.#divided.line = null;
      });
    }

    #news(message) {
      const isNew = message.version === 1 && message.id > (this.stretch.last ?? 0);
      this.#put(message, { aloud: isNew });
      const isMine = message.author.id === me;
      if (isMine && isNew) this.pending.arrived(message);
      if (!isMine && isNew && !this.stretch.has(message.id) && message.kind !== "system") this.unread.cameBeyond();
    }

    /** What is folded away below is not the end. */
    #showReceipts() {
      this.receipts.show(this.stretch.hasNewer || this.folds.has(this.stretch.last));
    }

    #start({ messages, has_older: hasOlder, me: seat, room, reads }) {
      this.receipts.start(reads);
      this.pages.drop();
      this.writing.heard(messages);
      this.reading.lastRead = seat.last_read;
      this.unread.start(room.unread, seat.last_read);
      this.#steady(() => this.#replace({ messages, has_older: hasOlder, has_newer: false }));
      this.writing.showWaiting();
      this.newest = this.stretch.last ?? 0;
      this.#toEnd();
    }

    #read(frame) {
      if (frame.user === me) this.reading.lastRead = Math.max(this.reading.lastRead, frame.message);
      else this.receipts.heard(frame);
      this.#showReceipts();
    }

    // What is on the page

    #put(message, { aloud = false } = {}) {
      const placed = this.stretch.place(message);
      if (placed.step === "pass") return;
      this.pending.placed(message.id);
      this.folds.keep(message);
      const created = Date.parse(message.created_at);
      this.unread.hold({ id: message.id, created }, isToRead({ author: message.author.id, kind: message.kind, deleted: message.deleted_at }));
      if (placed.step === "insert") this.#insert(message, placed.before, aloud);
      else if (!this.folds.has(message.id)) renew(this.#entry(message.id), message);
      if (message.status === "streaming") this.writing.show(message.id);
    }

    #insert(message, before, aloud) {
      const entry = this.#make(message, aloud);
      this.folds.find(before);
      const next = before === null ? this.list.querySelector(":scope > .entry-pending") : this.#entry(before);
      this.list.insertBefore(entry, next);
    }

    /** What was said before is not read out as if it were new. */
    #make(message, aloud) {
      const entry = makeEntry(message, this.place);
      if (!aloud) entry.setAttribute("aria-live", "off");
      this.dispatchEvent(new CustomEvent("entry", { detail: entry }));
      return entry;
    }

    #unfold(message) {
      return this.#make(message, false);
    }

    #entry(id) {
      return this.list.querySelector(`:scope > [data-entry="${id}"]`);
    }

    #empty() {
      this.stretch.clear();
      this.folds.clear();
      this.unread.clear();
      this.list.querySelectorAll(":scope > :not(.entry-pending)").forEach((child) => child.remove());
    }

    #replace(page) {
      this.#empty();
      this.stretch.extend("older", page.messages, page.has_older, (message) => this.#put(message));
      this.stretch.hasNewer = page.has_newer;
    }

    /** Have it in the document, where one can see it. */
    #reveal(id) {
      if (this.folds.has(id)) this.#steady(() => this.folds.find(id));
      const run = this.#entry(id)?.hidden && this.list.querySelector(`[data-run~="${id}"]`);
      if (run) this.#toggle(run);
    }

    #arrange() {
      arrange(this.list, this.#divided);
      this.#showReceipts();
    }

    /** Change the list: who reads the end goes on reading the end, who reads elsewhere stays there. */
    #steady(change) {
      const end = this.#stuck && !this.stretch.hasNewer;
      this.hold.keep(() => {
        change();
        this.#arrange();
      });
      if (end) toEnd(this.scroller);
      this.hold.remember();
      this.#look();
    }

    // Scrolling and fetching

    #look() {
      if (!this.isConnected) return;
      this.#stuck = atEnd(this.scroller);
      this.whereabouts.look(this.#stuck);
      this.reading.look();
      this.#fold();
      const { scrollTop, scrollHeight, clientHeight } = this.scroller;
      if (this.pages.busy) return;
      if (this.stretch.hasOlder && scrollTop < AHEAD) this.#more("older", `before=${this.stretch.first}`, "newer");
      else if (this.stretch.hasNewer && scrollHeight - scrollTop - clientHeight < AHEAD) this.#more("newer", `after=${this.stretch.last}`, "older");
    }

    /** One page more at this end, bit by bit; what is too far away at the other goes. */
    #more(side, query, far) {
      this.#fetch(query, async ({ messages, [`has_${side}`]: more }, wanted) => {
        const rest = [...messages];
        do {
          const part = side === "older" ? rest.splice(-AT_ONCE) : rest.splice(0, AT_ONCE);
          this.#steady(() => this.stretch.extend(side, part, more || rest.length > 0, (message) => this.#put(message)));
          if (rest.length) await nextFrame();
        } while (rest.length && wanted());
        this.#forget(this.stretch.trim(far, KEEP));
      });
    }

    #forget(ids) {
      this.unread.forget(ids);
      this.folds.forget(ids);
      ids.forEach((id) => this.#entry(id)?.remove());
    }

    async #fetch(query, apply) {
      const fetched = await this.pages.fetch(query, async (page, meanwhile, wanted) => {
        await apply(page, wanted);
        if (wanted()) this.#steady(() => meanwhile.forEach((message) => this.#put(message)));
      });
      this.#look();
      return fetched;
    }

    /** As `Pages` fetches. */
    #refetch(query) {
      return this.#fetch(query, (page) => this.#steady(() => this.#replace(page)));
    }

    /** Somebody asks for it: where it could not be had, they are told. */
    async #demand(query) {
      const fetched = await this.#refetch(query);
      if (fetched === false) sayMissing();
      return fetched;
    }

    /** To what was said last, as far as it can be had. */
    async #latest() {
      await this.pages.idle;
      this.ways.forget();
      const fetched = this.stretch.hasNewer ? await this.#refetch("") : true;
      this.#toEnd();
      return fetched;
    }

    #toEnd() {
      toEnd(this.scroller);
      this.#look();
    }

    /** Fold away what is far, and have back what is near: what one would miss at once, the rest a little at a time. */
    #fold() {
      const { changes, more } = this.folds.due();
      if (changes.length) {
        this.hold.keep(() => {
          changes.forEach((change) => change());
          this.#arrange();
        });
        if (this.#stuck) toEnd(this.scroller);
        this.hold.remember();
      }
      if (more) this.soon ??= requestAnimationFrame(() => ((this.soon = null), this.#look()));
    }

    // Going elsewhere

    #goToLine() {
      const { line } = this.#divided;
      if (!this.stretch.has(line)) return this.find(line);
      this.#reveal(line);
      this.#toLine();
      return this.#look();
    }

    /** To the first message said at `moment` or later; null is the beginning. */
    async #goTo(moment) {
      if (moment === null) return this.toStart();
      await this.pages.idle;
      if (!(await this.#demand(`at=${new Date(moment).toISOString()}`))) return undefined;
      const entries = [...this.list.querySelectorAll(":scope > [data-entry]")];
      const entry = entries.find((each) => createdOf(each) >= moment);
      if (!entry) return flash("Nothing was said since then."), this.#toEnd();
      this.#reveal(idOf(entry));
      show(entry, { block: "start" });
      return this.#look();
    }

    /** Nothing is new any more, wherever one is. */
    async #readAll(event) {
      event.preventDefault();
      try {
        await api(`rooms/${this.place.room}/read/`, { method: "POST", body: { message: this.newest } });
      } catch (error) {
        return flash(error.message, "error");
      }
      this.reading.lastRead = Math.max(this.reading.lastRead, this.newest);
      this.#divided.line = null;
      this.unread.start(0, this.newest);
      return this.#steady(() => {});
    }

    /** Runs of notes are opened, quotes and links to messages of this room followed. */
    #press(event) {
      const run = event.target.closest("[data-run]");
      if (run) this.#toggle(run);
      else this.ways.follow(event);
    }

    #toggle(run) {
      const { opened } = this.#divided;
      const isOpen = run.getAttribute("aria-expanded") === "true";
      for (const id of run.dataset.run.split(" ").map(Number)) isOpen ? opened.delete(id) : opened.add(id);
      this.#steady(() => {});
    }

    #standOn(entry) {
      const article = entry.querySelector(".message");
      article.focus({ preventScroll: true });
      article.scrollIntoView({ block: "nearest" });
    }
  },
);

function sayMissing() {
  flash("That could not be fetched. Try again in a moment.", "error");
}

/** Where nothing is drawn, nothing is waited for. */
function nextFrame() {
  return document.hidden ? undefined : new Promise((resolve) => requestAnimationFrame(resolve));
}
