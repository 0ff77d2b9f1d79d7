/** Answers that are being written: their words as they come, and when they begin and end. */
import { Streams } from "chat/streaming";
import { settle, write } from "chat/timeline/growing";
import { aboutAnswer } from "chat/words";

export class Writing {
  #streams = new Streams();

  /** `find(id)` is a message's article, if it is on the page; `aloud` is where a screen reader is told. */
  constructor(find, aloud, people) {
    Object.assign(this, { find, aloud, people });
  }

  /** Messages as the socket tells them: what it tells counts, whatever page is fetched meanwhile. */
  heard(messages) {
    const said = [];
    for (const message of messages) {
      const news = this.#streams.shown(message);
      if (news) said.push(aboutAnswer(message, news, this.people.name(message.author.id)));
    }
    if (said.length) this.aloud.textContent = said.join(". ");
  }

  forget() {
    this.#streams.clear();
  }

  /** Take a `delta`, and write what it brings by `steadily(change)`. */
  hear(delta, steadily) {
    const stream = this.#streams.hear(delta);
    const article = stream && this.#article(stream);
    if (article) steadily(() => (delta.html === undefined && stream.html ? write(article, stream) : settle(article, stream)));
    if (stream) this.showWaiting();
  }

  /** Show a message that was placed, or renewed, as far as it was heard. */
  show(id) {
    const stream = this.#streams.get(id);
    const article = stream && this.#article(stream);
    if (article) settle(article, stream);
  }

  /** Who waits for an earlier answer to end is told from who thinks. */
  showWaiting() {
    for (const stream of this.#streams) this.find(stream.id)?.toggleAttribute("data-waiting", this.#streams.waits(stream));
  }

  /** Unless what is there has ended already. */
  #article({ id }) {
    const article = this.find(id);
    return article?.dataset.status === "streaming" ? article : null;
  }
}
