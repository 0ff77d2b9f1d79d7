/** Writing: Enter sends, and what is sent goes through the outbox. */
import { Choice } from "chat/composer/choice";
import { Completing } from "chat/composer/completing";
import { Draft, draftKey } from "chat/composer/draft";
import { continued, FormatBar, formatted, linked } from "chat/composer/formatting";
import { goesOnInCode } from "chat/composer/marking";
import { Previewing } from "chat/composer/previewing";
import { replace } from "chat/composer/replacing";
import { Uploads } from "chat/composer/uploads";
import { openPicker } from "chat/emoji/picker";
import { flash } from "chat/elements/flash";
import { doTo } from "chat/elements/tools";
import { keys, WRITING } from "chat/keys";
import { robotsNamed } from "chat/mentions";
import { connection, me, placeOf } from "chat/page";
import { myRooms, numbered } from "chat/rooms";
import { uuid7 } from "chat/uuid";
import { tooLong } from "chat/words";

const TYPING_EVERY = 4_000;
const touch = matchMedia("(pointer: coarse)");

keys.add({ press: "Enter", words: "Send", group: WRITING });
keys.add({ press: "Shift+Enter", words: "New line", group: WRITING });
keys.add({ press: ["Alt+1", "Alt+2", "Alt+3"], words: "Choose who will see it", group: WRITING });
keys.add({ press: "ArrowUp", words: "Edit what you last wrote, in an empty box", group: WRITING });

