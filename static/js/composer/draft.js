/** What was begun and not sent is there again after a reload, with the audience it was meant for. */
export class Draft {
  constructor(store, key) {
    Object.assign(this, { store, key });
  }

  keep(draft) {
    if (draft.body.trim()) this.store.setItem(this.key, JSON.stringify(draft));
    else this.forget();
  }

  get kept() {
    return JSON.parse(this.store.getItem(this.key) ?? "null");
  }

  forget() {
    this.store.removeItem(this.key);
  }
}
