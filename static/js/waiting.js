/** A post that waits, in words, and what one may do about it: alike in its room and on the page of all that waits. */
import { flash } from "chat/elements/flash";

const STATES = { queued: "Waiting to be sent", sent: "Sending…", failed: "Not sent" };
const WHY = {
  not_found: "You are no longer in this room.",
  room_closed: "The room was closed meanwhile.",
  room_archived: "The room was archived meanwhile.",
};

export function audienceOf({ audience }) {
  return { staff: "Note to staff", only: "Whisper" }[audience] ?? null;
}

/** What is wrong, as exactly as the server said it. */
export function why(error) {
  const [detail] = Object.values(error?.details ?? {}).flat();
  return WHY[error?.code] ?? (typeof detail === "string" ? detail : (error?.message ?? ""));
}

/** Tell in `row`, made of the template of one, how its entry stands. */
export function tell(row, { state, error, tried }) {
  row.toggleAttribute("data-failed", state === "failed");
  row.querySelector("[data-state]").textContent = STATES[state];
  row.querySelector(".pending-trouble").hidden = state !== "failed";
  row.querySelector("[data-why]").textContent = why(error);
  // What goes out at once is not taken back.
  row.querySelector("[data-stuck]")?.toggleAttribute("hidden", state === "sent" || (state === "queued" && !tried));
}

export function offer(row, outbox, { client_id: id, body }) {
  row.querySelector("[data-again]").onclick = () => outbox.retry(id);
  row.querySelector("[data-discard]").onclick = () => outbox.discard(id);
  row.querySelector("[data-copy]").onclick = () => copy(body);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    flash("The text is copied.");
  } catch {
    flash("This browser does not let the text be copied. Mark it, and copy it by hand.", "error");
  }
}
