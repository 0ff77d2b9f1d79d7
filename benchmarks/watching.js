/** Put into every page that is measured: what its browser tells of paints, and of what is scrolled. */
"use strict";
{
  /** Frames after which a wheel that is let go has come to rest. */
  const SETTLED = 5;

  const hear = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });

  // When it was opened

  const seen = { first: 0, largest: 0, message: 0, begun: 0, shift: 0 };

  hear("paint", ({ name, startTime }) => name === "first-contentful-paint" && (seen.first = startTime));
  hear("largest-contentful-paint", ({ startTime }) => (seen.largest = startTime));
  hear("element", ({ renderTime }) => (seen.message ||= renderTime));
  hear("mark", ({ name, startTime }) => name === "begun" && (seen.begun = startTime));
  hear("layout-shift", ({ value }) => (seen.shift += value));

  /** The browser tells when a part was painted that asks for it before. */
  const ask = () => document.querySelectorAll(".message .prose > :not([elementtiming])").forEach((part) => part.setAttribute("elementtiming", "message"));
  new MutationObserver(ask).observe(document, { childList: true, subtree: true });

  const drawn = () => new Promise((resolve) => requestAnimationFrame(resolve));

  /** Once a message was painted, and the page's scripts have begun. */
  window.tellOpened = async () => {
    while (!(seen.message && seen.begun)) await drawn();
    const [{ requestStart, responseStart, responseEnd }] = performance.getEntriesByType("navigation");
    return { server_ms: responseStart - requestStart, arrived_ms: responseEnd, first_ms: seen.first, message_ms: seen.message, largest_ms: seen.largest, begun_ms: seen.begun, shift: seen.shift };
  };

  // While it is scrolled

  let scrolled;
  let frame;
  const forget = () => (scrolled = { shift: 0, longTasks: [], moved: 0, against: 0, waited: 0 });

  hear("layout-shift", ({ value }) => scrolled && (scrolled.shift += value));
  hear("longtask", ({ duration }) => scrolled?.longTasks.push(duration));

  /**
   * From now on, to the beginning (`way` 1) or to the end (-1). A message is followed from frame to frame from where it
   * comes into sight to where it goes, and then the next: all of them together move as far as the wheel is turned, none
   * against it. Frames at an end that is not the end are waited in.
   */
  window.watchScrolling = (way) => {
    const view = document.querySelector(".timeline-scroll");
    const { left: x, top, bottom, width } = view.getBoundingClientRect();
    const coming = () => document.elementFromPoint(x + width / 2, way > 0 ? top + 100 : bottom - 100)?.closest("[data-entry]");
    const left = () => (way > 0 ? view.scrollTop : view.scrollHeight - view.scrollTop - view.clientHeight);
    const loading = document.querySelector(`[data-loading=${way > 0 ? "older" : "newer"}]`);
    const hasMore = () => loading?.hidden === false;
    let last = null;
    const look = () => {
      if (left() < 1 && hasMore()) scrolled.waited += 1;
      const at = last?.entry.isConnected ? last.entry.getBoundingClientRect().top : null;
      if (at !== null) {
        const moved = (at - last.at) * way;
        scrolled.moved += moved;
        scrolled.against = Math.max(scrolled.against, -moved);
      }
      const entry = at !== null && at > top && at < bottom ? last.entry : coming();
      last = entry ? { entry, at: entry.getBoundingClientRect().top } : null;
      frame = requestAnimationFrame(look);
    };
    cancelAnimationFrame(frame);
    forget();
    frame = requestAnimationFrame(look);
    /** Once what was turned last is seen. */
    window.tellScrolled = async () => {
      for (let frames = SETTLED; frames; frames -= 1) await drawn();
      const told = { ...scrolled, isOver: left() < 2 && !hasMore() };
      forget();
      return told;
    };
  };
}
