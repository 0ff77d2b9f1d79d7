/** What an answer took: shown beside its button, to whoever presses that or rests on it with the mouse. */
import { placeNear } from "chat/dom";

const OPENS_AFTER = 150;
/** Time to get from the button to what it shows. */
const CLOSES_AFTER = 300;
let waiting;

export function showFacts(timeline) {
  timeline.addEventListener("toggle", placeFacts, true);
  timeline.addEventListener("pointerover", (event) => point(event, OPENS_AFTER, (facts) => facts.togglePopover(true)));
  timeline.addEventListener("pointerout", (event) => point(event, CLOSES_AFTER, (facts) => facts.togglePopover(false)));
}

function point({ pointerType, target }, after, change) {
  const facts = target.closest(".facts") ?? target.closest(".facts-button")?.popoverTargetElement;
  if (!facts || pointerType !== "mouse") return;
  clearTimeout(waiting);
  waiting = setTimeout(() => facts.isConnected && change(facts), after);
}

function placeFacts({ target, newState }) {
  if (newState !== "open" || !target.matches(".facts")) return;
  Object.assign(target.style, { inset: "auto", margin: "0" });
  placeNear(target, document.querySelector(`[popovertarget="${target.id}"]`).getBoundingClientRect());
}
