/** A side-bar's stub below its message, as the page's template has it. */
import { avatar, element, fromTemplate } from "chat/dom";
import { localise } from "chat/time";
import { atMost99, replies } from "chat/words";

/** The stubs of a message within its entry; those that are there already are filled anew. */
export function showStubs(entry, stubs, countsOf) {
  const there = entry.querySelector(":scope > .stubs");
  if (!stubs.length) return there?.remove();
  const box = there ?? entry.appendChild(element("div", { class: "stubs" }));
  stubs.forEach((stub, at) => {
    const shown = box.querySelector(`[data-sidebar="${stub.id}"]`) ?? fromTemplate("sidebar-stub");
    fill(shown, stub);
    showCounts(shown, countsOf(stub.id));
    if (box.children[at] !== shown) box.insertBefore(shown, box.children[at] ?? null);
  });
  [...box.children].slice(stubs.length).forEach((gone) => gone.remove());
}

export function showCounts(shown, { unread, mentions }) {
  shown.toggleAttribute("data-unread", unread > 0);
  for (const [name, count] of Object.entries({ mentions, unread: mentions ? 0 : unread })) {
    const badge = shown.querySelector(`[data-count="${name}"]`);
    badge.hidden = !count;
    badge.querySelector("[data-number]").textContent = atMost99(count);
  }
}

function fill(shown, stub) {
  const part = (name) => shown.querySelector(`[data-${name}]`);
  const ended = ["closed", "archived"].includes(stub.state);
  shown.href = `/rooms/${stub.id}/`;
  shown.dataset.sidebar = stub.id;
  shown.toggleAttribute("data-closed", ended);
  part("title").textContent = stub.title || "Side-bar";
  part("private").hidden = stub.access !== "private";
  part("ended").hidden = !ended;
  part("ended").textContent = stub.concluded_at ? "Concluded" : "Closed";
  part("faces").replaceChildren(...stub.people.map((person) => avatar(person)));
  part("replies").textContent = replies(stub.replies);
  part("last").hidden = !stub.last;
  part("last").replaceChildren(...(stub.last ? [`${stub.last.author.name}, `, moment(stub.last.created_at)] : []));
  localise(shown);
}

function moment(when) {
  return element("time", { datetime: when, "data-style": "ago" });
}
