"""Chromium as somebody has it before them: opening a page, turning the wheel, what became of it.

Paints, shifts and long tasks are of its performance timeline, frames and collections of garbage of
its tracing.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    StorageState,
    sync_playwright,
)

from benchmarks.servers import Failed
from benchmarks.talk import talk

VIEWPORT = {"width": 1280, "height": 800}
STRETCH = 20_000
"""Pixels the wheel is turned for without a pause; after each it is looked at what there is."""
MOST_STRETCHES = 500
FRAMES = "disabled-by-default-devtools.timeline.frame"
COLLECTIONS = "v8"

WATCHING = Path(__file__).with_name("watching.js")
PLAIN = """<!doctype html><meta charset="utf-8"><title>Plain text</title>
<style>
  body {{ margin: 0; font: 15px/1.45 sans-serif; background: white; }}
  .timeline-scroll {{ block-size: 100vh; overflow-y: auto; background: white; }}
  p {{ margin: 0; padding: 8px 24px; white-space: pre-wrap; }}
</style>
<div class="timeline-scroll">{}</div>"""


def plain_text(messages: int) -> str:
    """A page of as many messages as text, with nothing around or behind it."""
    said = islice(talk(8), messages)
    lines = (f"<p data-entry={at}>{escape(one.body)}</p>" for at, one in enumerate(said))
    return PLAIN.format("\n".join(lines))


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Raises Failed where there is none."""
    path = shutil.which("chromium")
    if path is None:
        raise Failed("There is no chromium. On Debian: apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield Chromium(browser)
        browser.close()


class Chromium:
    """A browser in which people sign in."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.version = browser.version

    def signed_in(self, url: str, who: str, password: str) -> StorageState:
        """What keeps them signed in."""
        context = self._context()
        page = context.new_page()
        page.goto(f"{url}/login/")
        page.fill("[name=username]", who)
        page.fill("[name=password]", password)
        page.click("main form button")
        page.wait_for_url(f"{url}/")
        state = context.storage_state()
        context.close()
        return state

    @contextmanager
    def somebody(self, state: StorageState | None = None, **how: Any) -> Iterator[BrowserContext]:
        """Whose cache is empty, to begin with."""
        context = self._context(storage_state=state, **how)
        context.add_init_script(path=WATCHING)
        yield context
        context.close()

    def screen(self, context: BrowserContext) -> Screen:
        return Screen(self.browser, context)

    def _context(self, **how: Any) -> BrowserContext:
        return self.browser.new_context(viewport=VIEWPORT, **how)


@dataclass
class Stretch:
    """The wheel was turned for some pixels: what became of it."""

    dropped: int
    late: int
    """Frames that were shown without what the page had drawn for them."""
    blank: int
    """Frames in which something was not painted yet."""
    presented: int
    heap: int
    """Bytes before the largest collection, or now."""
    nodes: int
    page: dict[str, Any]
    """What `watching.js` tells of it."""


class Screen:
    """A page somebody has before them."""

    def __init__(self, browser: Browser, context: BrowserContext) -> None:
        self.browser, self.context = browser, context
        self.page: Page = context.new_page()
        self.tools: CDPSession = context.new_cdp_session(self.page)
        self.tools.send("Performance.enable")

    def open(self, url: str) -> dict[str, float]:
        """Milliseconds since the navigation began."""
        self.page.goto(url, wait_until="load")
        told: dict[str, float] = self.page.evaluate("tellOpened()")
        return told

    def scroll(self, way: int, speed: int, most: int | None = None) -> list[Stretch]:
        """To the very beginning (1) or the end (-1), or for so many stretches."""
        self.page.evaluate("(way) => watchScrolling(way)", way)
        stretches: list[Stretch] = []
        while most is None or len(stretches) < most:
            stretches.append(self._stretch(way, speed))
            if stretches[-1].page["isOver"]:
                break
            if len(stretches) > MOST_STRETCHES:
                raise Failed(f"It does not end: {stretches[-1]}")
        return stretches

    def _stretch(self, way: int, speed: int) -> Stretch:
        self.browser.start_tracing(page=self.page, categories=[FRAMES, COLLECTIONS])
        turn = {"yDistance": way * STRETCH, "speed": speed, "gestureSourceType": "mouse"}
        middle = {axis: VIEWPORT[size] // 2 for axis, size in (("x", "width"), ("y", "height"))}
        self.tools.send("Input.synthesizeScrollGesture", {**middle, **turn})
        told = self.page.evaluate("tellScrolled()")
        events = json.loads(self.browser.stop_tracing())["traceEvents"]
        metrics = self.metrics()
        heap = max([metrics["JSHeapUsedSize"], *collected(events)])
        return Stretch(**frames(events), heap=heap, nodes=metrics["Nodes"], page=told)

    def metrics(self) -> dict[str, int]:
        told = self.tools.send("Performance.getMetrics")["metrics"]
        return {one["name"]: int(one["value"]) for one in told}

    def collect(self) -> dict[str, int]:
        """What is left once everything is let go that can be."""
        self.tools.send("HeapProfiler.collectGarbage")
        return self.metrics()


def collected(events: list[dict[str, Any]]) -> list[int]:
    """Bytes in use before each collection of garbage."""
    names = ("MinorGC", "MajorGC")
    sizes = [event["args"] for event in events if event["name"] in names]
    return [args["usedHeapSizeBefore"] for args in sizes if "usedHeapSizeBefore" in args]


def frames(events: list[dict[str, Any]]) -> dict[str, int]:
    """Of those in which something was scrolled, by their fate. One frame may be told of twice, as
    the page's part in it and the compositor's: it is dropped where either was that had to be there.
    """
    told: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if event["name"] == "PipelineReporter" and event["ph"] == "b":
            report = event["args"]["frame_reporter"]
            if report["scroll_state"] != "SCROLL_NONE":
                told[event["pid"], report["frame_sequence"]].append(report)
    fates = [fate(reports) for reports in told.values()]
    blank = sum(any(one["has_missing_content"] for one in reports) for reports in told.values())
    return {name: fates.count(name) for name in ("presented", "dropped", "late")} | {"blank": blank}


def fate(reports: list[dict[str, Any]]) -> str:
    states = {one["state"] for one in reports}
    if any(one["state"] == "STATE_DROPPED" and one["affects_smoothness"] for one in reports):
        return "dropped"
    if "STATE_PRESENTED_ALL" in states:
        return "presented"
    return "late" if "STATE_PRESENTED_PARTIAL" in states else "idle"
