/** How the page says things. */

/** “Ben”, “Ben and Cleo”, “Ben, Cleo and Sue”, “Ben, Cleo and 3 others”. */
export function list(names, most = 3) {
  if (names.length <= 1) return names.join("");
  if (names.length <= most) return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  const rest = names.length - most + 1;
  return `${names.slice(0, most - 1).join(", ")} and ${rest} others`;
}

export function atMost99(count) {
  return count > 99 ? "99+" : String(count);
}

export function typing(names) {
  if (!names.length) return "";
  return names.length > 3 ? "Several people are writing" : `${list(names)} ${names.length > 1 ? "are" : "is"} writing`;
}

const ENDINGS = { complete: "has answered", stopped: "was stopped", failed: "could not answer" };

/** That a robot begins or ends to answer, to be heard once. */
export function aboutAnswer({ status, data }, news, name) {
  if (news === "began") return `${name} is answering`;
  return `${name} ${data.reply?.state === "declined" ? "had nothing to add" : ENDINGS[status]}`;
}

/** Who will see what is being written: to be read before it is sent. */
export function whoSees({ audience, names = [], mode, customers = [], asked = false }) {
  if (audience === "staff") return "Only staff see this. Customers do not.";
  if (audience === "only") {
    if (!names.length) return "Choose who is to see this.";
    const too = mode === "support" ? ", and the staff of this room," : "";
    const why = asked ? "Robots do not see notes, so this becomes a question. " : "";
    return `${why}Only you and ${list(names, 6)}${too} will see this.`;
  }
  return customers.length ? `Everyone here sees this, ${list(customers)} too.` : "Everyone in this room sees this.";
}

/** Why this cannot be posted, counted as the server does, or nothing. */
export function tooLong(body, most) {
  const has = [...body].length;
  return has > most ? `A message has at most ${most} characters; this one has ${has}.` : "";
}

export function fileSize(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KB", "MB", "GB"];
  let size = bytes / 1024;
  while (size >= 1000 && units.length > 1) {
    size /= 1024;
    units.shift();
  }
  return `${size.toFixed(size < 10 ? 1 : 0)} ${units[0]}`;
}

export function replies(count) {
  if (!count) return "Nothing said yet";
  return count === 1 ? "1 reply" : `${count} replies`;
}

/** “Ada joined and 4 more changes”. */
export function noteLine(first, count) {
  return `${first.trim().replace(/\.$/, "")} and ${count - 1} more changes`;
}

export function newMessages(count) {
  return count === 1 ? "1 new message" : `${atMost99(count)} new messages`;
}
