/** The people beside the room, with who is there now. */
import { avatar, element } from "chat/dom";
import { morphList } from "chat/morph";
import { main, people, placeOf, room } from "chat/page";
import { isOver, sign } from "chat/status";

const idOf = (row) => row.dataset.person;
const ROLES = { owner: "Owner", viewer: "Viewer", customer: "Customer", agent: "Agent", supervisor: "Supervisor", robot: "Robot" };

/** Keep up with who is in a place. */
export function attend(place) {
  const { people: here } = place;
  const showCount = () => {
    for (const sign of document.querySelectorAll("[data-people-count]")) if (placeOf(sign) === place) sign.textContent = here.count;
  };
  place.on("joined", ({ people: persons, robots, participants_count: count }) => {
    here.start([...persons, ...robots], count);
    showCount();
  });
  place.on("room", ({ people: news, robots = {} }) => {
    here.change(news);
    here.change(robots);
    showCount();
  });
  place.on("presence", ({ user, state }) => here.see(user, state), { anywhere: true });
  place.on("status", ({ user, status }) => here.say(user, status), { anywhere: true });
}

attend(main);

customElements.define(
  "chat-people",
  class extends HTMLElement {
    #gone = null;

    connectedCallback() {
      this.#gone = new AbortController();
      this.list = this.querySelector("[data-people]");
      this.robots = this.querySelector("[data-robots]");
      for (const news of ["changed", "said"]) people.addEventListener(news, () => this.#show(), { signal: this.#gone.signal });
    }

    disconnectedCallback() {
      this.#gone.abort();
    }

    #show() {
      const persons = people.all.filter(({ role }) => role !== "robot");
      morphList(this.list, persons.map((person) => this.#row(person)), idOf);
      if (this.robots) morphList(this.robots, people.robots.map((robot) => this.#robot(robot)), idOf);
    }

    #robot(robot) {
      return element("li", { class: "person", "data-person": robot.id }, avatar(robot), this.#name(robot));
    }

    #name({ id, name }) {
      return element("a", { class: "person-name truncate", href: `/rooms/${room}/people/${id}/`, "data-card": true }, name);
    }

    #row(person) {
      const role = "direct" in this.dataset ? null : ROLES[person.role];
      const words = person.kind === "guest" ? "Guest" : role;
      const accent = ["agent", "supervisor"].includes(person.role) ? " badge-accent" : "";
      return element(
        "li",
        { class: "person", "data-person": person.id },
        avatar(person, { presence: true, state: people.state(person.id) }),
        this.#name(person),
        person.status && !isOver(person.status) ? sign(person.status) : null,
        words ? element("span", { class: `badge${accent}` }, words) : null,
      );
    }
  },
);

const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** Dots of presence, wherever the page shows somebody, and its words. */
export function showDots(dots) {
  for (const dot of dots) {
    const id = Number(dot.dataset.presence);
    if (!people.isTold(id)) continue;
    dot.dataset.state = people.state(id);
    dot.setAttribute("aria-label", people.state(id));
  }
  for (const words of document.querySelectorAll("[data-presence-words]")) {
    const id = Number(words.dataset.presenceWords);
    if (people.isTold(id)) words.textContent = capital(people.state(id));
  }
}

people.addEventListener("changed", () => showDots(document.querySelectorAll("[data-presence]")));
people.addEventListener("seen", ({ detail: id }) => showDots(document.querySelectorAll(`[data-presence="${id}"]`)));