customElements.define(
  "chat-composer",
  class extends HTMLElement {
    #replyTo = null;
    /** Who was to see it before a reply or a whisper was begun. */
    #before = null;
    #typed = 0;
    #gone = null;
    /** Two tabs that kept what they heard of each other would never end. */
    #following = false;

    connectedCallback() {
      this.#gone = new AbortController();
      this.place = placeOf(this);
      this.form = this.querySelector("form");
      this.textarea = this.form.elements.body;
      this.draft = new Draft(localStorage, draftKey(me, this.place.room), { told: () => dispatchEvent(new Event("draft")) });
      this.choice = new Choice(this.form, () => this.#chose(), { signal: this.#gone.signal });
      const uploads = this.querySelector("[data-uploads]");
      this.uploads = new Uploads(uploads, () => this.#changed(), uploads.dataset);
      this.completing = new Completing(this.textarea);
      this.previewing = new Previewing(this.form, this.place.room, () => this.#body);
      new FormatBar(this.querySelector("[data-formats]"), this.querySelector("[data-fold]"), this.textarea);
      this.#listen();
      this.#restore();
    }

    disconnectedCallback() {
      this.#gone.abort();
      this.uploads.cancel();
    }

    focus() {
      this.textarea.focus();
    }

    /** Its place has been opened: one may write at once, where no keyboard covers what one reads then. */
    begin() {
      if (!touch.matches) this.textarea.focus({ preventScroll: true });
    }

    /** The room is called otherwise now, as this newer box says. */
    call(newer) {
      for (const name of ["placeholder", "aria-label"]) this.textarea.setAttribute(name, newer.getAttribute(name));
    }

    /** Answer this message, to those who saw it. */
    reply(article) {
      const { id, author, audience, to = "" } = article.dataset;
      const ids = [...to.split(" ").filter(Boolean).map(Number), Number(author)].filter((each) => each !== me);
      this.#before ??= this.choice.value;
      this.choice.value = { audience, to: [...new Set(ids)] };
      const excerpt = article.querySelector("[data-body]")?.textContent.trim().slice(0, 140) ?? "";
      this.#showReply({ id: Number(id), author: this.place.people.name(Number(author)), excerpt });
      this.focus();
    }

    /** Name somebody where the caret is. */
    mention(handle) {
      this.#insert(`@${handle} `);
      this.focus();
    }

    /** Write to them alone. */
    whisper(id) {
      this.#before ??= this.choice.value;
      this.choice.value = { audience: "only", to: [id] };
      this.#changed();
      this.focus();
    }

    #listen() {
      this.form.addEventListener("submit", (event) => (event.preventDefault(), this.#send()));
      this.textarea.addEventListener("keydown", (event) => this.#pressed(event));
      this.textarea.addEventListener("input", () => (this.#ask(), this.#changed(), this.#tellTyping()));
      this.textarea.addEventListener("paste", (event) => linked(this.textarea, event) || this.#dropped(event, event.clipboardData));
      this.#takeDropped();
      addEventListener("storage", (event) => this.#heardOf(event), { signal: this.#gone.signal });
      this.querySelector("[data-emoji-button]").addEventListener("click", ({ currentTarget }) => openPicker(currentTarget, (emoji) => this.#insert(emoji), this.textarea));
      this.querySelector("[data-cancel-reply]").addEventListener("click", (event) => (event.preventDefault(), this.#endReply()));
      this.form.elements.files.addEventListener("change", ({ target }) => {
        this.uploads.add(target.files);
        target.value = "";
      });
    }

    #restore() {
      const { kept } = this.draft;
      if (kept && !this.textarea.value) this.#show(kept);
      const id = Number(this.form.elements.reply_to.value);
      const article = id && document.getElementById(`message-${id}`);
      if (article && !this.#replyTo) this.reply(article);
      this.#ask();
      this.#fit();
    }

    #show({ body, files, reply, ...choice }) {
      this.textarea.value = body;
      this.choice.value = choice;
      this.uploads.restore(files);
      if (reply) this.#showReply(reply);
    }

    /** What is written or sent in another tab is so here, too, unless this is the one in use. */
    #heardOf({ key }) {
      if (key !== this.draft.key || document.hasFocus() || this.uploads.busy) return;
      this.#following = true;
      this.#endReply();
      this.#restoreChoice();
      this.#show(this.draft.kept ?? { body: "", files: [], ...this.choice.value });
      this.#fit();
      this.#following = false;
    }

    /** Whether anything would be lost without it. */
    get isWriting() {
      return Boolean(this.textarea.value || this.uploads.any);
    }

    /** As it is posted. */
    get #body() {
      return numbered(this.textarea.value, myRooms());
    }

    #send() {
      const body = this.#body;
      const attachments = this.uploads.ids;
      if (this.choice.missing) return flash(this.choice.missing, "error");
      if (this.uploads.trouble) return flash(this.uploads.trouble, "error");
      const long = tooLong(body, Number(this.textarea.dataset.maxLength));
      if (long) return flash(long, "error");
      if (!body.trim() && !attachments.length) return;
      const post = { client_id: uuid7(), body, ...this.choice.value };
      if (this.#replyTo) post.reply_to = this.#replyTo.id;
      if (attachments.length) post.attachments = attachments;
      this.place.outbox.add(post);
      this.textarea.value = "";
      this.previewing.show(false);
      this.choice.sent();
      this.#ask();
      this.uploads.clear();
      this.#endReply();
      this.#restoreChoice();
      this.#changed();
      this.#typed = 0;
      this.focus();
    }

    #insert(words) {
      const { selectionStart: from, selectionEnd: to } = this.textarea;
      const end = from + words.length;
      replace(this.textarea, { from, to, put: words, start: end, end });
    }

    #pressed(event) {
      if (event.isComposing || this.completing.key(event) || formatted(this.textarea, event)) return;
      if (this.#choseAudience(event)) return event.preventDefault();
      if (event.key === "Enter" && this.#sends(event)) (event.preventDefault(), this.#send());
      else if (event.key === "Enter") continued(this.textarea, event);
      if (event.key === "Escape" && this.#replyTo) (event.preventDefault(), this.#endReply());
      if (event.key === "ArrowUp" && !this.textarea.value) {
        const mine = this.place.root.querySelector("chat-timeline").myLast;
        if (mine) (event.preventDefault(), doTo(mine, "edit"));
      }
    }

    /** By the key's place: with Alt, some keyboards write other signs than digits. */
    #choseAudience({ altKey, ctrlKey, metaKey, shiftKey, code }) {
      const [, digit] = /^Digit([1-3])$/.exec(code) ?? [];
      return altKey && !ctrlKey && !metaKey && !shiftKey && digit && this.choice.chooseAt(digit - 1);
    }

    /** Enter sends, but not from within code or on a phone, where a button is at hand; with Ctrl it always does. */
    #sends({ ctrlKey, metaKey, shiftKey }) {
      const { value, selectionStart } = this.textarea;
      return ctrlKey || metaKey || !(shiftKey || touch.matches || goesOnInCode(value, selectionStart));
    }

    /** Files may be dropped anywhere on this room. */
    #takeDropped() {
      const { root } = this.place;
      const heard = { signal: this.#gone.signal };
      const hold = (event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        event.stopPropagation();
        this.form.dataset.dropping = "";
      };
      root.addEventListener("dragover", hold, heard);
      root.addEventListener("dragleave", ({ relatedTarget }) => root.contains(relatedTarget) || delete this.form.dataset.dropping, heard);
      root.addEventListener("drop", (event) => this.#dropped(event, event.dataTransfer), heard);
    }

    #dropped(event, data) {
      delete this.form.dataset.dropping;
      if (!data.files.length) return;
      event.preventDefault();
      event.stopPropagation();
      this.uploads.add(data.files);
    }

    #showReply(reply) {
      this.#replyTo = reply;
      const place = this.querySelector("[data-reply]");
      place.hidden = false;
      place.querySelector("[data-reply-author]").textContent = reply.author;
      place.querySelector("[data-reply-excerpt]").textContent = reply.excerpt;
      this.#changed();
    }

    #endReply() {
      if (!this.#replyTo) return;
      this.#replyTo = null;
      this.form.elements.reply_to.value = "";
      this.querySelector("[data-reply]").hidden = true;
      this.#restoreChoice();
      this.#changed();
    }

    /** What a reply or a whisper has changed for its while. */
    #restoreChoice() {
      if (this.#before) this.choice.value = this.#before;
      this.#before = null;
    }

    /** Who turns from a whisper to others has chosen for good. */
    #chose() {
      if (!this.#replyTo && this.choice.audience !== "only") this.#before = null;
      this.#changed();
    }

    #ask() {
      this.choice.ask(robotsNamed(this.textarea.value, this.place.people.robots));
    }

    #changed() {
      if (!this.#following) this.draft.keep({ body: this.textarea.value, files: this.uploads.arrived, reply: this.#replyTo, ...this.choice.value });
      this.#fit();
    }

    /** Only where the browser does not fit the box to the text by itself. */
    #fit() {
      if (CSS.supports("field-sizing", "content")) return;
      this.textarea.style.blockSize = "auto";
      this.textarea.style.blockSize = `${this.textarea.scrollHeight}px`;
    }

    #tellTyping() {
      const now = Date.now();
      if (!this.textarea.value.trim() || this.choice.missing || now - this.#typed < TYPING_EVERY) return;
      this.#typed = now;
      connection.send({ type: "typing", room: this.place.room, ...this.choice.value });
    }
  },
);
