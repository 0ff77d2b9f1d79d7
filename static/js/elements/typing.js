/** Who is writing. */
import { element } from "chat/dom";
import { me, on, people } from "chat/page";
import { Typists } from "chat/typists";
import { typing } from "chat/words";

customElements.define(
  "chat-typing",
  class extends HTMLElement {
    typists = new Typists();

    connectedCallback() {
      on("typing", ({ user, expires_in: seconds }) => {
        if (user !== me) this.typists.heard(user, seconds);
        this.#show();
      });
      on("messages", ({ messages }) => {
        messages.forEach(({ author }) => this.typists.done(author.id));
        this.#show();
      });
      setInterval(() => this.#show(), 1_000);
    }

    #show() {
      const words = typing(this.typists.now().map((id) => people.name(id)));
      if (words === (this.said ?? "")) return;
      this.said = words;
      const dots = element("span", { class: "typing-dots", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
      this.replaceChildren(...(words ? [dots, words] : []));
    }
  },
);
