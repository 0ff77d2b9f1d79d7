/** The people beside the room, with who is there now. */
import { avatar, element } from "chat/dom";
import { on, people } from "chat/page";

const ROLES = { owner: "Owner", viewer: "Viewer", customer: "Customer", agent: "Agent", supervisor: "Supervisor", robot: "Robot" };

const TOLD_MOST = 100;

on("joined", ({ people: persons, robots, participants_count: count }) => {
  people.start([...persons, ...robots]);
  showCount(count);
});
on("room", ({ people: news }) => {
  people.change(news);
  if (people.all.length < TOLD_MOST) showCount(people.all.length);
});
on("presence", ({ user, state }) => people.see(user, state), { anywhere: true });

function showCount(count) {
  for (const place of document.querySelectorAll("[data-people-count]")) place.textContent = count;
}

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

/** Dots of presence, wherever the page shows somebody. */
function showDots(dots) {
  for (const dot of dots) {
    const id = Number(dot.dataset.presence);
    if (!people.isTold(id)) continue;
    dot.dataset.state = people.state(id);
    dot.setAttribute("aria-label", people.state(id));
  }
}

people.addEventListener("changed", () => showDots(document.querySelectorAll("[data-presence]")));
people.addEventListener("seen", ({ detail: id }) => showDots(document.querySelectorAll(`[data-presence="${id}"]`)));
