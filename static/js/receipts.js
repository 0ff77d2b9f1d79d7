/** Who stands where with their reading: each at the newest message that everyone sees and they have read. */

/**
 * By message id, the users to be shown there. `upTo` says by user how far they have read; `messages` are
 * `{id, author, audience, kind}` in order; notes of the system are read by the way. Whoever wrote a message has read it, and is not shown at their own.
 */
export function standing(upTo, messages, me) {
  const reach = new Map(upTo);
  const open = messages.filter(({ audience, kind }) => audience === "everyone" && kind !== "system");
  for (const { id, author } of open) if (reach.has(author)) reach.set(author, Math.max(reach.get(author), id));
  const found = new Map();
  for (const [user, last] of reach) {
    const at = user === me ? null : open.findLast(({ id }) => id <= last);
    if (!at || at.author === user) continue;
    found.set(at.id, [...(found.get(at.id) ?? []), user]);
  }
  return found;
}
