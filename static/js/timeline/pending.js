/** What is on its way, shown at the end of the timeline until the message itself is there. */
import { fromTemplate } from "chat/dom";
import { me, outbox, people } from "chat/page";
import { list } from "chat/words";

const STATES = { queued: "Waiting to be sent", sent: "Sending…", failed: "Not sent" };

export class Pending {
  #shown = new Map();
  #awaited = new Map();

  /** Shown at the end of `list`, by `steadily(change)`, until `stretch` has the message. */
  constructor(list, stretch, steadily) {
    Object.assign(this, { list, stretch, steadily });
    outbox.entries.forEach((entry) => this.#show(entry));
    outbox.addEventListener("added", ({ detail }) => this.#show(detail));
    outbox.addEventListener("changed", ({ detail }) => this.#update(detail));
    outbox.addEventListener("settled", ({ detail }) => this.#settle(detail));
    outbox.addEventListener("discarded", ({ detail }) => this.#hide(detail.post.client_id));
  }

  /** A message of mine is there. Where its answer is still to come, its text tells which post it was. */
  arrived({ id, body }) {
    const under = outbox.entries.find(({ post, state }) => state === "sent" && post.body.trim() === body.trim());
    this.#hide(this.#awaited.get(id) ?? under?.post.client_id);
    this.#awaited.delete(id);
  }

  #settle({ post, message }) {
    if (this.stretch.has(message)) this.#hide(post.client_id);
    else this.#awaited.set(message, post.client_id);
  }

  #show(entry) {
    const made = fromTemplate("pending-message");
    const { post } = entry;
    made.querySelector(".message").dataset.audience = post.audience ?? "everyone";
    made.querySelector(".message-author").textContent = people.name(me);
    made.querySelector(".avatar").textContent = people.name(me)[0].toUpperCase();
    made.querySelector(".avatar").dataset.tint = me % 10;
    made.querySelector("[data-body]").textContent = post.body || "(files)";
    const label = made.querySelector(".audience-label");
    label.hidden = !post.audience || post.audience === "everyone";
    label.textContent = post.audience === "staff" ? "Note to staff" : `Whisper to ${list((post.to ?? []).map((id) => people.name(id)), 6)}`;
    made.querySelector("[data-again]").onclick = () => outbox.retry(post.client_id);
    made.querySelector("[data-discard]").onclick = () => outbox.discard(post.client_id);
    this.#shown.set(post.client_id, made);
    this.steadily(() => this.list.append(made));
    this.#update(entry);
  }

  #update({ post, state, error }) {
    const shown = this.#shown.get(post.client_id);
    if (!shown) return;
    shown.toggleAttribute("data-failed", state === "failed");
    shown.querySelector("[data-state]").textContent = STATES[state];
    shown.querySelector(".pending-trouble").hidden = state !== "failed";
    shown.querySelector("[data-why]").textContent = error?.message ?? "";
  }

  #hide(clientId) {
    this.#shown.get(clientId)?.remove();
    this.#shown.delete(clientId);
  }
}
