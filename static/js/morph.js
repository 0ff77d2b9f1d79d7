/**
 * Making one piece of page into another by changing only what differs: what is selected, scrolled
 * or focused in it stays so, and what is marked `data-own` is the page's own and is left alone.
 */
export function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
  if (!(old instanceof Element)) return say(old, fresh.data);
  if (old.hasAttribute("data-own")) return undefined;
  morphAttributes(old, fresh);
  morphChildren(old, fresh);
}

export function morphChildren(old, fresh) {
  const [ours, theirs] = [[...old.childNodes], [...fresh.childNodes]];
  theirs.forEach((child, at) => (ours[at] ? morph(ours[at], child) : old.append(child)));
  ours.slice(theirs.length).forEach((child) => child.remove());
}

/**
 * Have these in `list`, in this order. Of those with the same key (`keyOf(child)`) as one that is there
 * it is the older that stays, made into the newer; so the focus stays where it was.
 */
export function morphList(list, fresh, keyOf) {
  const there = new Map([...list.children].map((child) => [keyOf(child), child]));
  const held = list.contains(document.activeElement) && document.activeElement;
  const children = fresh.map((child) => there.get(keyOf(child)) ?? child);
  children.forEach((child, at) => child === fresh[at] || morph(child, fresh[at]));
  list.replaceChildren(...children);
  if (held && held.isConnected) held.focus({ preventScroll: true });
}

function morphAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

/** Text that only grew keeps its selection. */
function say(node, data) {
  if (node.data === data) return;
  if (data.startsWith(node.data)) node.appendData(data.slice(node.data.length));
  else node.data = data;
}
