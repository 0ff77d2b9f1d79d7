/** Where one message goes on from the one before it, and where a new day begins. */

const PAUSE = 7 * 60_000;

/** Two messages as `{kind, author, audience, to, created, quotes}`; `created` in milliseconds. */
export function follows(previous, message) {
  return Boolean(
    previous &&
      previous.kind === "text" &&
      message.kind === "text" &&
      !message.quotes &&
      previous.author === message.author &&
      previous.audience === message.audience &&
      previous.to === message.to &&
      message.created - previous.created < PAUSE &&
      day(previous.created) === day(message.created),
  );
}

/** The reader's own day, as 2026-11-20. */
export function day(when) {
  const at = new Date(when);
  const two = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
