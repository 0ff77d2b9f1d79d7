/** What is on its way, shown at the end of the timeline until the message itself is there. */
import { fromTemplate } from "chat/dom";
import { me, outbox, people } from "chat/page";
import { list } from "chat/words";

const STATES = { queued: "Waiting to be sent", sent: "Sending…", failed: "Not sent" };

export class Pending {
  #shown = new Map();

  constructor(place, changed) {
    Object.assign(this, { place, changed });
    outbox.entries.forEach((entry) => this.#show(entry));
    outbox.addEventListener("added", ({ detail }) => this.#show(detail));
    outbox.addEventListener("changed", ({ detail }) => this.#update(detail));
    for (const end of ["settled", "discarded"]) {
      outbox.addEventListener(end, ({ detail }) => this.#hide(detail));
    }
  }

  /** A message of mine came before its answer did: what was under way is shown once. */
  arrived(body) {
    const entry = outbox.entries.find(({ post, state }) => state === "sent" && post.body.trim() === body.trim());
    if (entry) this.#hide(entry);
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
    this.changed(() => this.place.append(made));
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

  #hide({ post }) {
    this.#shown.get(post.client_id)?.remove();
    this.#shown.delete(post.client_id);
  }
}
