/**
 * What was begun and not sent, on this device: with the audience it was meant for, what it answers, and its files.
 * There again after a reload, tomorrow, and in the next tab.
 */

/** The server keeps files that no message has for a day. */
const FILES_LAST = 23 * 60 * 60 * 1000;

export const draftKey = (me, room) => `draft:${me}:${room}`;

export class Draft {
  /** `store` as localStorage is. `told()` when there begins to be one, or there is none any more. */
  constructor(store, key, { told = () => {}, now = Date.now } = {}) {
    Object.assign(this, { store, key, told, now });
  }

  /** `{body, files, …}`: an audience alone is nothing yet. */
  keep(draft) {
    if (!draft.body.trim() && !draft.files.length) return this.forget();
    const had = this.isThere;
    try {
      this.store.setItem(this.key, JSON.stringify({ ...draft, at: this.now() }));
    } catch {
      // Full or forbidden: it is kept while the page is.
    }
    if (!had) this.told();
  }

  get kept() {
    try {
      const draft = JSON.parse(this.store.getItem(this.key));
      if (typeof draft?.body !== "string") return null;
      return { ...draft, files: (draft.files ?? []).filter(({ at }) => this.now() - at < FILES_LAST) };
    } catch {
      return null;
    }
  }

  get isThere() {
    return this.store.getItem(this.key) !== null;
  }

  forget() {
    if (!this.isThere) return;
    this.store.removeItem(this.key);
    this.told();
  }
}
