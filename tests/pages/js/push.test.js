import assert from "node:assert/strict";
import test from "node:test";

class Store extends Map {
  get length() {
    return this.size;
  }
  key = (at) => [...this.keys()][at];
  getItem = (key) => this.get(key) ?? null;
  setItem = (key, value) => this.set(key, String(value));
  removeItem = (key) => this.delete(key);
}

const subscription = { toJSON: () => ({ endpoint: "https://push.example.org/x", keys: {} }) };
const pushManager = { getSubscription: async () => null, subscribe: async () => subscription };
const posted = [];
let works = true;
let pages = 0;

async function answer(url, { method, body }) {
  if (method === "POST") posted.push(JSON.parse(body).endpoint);
  return { ok: works, status: works ? 200 : 503, json: async () => ({ key: "k" }) };
}

/** The module as a page of this tab has it. */
async function visit(page) {
  const document = { body: { dataset: { page } }, cookie: "", querySelector: () => null };
  const navigator = { serviceWorker: { ready: Promise.resolve({ pushManager }) } };
  for (const [name, value] of Object.entries({ document, navigator, fetch: answer, Notification: { permission: "granted" } }))
    Object.defineProperty(globalThis, name, { value, configurable: true });
  return import(`../../../static/js/notifications/push.js?${(pages += 1)}`);
}

test.beforeEach(() => {
  globalThis.sessionStorage = new Store();
  posted.length = 0;
  works = true;
});

test("a browser is subscribed once a tab and person", async () => {
  for (const me of [4, 4, 5]) await (await visit("room")).keepSubscribed(me);
  assert.equal(posted.length, 2);
});

test("what did not work is tried again on the next page", async (t) => {
  t.mock.method(console, "warn", () => {});
  works = false;
  await (await visit("room")).keepSubscribed(4);
  works = true;
  posted.length = 0;
  await (await visit("room")).keepSubscribed(4);
  assert.equal(posted.length, 1);
});

test("who signs in again is subscribed again, since another sign-in is what it hangs on", async () => {
  await (await visit("room")).keepSubscribed(4);
  await visit("login");
  await (await visit("room")).keepSubscribed(4);
  assert.equal(posted.length, 2);
});
