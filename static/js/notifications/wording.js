/** What a notification says outside of the page. */

const REASONS = { whisper: "whispered to you", mention: "mentioned you", reply: "replied to you" };

export function titleOf({ reason, author, room }) {
  const who = REASONS[reason] ? `${author.name} ${REASONS[reason]}` : author.name;
  return room.name === author.name ? who : `${who} in ${room.name}`;
}

export function addressOf({ room, message }) {
  return `/rooms/${room.id}/?around=${message}#message-${message}`;
}

/** What is shown anew of the same message takes the place of what was. */
export function tagOf({ message }) {
  return `message-${message}`;
}
