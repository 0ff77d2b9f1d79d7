/** Writing: Enter sends, and what is sent goes through the outbox. */
import { Choice } from "chat/composer/choice";
import { Draft } from "chat/composer/draft";
import { Mentioning } from "chat/composer/mentioning";
import { Uploads } from "chat/composer/uploads";
import { flash } from "chat/elements/flash";
import { doTo } from "chat/elements/tools";
import { connection, me, outbox, people, room } from "chat/page";
import { uuid7 } from "chat/uuid";

const TYPING_EVERY = 4_000;
const touch = matchMedia("(pointer: coarse)");

customElements.define(
  "chat-composer",
  class extends HTMLElement {
    #replyTo = null;
    #before = null;
    #typed = 0;

    connectedCallback() {
      this.form = this.querySelector("form");
      this.textarea = this.form.elements.body;
      this.draft = new Draft(sessionStorage, `draft:${me}:${room}`);
      this.choice = new Choice(this.form, () => this.#changed());
      this.uploads = new Uploads(this.querySelector("[data-uploads]"), () => this.#changed());
      this.mentioning = new Mentioning(this.textarea);
      this.#listen();
      this.#restore();
      if (!touch.matches) this.textarea.focus({ preventScroll: true });
    }

    focus() {
      this.textarea.focus();
    }

    /** Answer this message, to those who saw it. */
    reply(article) {
      const { id, author, audience, to = "" } = article.dataset;
      const ids = [...to.split(" ").filter(Boolean).map(Number), Number(author)].filter((each) => each !== me);
      this.#before ??= this.choice.value;
      this.choice.value = { audience, to: [...new Set(ids)] };
      const excerpt = article.querySelector("[data-body]")?.textContent.trim().slice(0, 140) ?? "";
      this.#showReply({ id: Number(id), author: people.name(Number(author)), excerpt });
      this.focus();
    }

    #listen() {
      this.form.addEventListener("submit", (event) => (event.preventDefault(), this.#send()));
      this.textarea.addEventListener("keydown", (event) => this.#pressed(event));
      this.textarea.addEventListener("input", () => (this.#changed(), this.#tellTyping()));
      this.textarea.addEventListener("paste", (event) => this.#dropped(event, event.clipboardData));
      this.form.addEventListener("dragover", (event) => (event.preventDefault(), (this.form.dataset.dropping = "")));
      this.form.addEventListener("dragleave", () => delete this.form.dataset.dropping);
      this.form.addEventListener("drop", (event) => this.#dropped(event, event.dataTransfer));
      this.querySelector("[data-cancel-reply]").addEventListener("click", (event) => (event.preventDefault(), this.#endReply()));
      this.form.elements.files.addEventListener("change", ({ target }) => {
        this.uploads.add(target.files);
        target.value = "";
      });
    }

    #restore() {
      const kept = this.draft.kept;
      if (kept && !this.textarea.value) {
        this.textarea.value = kept.body;
        this.choice.value = kept;
        if (kept.reply) this.#showReply(kept.reply);
      }
      const id = Number(this.form.elements.reply_to.value);
      const article = id && document.getElementById(`message-${id}`);
      if (article && !this.#replyTo) this.reply(article);
      this.#fit();
    }

    #send() {
      const body = this.textarea.value;
      const attachments = this.uploads.ids;
      if (this.choice.missing) return flash(this.choice.missing, "error");
      if (this.uploads.busy) return flash("The files are still on their way.", "error");
      if (!body.trim() && !attachments.length) return;
      const post = { client_id: uuid7(), body, ...this.choice.value };
      if (this.#replyTo) post.reply_to = this.#replyTo.id;
      if (attachments.length) post.attachments = attachments;
      outbox.add(post);
      this.textarea.value = "";
      this.uploads.clear();
      this.#endReply();
      this.#changed();
      this.#typed = 0;
      this.focus();
    }

    #pressed(event) {
      if (event.isComposing || this.mentioning.key(event)) return;
      if (event.key === "Enter" && !event.shiftKey && !touch.matches) {
        event.preventDefault();
        this.#send();
      }
      if (event.key === "Escape" && this.#replyTo) this.#endReply();
      if (event.key === "ArrowUp" && !this.textarea.value) {
        const mine = document.querySelector("chat-timeline").myLast;
        if (mine) (event.preventDefault(), doTo(mine, "edit"));
      }
    }

    #dropped(event, data) {
      delete this.form.dataset.dropping;
      if (!data.files.length) return;
      event.preventDefault();
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
      if (this.#before) this.choice.value = this.#before;
      this.#before = null;
      this.#changed();
    }

    #changed() {
      this.draft.keep({ body: this.textarea.value, reply: this.#replyTo, ...this.choice.value });
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
      connection.send({ type: "typing", room, ...this.choice.value });
    }
  },
);
