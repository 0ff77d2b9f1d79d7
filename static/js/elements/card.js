/** The card of somebody: beside their name, or a sheet on a phone. Without a script the link leads to its page. */
import { element, icon, iconButton, placeNear } from "chat/dom";
import { flash } from "chat/elements/flash";
import { showDots } from "chat/elements/people";
import { placeOf } from "chat/page";
import { fetchPage, send, tellFlashes, UNREACHED, whyNot } from "chat/refresh";
import { localise } from "chat/time";

const narrow = matchMedia("(width < 32rem)");
const card = element("div", { class: "card-pop", popover: "auto", role: "dialog", "aria-labelledby": "card-title" });
document.body.append(card);
let opener = null;
/** Where the name stands that was clicked: news of its message may take the link out of the page. */
let place = null;
let openings = 0;

async function open(link, near = link) {
  const ours = ++openings;
  const [there, spot] = [placeOf(link), near.getBoundingClientRect()];
  const { response, page } = await fetchPage(link.href).catch(() => ({}));
  if (ours !== openings) return undefined;
  if (!page) return flash(UNREACHED, "error");
  const partial = response.ok && page.querySelector("[data-partial]");
  if (!partial) return flash("Nothing can be shown of them.", "error");
  [opener, place] = [link, there];
  const close = iconButton("Close", icon("close"), { class: "icon-button-small card-close" });
  close.addEventListener("click", () => card.hidePopover());
  card.replaceChildren(document.adoptNode(partial), close);
  localise(card);
  // Who came or went while it was fetched.
  showDots(card.querySelectorAll("[data-presence]"));
  card.showPopover();
  card.removeAttribute("style");
  if (!narrow.matches) placeNear(card, spot);
  return card.querySelector("h1").focus({ preventScroll: true });
}

/** Closed by its own keys or buttons, the focus goes back to the name. */
function closed({ newState }) {
  if (newState !== "closed") return;
  if (card.contains(document.activeElement) || document.activeElement === document.body) opener?.focus({ preventScroll: true });
}

async function submit(event) {
  event.preventDefault();
  const { response, page } = await send(event.target, event.submitter);
  card.hidePopover();
  if (!page) return flash(UNREACHED, "error");
  tellFlashes(page);
  if (!response.ok) flash(whyNot(page), "error");
}

function write(deed) {
  const composer = place.root.querySelector("chat-composer");
  card.hidePopover();
  if (composer?.isConnected) deed(composer);
}

function clicked(event) {
  const of = (selector) => event.target.closest(selector);
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const [link, face, mention, whisper] = [of("a[data-card]"), of(".message > .avatar"), of("[data-mention]"), of("[data-whisper]")];
  const author = face?.parentElement.querySelector(":scope > .message-head a.message-author");
  if (link || author) {
    event.preventDefault();
    open(link ?? author, face ?? link);
  }
  if (mention && card.contains(mention)) write((composer) => composer.mention(mention.dataset.mention));
  if (whisper && card.contains(whisper)) write((composer) => composer.whisper(Number(whisper.dataset.whisper)));
  if (card.contains(event.target) && of("a[data-dialog]")) card.hidePopover();
}

card.addEventListener("toggle", closed);
card.addEventListener("submit", submit);
document.addEventListener("click", clicked);
