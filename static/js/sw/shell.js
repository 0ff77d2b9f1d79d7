/**
 * Pages come from the network, and only from there: they are somebody's. Where it is away, the page
 * that shows what this browser kept stands in. What all pages are made of is kept by release.
 *
 * `self.shell` is written by chatmanager/shell.py. No module: not every browser takes one here.
 */
"use strict";
{
  const { release, files, outbox, immutable } = self.shell;
  const NAME = `shell-${release}`;
  /** What proxies say while the server behind them is away. */
  const AWAY = [502, 504];

  const keep = async () => {
    const cache = await caches.open(NAME);
    // As nobody: what is kept is the same for everybody.
    await cache.addAll([...files, new Request(outbox, { credentials: "omit", cache: "reload" })]);
    await self.skipWaiting();
  };

  const takeOver = async () => {
    const former = (await caches.keys()).filter((name) => name.startsWith("shell-") && name !== NAME);
    await Promise.all(former.map((name) => caches.delete(name)));
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  };

  const kept = (request) => caches.match(request, { cacheName: NAME });

  const page = async ({ request, preloadResponse }) => {
    const answer = await (async () => (await preloadResponse) ?? fetch(request))().catch(() => null);
    if (answer && !AWAY.includes(answer.status)) return answer;
    return (await kept(outbox)) ?? answer ?? Response.error();
  };

  const file = async (request) => {
    if (immutable) return (await kept(request)) ?? fetch(request);
    return fetch(request).catch(async () => (await kept(request)) ?? Response.error());
  };

  const paths = new Set(files.map((address) => new URL(address, self.location).href));

  self.addEventListener("install", (event) => event.waitUntil(keep()));
  self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
  self.addEventListener("fetch", (event) => {
    const { request } = event;
    // A form that was not sent is the browser's to tell of: it can send it again.
    if (request.method !== "GET") return;
    if (request.mode === "navigate") event.respondWith(page(event));
    else if (paths.has(request.url)) event.respondWith(file(request));
  });
}
