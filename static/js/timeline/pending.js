/** What is on its way, shown at the end of the timeline until the message itself is there. */
import { fromTemplate } from "chat/dom";
import { me } from "chat/page";
import { myRooms, named } from "chat/rooms";
import { audienceOf, offer, tell } from "chat/waiting";
import { list } from "chat/words";

export class Pending {
  #shown = new Map();
  #awaited = new Map();

  /** Shown at the end of `list`, by `steadily(change)`, until `stretch` has the message. */
  constructor({ outbox, people }, list, stretch, steadily) {
    Object.assign(this, { outbox, people, list, stretch, steadily });
    outbox.entries.forEach((entry) => this.#show(entry));
    outbox.addEventListener("added", ({ detail }) => this.#show(detail));
    outbox.addEventListener("found", ({ detail }) => this.#show(detail));
    outbox.addEventListener("changed", ({ detail }) => this.#update(detail));
    outbox.addEventListener("settled", ({ detail }) => this.#settle(detail));
    outbox.addEventListener("discarded", ({ detail }) => this.#hide(detail.post.client_id));
  }

  /** A message of mine is news. Where its answer is still to come, its text tells which post it was. */
  arrived({ id, body }) {
    const under = this.outbox.entries.find(({ post, tried, state }) => tried && state !== "failed" && post.body.trim() === body.trim());
    if (!this.#awaited.has(id)) this.#hide(under?.post.client_id);
    this.placed(id);
  }

  /** A message is in the list, whichever way it came. */
  placed(id) {
    this.#hide(this.#awaited.get(id));
    this.#awaited.delete(id);
  }

  #settle({ post, message }) {
    if (this.stretch.has(message)) this.#hide(post.client_id);
    else this.#awaited.set(message, post.client_id);
  }

  #show(entry) {
    const { outbox, people } = this;
    const made = fromTemplate("pending-message");
    const { post } = entry;
    made.querySelector(".message").dataset.audience = post.audience ?? "everyone";
    made.querySelector(".message-author").textContent = people.name(me);
    made.querySelector(".avatar").textContent = people.name(me)[0].toUpperCase();
    made.querySelector(".avatar").dataset.tint = me % 10;
    made.querySelector("[data-body]").textContent = named(post.body, myRooms()) || "(files)";
    const label = made.querySelector(".audience-label");
    const said = audienceOf(post);
    label.hidden = !said;
    label.textContent = post.to?.length ? `${said} to ${list(post.to.map((id) => people.name(id)), 6)}` : said;
    offer(made, outbox, post);
    this.#shown.set(post.client_id, made);
    this.steadily(() => this.list.append(made));
    this.#update(entry);
  }

  #update(entry) {
    const shown = this.#shown.get(entry.post.client_id);
    if (shown) tell(shown, entry);
  }

  #hide(clientId) {
    this.#shown.get(clientId)?.remove();
    this.#shown.delete(clientId);
  }
}
