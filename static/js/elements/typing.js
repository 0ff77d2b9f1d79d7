/** Who is writing. */
import { element } from "chat/dom";
import { me, placeOf } from "chat/page";
import { Typists } from "chat/typists";
import { typing } from "chat/words";

customElements.define(
  "chat-typing",
  class extends HTMLElement {
    typists = new Typists();
    #gone = null;

    connectedCallback() {
      this.#gone = new AbortController();
      const heard = { signal: this.#gone.signal };
      this.place = placeOf(this);
      this.place.on("typing", ({ user, expires_in: seconds }) => {
        if (user !== me) this.typists.heard(user, seconds);
        this.#show();
      }, heard);
      this.place.on("messages", ({ messages }) => {
        messages.forEach(({ author }) => this.typists.done(author.id));
        this.#show();
      }, heard);
      this.timer = setInterval(() => this.#show(), 1_000);
    }

    disconnectedCallback() {
      this.#gone.abort();
      clearInterval(this.timer);
    }

    #show() {
      const words = typing(this.typists.now().map((id) => this.place.people.name(id)));
      if (words === (this.said ?? "")) return;
      this.said = words;
      const dots = element("span", { class: "typing-dots", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
      this.replaceChildren(...(words ? [dots, words] : []));
    }
  },
);
