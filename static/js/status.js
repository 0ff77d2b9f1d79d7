/** What people say of themselves: a sign beside their name, with the words for who points at it or listens. */
import { element } from "chat/dom";

/** “In a meeting”, or, where there are no words, that there is a status. */
export function wordsOf({ emoji, text }) {
  return text || `Status: ${emoji}`;
}

export function isOver({ expires_at: ends }, now = Date.now()) {
  return Boolean(ends) && Date.parse(ends) <= now;
}

export function sign(status) {
  const words = wordsOf(status);
  return element("span", { class: "status-sign", role: "img", "aria-label": words, title: words }, status.emoji);
}

/** Put the sign of `status`, or none, right behind `name`. */
export function showBehind(name, status) {
  if (name.nextElementSibling?.matches(".status-sign")) name.nextElementSibling.remove();
  if (status && !isOver(status)) name.after(sign(status));
}
