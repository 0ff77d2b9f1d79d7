/** Begins what pages do once they are seen: what does it is a hundred files, which would hold the first paint up. */
/** Milliseconds after which it begins all the same: a page in the background is not painted. */
const PATIENCE = 1000;

const painted = () => new Promise((resolve) => new PerformanceObserver(resolve).observe({ type: "paint", buffered: true }));
const patience = () => new Promise((resolve) => setTimeout(resolve, PATIENCE));

/** All at once, not each when another asks for it: pages of somebody who is signed in use most of them. */
const fetchAll = () => {
  const { imports } = JSON.parse(document.querySelector("script[type=importmap]").textContent);
  const links = Object.values(imports).map((href) => Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
  document.head.append(...links);
};

await Promise.race([painted(), patience()]);
if ("socket" in document.body.dataset) fetchAll();
await import("chat/main");
performance.mark("begun");
