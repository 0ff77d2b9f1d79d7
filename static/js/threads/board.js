/** The side-bars of the page's room: their stubs below messages, with what is unread in them. */
import { api } from "chat/api";
import { main, me } from "chat/page";
import { showCounts, showStubs } from "chat/threads/stub";

const TOLD_MOST = 100;
const PAGE = 200;
const NOTHING = { unread: 0, mentions: 0 };

const timeline = document.querySelector("chat-timeline");
const stubs = new Map();
/** What frames tell while all are being fetched, which may not have it. */
const meanwhile = new Map();
let fetches = 0;
const counts = new Map(Object.entries(read("sidebars-unread")).map(([id, [unread, mentions]]) => [Number(id), { unread, mentions }]));

if ("sidebars" in document.body.dataset) start();

function start() {
  timeline.addEventListener("entry", ({ detail: entry }) => show(entry));
  main.on("sidebar", ({ sidebar }) => put([sidebar]));
  main.on("joined", ({ sidebars }) => (sidebars.length < TOLD_MOST ? take(sidebars) : fetchAll()));
  main.on("synced", fetchAll);
  main.on("left", ({ room }) => stubs.has(room) && fetchAll(), { anywhere: true });
  main.on("activity", ({ room, unread, mentions }) => count(room, { unread, mentions }), { anywhere: true });
  main.on("read", ({ room, user }) => user === me && count(room, NOTHING), { anywhere: true });
}

/** What was missed while the line was cut, or stands beside messages further up. */
async function fetchAll() {
  const found = [];
  const mine = ++fetches;
  let next = "";
  meanwhile.clear();
  try {
    do {
      const page = await api(`rooms/${main.room}/sidebars/?limit=${PAGE}${next && `&cursor=${next}`}`);
      found.push(...page.results);
      next = page.next;
    } while (next);
  } catch {
    return; // What is there stays, and its news go on coming.
  }
  if (mine === fetches) replace([...found, ...meanwhile.values()]);
}

/** All there are: what is being fetched is older. */
function take(all) {
  fetches += 1;
  replace(all);
}

function replace(all) {
  const anchors = new Set([...stubs.values(), ...all].map(({ anchor }) => anchor));
  stubs.clear();
  all.forEach((stub) => stubs.set(stub.id, stub));
  showBeside(anchors);
}

function put(some) {
  for (const stub of some) {
    stubs.set(stub.id, stub);
    meanwhile.set(stub.id, stub);
  }
  showBeside(new Set(some.map(({ anchor }) => anchor)));
}

function count(room, news) {
  counts.set(room, news);
  const shown = timeline.querySelector(`.stub[data-sidebar="${room}"]`);
  if (shown) showCounts(shown, news);
}

function showBeside(anchors) {
  const entries = [...timeline.querySelectorAll("[data-entry]")];
  const changed = entries.filter((entry) => anchors.has(Number(entry.dataset.entry)));
  if (changed.length) timeline.steadily(() => changed.forEach(show));
}

function show(entry) {
  const anchor = Number(entry.dataset.entry);
  const here = [...stubs.values()].filter((stub) => stub.anchor === anchor).sort((a, b) => a.id - b.id);
  showStubs(entry, here, (id) => counts.get(id) ?? NOTHING);
}

function read(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? "{}");
}
