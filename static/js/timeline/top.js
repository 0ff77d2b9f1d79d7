/** What stands over the top of the timeline: the day one reads, with the way to others, and what is new. */
import { element } from "chat/dom";
import { clockAndDay, dayName } from "chat/time";
import { dayChoices } from "chat/timeline/days";
import { newMessages } from "chat/words";

/** Where a day's own line is so near to the top, it says it itself. */
const OWN_LINE = 48;

export class Top {
  /** `go(moment)`: null is the beginning. */
  constructor(timeline, go) {
    this.bar = timeline.querySelector("[data-unread-bar]");
    this.words = timeline.querySelector("[data-unread-words]");
    this.pill = timeline.querySelector("[data-day-pill]");
    this.pillWords = timeline.querySelector("[data-day-words]");
    this.days = timeline.querySelector("[data-days]");
    this.days.addEventListener("beforetoggle", ({ newState }) => newState === "open" && this.#offer());
    this.days.addEventListener("click", (event) => this.#choose(event, go));
    this.days.addEventListener("submit", (event) => this.#submit(event, go));
  }

  /** `count` messages are new since `since` (milliseconds); none: there is nothing to tell. `isAbove`: they begin further up. */
  tell(count, since, { isAbove }) {
    this.bar.hidden = !count;
    this.bar.toggleAttribute("data-here", !isAbove);
    const [words, when] = [newMessages(count), since ? ` since ${clockAndDay(since)}` : ""];
    if (!count || this.words.textContent === words + when) return;
    this.words.replaceChildren(words, element("span", { class: "unread-since" }, when));
  }

  /** The day of the line one reads; null where there is no need to tell. */
  showDay(created, lines) {
    const words = created ? dayName(created) : "";
    this.pill.hidden = !created;
    this.pill.toggleAttribute("data-yields", lines.some((top) => top > -16 && top < OWN_LINE));
    if (words && this.pillWords.textContent !== words) this.pillWords.textContent = words;
  }

  #offer() {
    const choices = dayChoices().map(({ words, at }) => element("button", { type: "button", "data-at": at ?? "" }, words));
    this.days.querySelector("[data-days-choices]").replaceChildren(...choices);
  }

  #choose({ target }, go) {
    const choice = target.closest("[data-at]");
    if (!choice) return;
    this.days.hidePopover();
    go(choice.dataset.at ? Number(choice.dataset.at) : null);
  }

  /** A field for days has its value at midnight in UTC; it means the reader's own. */
  #submit(event, go) {
    event.preventDefault();
    const [year, month, day] = this.days.elements.on.value.split("-").map(Number);
    this.days.hidePopover();
    go(new Date(year, month - 1, day).getTime());
  }
}
