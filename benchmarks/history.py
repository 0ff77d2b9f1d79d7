"""A room in which 10,000 messages were said, as somebody in a browser has it.

Opens it in Chromium (at its end, at the first unread far up, at a permalink; with an empty cache
and a filled one), then turns the wheel to the very beginning and back, beside a page of nothing but
plain text, in turn. On SQLite, and with the DATABASE_URL of an empty database on PostgreSQL.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, StorageState

from benchmarks.browser import STRETCH, Chromium, Screen, Stretch, chromium, plain_text
from benchmarks.command import Found, command, run, say
from benchmarks.servers import ChatManager

PASSWORD = "correct horse battery staple"
READ_ALL, READ_A_FIFTH = "reader", "returner"
OPENINGS = {
    "at the end": (READ_ALL, "/rooms/{room}/"),
    "at the first unread, far up": (READ_A_FIFTH, "/rooms/{room}/"),
    "at a permalink": (READ_ALL, "/rooms/{room}/?around={middle}"),
}
MOMENTS = {
    "server_ms": "server",
    "arrived_ms": "arrived",
    "first_ms": "anything",
    "message_ms": "messages",
    "largest_ms": "largest",
    "begun_ms": "scripts",
}
MEANINGS = {
    "presented": ("frames shown whole", "{:,.0f}"),
    "late": ("without what the page drew", "{:,.0f}"),
    "dropped": ("dropped", "{:,.0f}"),
    "dropped_percent": ("dropped, %", "{:.1f}"),
    "blank": ("with something not yet painted", "{:,.0f}"),
    "waited": ("in which one waited for messages", "{:,.0f}"),
    "long_tasks": ("tasks of more than 50 ms", "{:,.0f}"),
    "longest_ms": ("the longest, ms", "{:,.0f}"),
    "shift": ("layout shift", "{:.3f}"),
    "against_px": ("pixels it moved against the wheel", "{:,.0f}"),
    "astray_px": (f"more or less than {STRETCH:,} turned", "{:,.0f}"),
    "heap_mb": ("JS heap at most, MB", "{:.1f}"),
    "kept_mb": ("what is kept of it", "{:.1f}"),
    "nodes": ("DOM nodes at most", "{:,.0f}"),
    "kept_nodes": ("what is kept of them", "{:,.0f}"),
}
FATES = ("presented", "late", "dropped", "blank")
PLAIN, TO_START, TO_END = "plain text", "to the beginning", "back to the end"
PLAIN_STRETCHES = 8
WARMING = 2
"""Times it is opened before any counts: caches and the service worker fill."""
MB = 1_000_000
PAINT_MS, DROPPED, HEAP_MB = 500, 5.0, 100
"""What is wanted at most."""


class Room(ChatManager):
    """Our server, with one room in which much was said."""

    def prepare_history(self, messages: int) -> None:
        self.template.mkdir()
        self.make_world("history", str(messages), PASSWORD)

    def path(self, path: str) -> str:
        """Of a page of the room."""
        return path.format(**json.loads((self.template / "history").read_text()))


def main() -> int:
    return run(parse(), measure)


def parse() -> argparse.Namespace:
    parser = command("history", __doc__, rounds=3)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=9, help="each way of opening it")
    parser.add_argument("--speed", type=int, default=4_000, help="pixels a second, of the wheel")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument(
        "--works", nargs="+", choices=["opening", "scrolling"], default=["opening", "scrolling"]
    )
    return parser.parse_args()


def measure(asked: argparse.Namespace, directory: Path) -> Found:
    found: dict[str, Any] = {}
    with chromium() as browser:
        for room in rooms(asked, directory):
            say(f"{room.name}: {asked.messages:,} messages are said ...")
            room.prepare_history(asked.messages)
            found[room.name] = measured(room, asked, browser)
    return Found(
        {"chromium": browser.version, "rounds": found},
        f"Chromium {browser.version}\n{table(found)}",
    )


def rooms(asked: argparse.Namespace, directory: Path) -> Iterator[Room]:
    if asked.only != "postgresql":
        yield Room("SQLite", "chat", directory / "sqlite", {"DATABASE_URL": ""})
    if os.environ.get("DATABASE_URL") and asked.only != "sqlite":
        yield Room("PostgreSQL", "chat", directory / "postgresql")


def measured(room: Room, asked: argparse.Namespace, browser: Chromium) -> dict[str, Any]:
    with room.running() as server:
        url = f"http://127.0.0.1:{server.port}"
        who = (READ_ALL, READ_A_FIFTH)
        states = {one: browser.signed_in(url, one, PASSWORD) for one in who}
        found: dict[str, Any] = {}
        if "opening" in asked.works:
            found["opening"] = openings(browser, room, url, states, asked.times)
        if "scrolling" in asked.works:
            address = url + room.path("/rooms/{room}/")
            found["scrolling"] = scrolling(browser, address, states[READ_ALL], asked)
    return found


def openings(
    browser: Chromium, room: Room, url: str, states: dict[str, StorageState], times: int
) -> dict[str, list[dict[str, float]]]:
    """Each way in turn, so that what else the machine does hits all of them."""
    found: dict[str, list[dict[str, float]]] = {}
    with ExitStack() as stack:
        returning = {who: stack.enter_context(browser.somebody(states[who])) for who in states}
        for number in range(times + WARMING):
            say(f"{room.name}, opening, {number + 1} of {times + WARMING} ...")
            for name, (who, path) in OPENINGS.items():
                address = url + room.path(path)
                with browser.somebody(states[who], service_workers="block") as stranger:
                    first = opened(browser, stranger, address)
                again = opened(browser, returning[who], address)
                if number >= WARMING:
                    found.setdefault(f"{name}, first visit", []).append(first)
                    found.setdefault(f"{name}, again", []).append(again)
    return found


def opened(browser: Chromium, context: BrowserContext, address: str) -> dict[str, float]:
    screen = browser.screen(context)
    told = screen.open(address)
    # What one opening leaves to be done is no part of the next.
    screen.page.wait_for_load_state("networkidle")
    screen.page.close()
    return told


def scrolling(
    browser: Chromium, address: str, state: StorageState, asked: argparse.Namespace
) -> dict[str, list[dict[str, Any]]]:
    plain = plain_text(asked.messages)
    found: dict[str, list[dict[str, Any]]] = {PLAIN: [], TO_START: [], TO_END: []}
    for number in range(asked.rounds):
        say(f"Scrolling, round {number + 1} of {asked.rounds} ...")
        with browser.somebody() as anybody:
            screen = browser.screen(anybody)
            screen.page.set_content(plain)
            found[PLAIN].append(summary(screen, screen.scroll(-1, asked.speed, PLAIN_STRETCHES)))
        with browser.somebody(state, service_workers="block") as reader:
            screen = browser.screen(reader)
            screen.open(address)
            for name, way in ((TO_START, 1), (TO_END, -1)):
                found[name].append(summary(screen, screen.scroll(way, asked.speed)))
    return found


def summary(screen: Screen, stretches: list[Stretch]) -> dict[str, Any]:
    """Of all stretches of one way: sums, and the most of what is not to grow."""
    total = {name: sum(getattr(one, name) for one in stretches) for name in FATES}
    shown = total["presented"] + total["late"]
    pages = [one.page for one in stretches]
    tasks = [task for page in pages for task in page["longTasks"]]
    left = screen.collect()
    return {
        **total,
        "dropped_percent": 100 * total["dropped"] / max(1, shown + total["dropped"]),
        "long_tasks": len(tasks),
        "longest_ms": max(tasks, default=0),
        "shift": sum(page["shift"] for page in pages),
        "against_px": max(page["against"] for page in pages),
        "astray_px": max(
            (abs(page["moved"] - STRETCH) for page in pages if is_whole(page)), default=0
        ),
        "waited": sum(page["waited"] for page in pages),
        "heap_mb": max(one.heap for one in stretches) / MB,
        "kept_mb": left["JSHeapUsedSize"] / MB,
        "nodes": max(one.nodes for one in stretches),
        "kept_nodes": left["Nodes"],
        "stretches": [asdict(one) for one in stretches],
    }


def is_whole(page: dict[str, Any]) -> bool:
    """The wheel was never turned where nothing was left to scroll."""
    return not page["waited"] and not page["isOver"]


def table(found: dict[str, Any]) -> str:
    lines: list[str] = []
    for name, works in found.items():
        if opening := works.get("opening"):
            heads = "".join(f"{head:>15}" for head in MOMENTS.values())
            lines += ["", f"{name}: opening, ms, median (worst)", f"{'':40}{heads}"]
            lines += [f"{way:40}" + "".join(moments(runs)) for way, runs in opening.items()]
        if scrolled := works.get("scrolling"):
            lines += ["", f"{name}: scrolling, median (worst)"]
            lines += [f"{'':40}" + "".join(f"{way:>24}" for way in scrolled)]
            for figure, (meaning, form) in MEANINGS.items():
                cells = (
                    middle_and_worst([run[figure] for run in runs], form)
                    for runs in scrolled.values()
                )
                lines.append(f"{meaning:40}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join([*lines, "", *verdicts(found)])


def moments(runs: list[dict[str, float]]) -> Iterator[str]:
    for name in MOMENTS:
        yield f"{middle_and_worst([run[name] for run in runs], '{:.0f}'):>15}"


def middle_and_worst(values: list[float], form: str) -> str:
    middle, worst = form.format(statistics.median(values)), form.format(max(values))
    return f"{middle} ({worst})" if middle != worst else middle


def verdicts(found: dict[str, Any]) -> Iterator[str]:
    """What is wanted, and which of it was missed, by the medians."""
    for name, works in found.items():
        for way, runs in works.get("opening", {}).items():
            paint = statistics.median(run["message_ms"] for run in runs)
            yield from missed(
                f"{name}, {way}: first messages after {paint:.0f} ms", paint, PAINT_MS
            )
        for way, runs in works.get("scrolling", {}).items():
            if way == PLAIN:
                continue
            dropped = statistics.median(run["dropped_percent"] for run in runs)
            heap = max(run["heap_mb"] for run in runs)
            yield from missed(f"{name}, {way}: {dropped:.1f} % of frames dropped", dropped, DROPPED)
            yield from missed(f"{name}, {way}: {heap:.0f} MB of heap", heap, HEAP_MB)


def missed(what: str, value: float, wanted: float) -> Iterator[str]:
    if value > wanted:
        yield f"MISSED  {what}, at most {wanted:g} is wanted"


if __name__ == "__main__":
    sys.exit(main())
