/** The people beside the room, with who is there now. */
import { avatar, element } from "chat/dom";
import { on, people } from "chat/page";

const ROLES = { owner: "Owner", viewer: "Viewer", customer: "Customer", agent: "Agent", supervisor: "Supervisor", robot: "Robot" };

on("joined", ({ people: persons, robots }) => people.start([...persons, ...robots]));
on("room", ({ people: news }) => news && people.change(news));
on("presence", ({ user, state }) => people.see(user, state), { anywhere: true });

customElements.define(
  "chat-people",
  class extends HTMLElement {
    connectedCallback() {
      this.list = this.querySelector("[data-people]");
      people.addEventListener("changed", () => this.#show());
    }

    #show() {
      this.list.replaceChildren(...people.all.map((person) => this.#row(person)));
    }

    #row(person) {
      const words = person.kind === "guest" ? "Guest" : ROLES[person.role];
      const accent = ["agent", "supervisor"].includes(person.role) ? " badge-accent" : "";
      return element(
        "li",
        { class: "person", "data-person": person.id },
        avatar(person, { presence: true, state: people.state(person.id) }),
        element("span", { class: "person-name truncate" }, person.name),
        words ? element("span", { class: `badge${accent}` }, words) : null,
      );
    }
  },
);

/** Dots of presence wherever a page shows somebody. */
people.addEventListener("changed", () => {
  for (const dot of document.querySelectorAll("[data-presence]")) {
    const state = people.state(Number(dot.dataset.presence));
    dot.dataset.state = state;
    dot.setAttribute("aria-label", state);
  }
});
