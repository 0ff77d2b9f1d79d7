"""What is asked of a million messages in a thousand rooms, on both databases.

Pages of history, catching up, counting what is unread, searching; whole requests for pages and of
the API in a room of 10,000 messages; posting. The same, in turn with it, among a tenth of it all
(messages, rooms, people), so that it is seen what grows. On SQLite, and with DATABASE_URL on that
PostgreSQL, in databases of its own, which are dropped again, or kept by --keep for the next time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.command import Found, command, run, say
from benchmarks.postgres import Scratch
from benchmarks.servers import ON_SQLITE, ROOT, ChatManager, Failed
from benchmarks.wanted import Wanted

WORKS = ["storage", "pages", "api", "search", "posts"]
P50, P99 = "p50_ms", "p99_ms"
UNREAD, ROOM_PAGE = (P99, Wanted(10, 2)), (P50, Wanted(60, 15))
WANTED = {
    "a page of history": (P99, Wanted(10, 2)),
    "catch up 500 changes": (P99, Wanted(30, 10)),
    "unread of 50 rooms": UNREAD,
    "the same, where nothing was read lately": UNREAD,
    "room page, at its end": ROOM_PAGE,
    "room page, at the first unread": ROOM_PAGE,
    "room page, at a permalink": ROOM_PAGE,
}
SEARCHES = (P99, Wanted(50, 10))
"""Of each."""
GROWTH = 1.5
"""Smaller ratios mean nothing on a shared machine."""
WHOLE, TENTH = "whole", "tenth"
FILLED = "filled.json"
"""In the folder of a database: of what size it is, once it is filled."""
TURN = 10
"""Times that each is done in one, before it is the other's turn."""
HEADINGS = (
    f"{'ms':41}{'gives':>7}{'asks':>6}{'p50':>9}{'p99':>9}{'CPU p50':>9}{'SQL p50':>9}"
    f"{'of a tenth':>12}{'grows':>8}{'must':>11}{'aim':>6}"
)


class Million(ChatManager):
    """Our code, without a server, on a database of its own with very many messages in it."""

    def __init__(
        self, name: str, share: str, directory: Path, server: str, *, is_kept: bool
    ) -> None:
        super().__init__(name, "chat", directory / f"{name}-{share}")
        self.is_kept = is_kept
        self.scratch = Scratch(server, f"kept_{share}" if is_kept else "") if server else None
        self.environment = {**ON_SQLITE, "CHAT_LOG_LEVEL": "WARNING"}
        if self.scratch:
            self.environment["DATABASE_URL"] = self.scratch.url

    @contextmanager
    def filled(self, size: list[str]) -> Iterator[subprocess.Popen[str]]:
        """A process that has filled it, if it was not, and does what `do` says."""
        if not (self.template / FILLED).exists():
            self.begin()
        command = [sys.executable, "-m", "benchmarks.storage", "--here", *sys.argv[1:], *size]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment_for(self.template),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self.heard(process)
            yield process
        finally:
            process.kill()
            process.wait()
            if not self.is_kept:
                self.forget()

    def begin(self) -> None:
        """Without what is left of a filling that was broken off."""
        shutil.rmtree(self.template, ignore_errors=True)
        self.forget()
        self.template.mkdir(parents=True)
        if self.scratch:
            self.scratch.create()

    def forget(self) -> None:
        if self.scratch:
            self.scratch.drop()

    def do(self, process: subprocess.Popen[str], *words: str) -> Any:
        """Have it work, and return what it says then."""
        print(*words, file=process.stdin, flush=True)
        return self.heard(process)

    def heard(self, process: subprocess.Popen[str]) -> Any:
        said = process.stdout.readline()
        if not said:
            raise Failed(f"{self.name}: the process that measures has ended.")
        return json.loads(said)


def main() -> int:
    asked = parse()
    if asked.here:
        return here(asked)
    return run(asked, measure)


def parse() -> argparse.Namespace:
    parser = command("storage", __doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rooms", type=int, default=1_000)
    parser.add_argument("--people", type=int, default=200, help="all of them in the large room")
    parser.add_argument("--seats", type=int, default=50, help="rooms that a person is in")
    parser.add_argument("--large", type=int, default=10_000, help="messages of the large room")
    parser.add_argument("--times", type=int, default=200, help="each is done")
    parser.add_argument("--works", nargs="+", choices=WORKS, default=WORKS)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="put the databases there, do not drop them, and take those that are there",
    )
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(asked: argparse.Namespace, directory: Path) -> Found:
    if asked.rooms < 10 * asked.seats or asked.large < 6_000:
        raise Failed("A tenth is to have --seats rooms, and 600 messages in the large one.")
    found = {
        name: measured(name, url, asked, directory) for name, url in databases(asked.only).items()
    }
    return Found({"found": found}, table(asked, found))


def databases(only: str | None) -> dict[str, str]:
    found = {"SQLite": "", "PostgreSQL": os.environ.get("DATABASE_URL", "")}
    return {
        name: url
        for name, url in found.items()
        if only in (None, name.lower()) and (url or name == "SQLite")
    }


def measured(name: str, url: str, asked: argparse.Namespace, directory: Path) -> dict[str, Any]:
    """By share, work and measure."""
    place = asked.keep.resolve() if asked.keep else directory
    millions = {
        share: Million(name, share, place, url, is_kept=bool(asked.keep))
        for share in (TENTH, WHOLE)
    }
    with ExitStack() as stack:
        processes = {}
        for share, million in millions.items():
            size = sizes(asked, 10 if share == TENTH else 1)
            say(f"{name}, filling: {' '.join(size)} ...")
            processes[share] = stack.enter_context(million.filled(size))
        for work in asked.works:
            say(f"{name}, {work} ...")
            for _ in range(0, asked.times, TURN):
                for share, million in millions.items():
                    million.do(processes[share], work, str(TURN))
        return {share: million.do(processes[share], "tell") for share, million in millions.items()}


def sizes(asked: argparse.Namespace, part: int) -> list[str]:
    """Options for a part of it all, but for how many rooms one is in."""
    numbers = {name: getattr(asked, name) for name in ("messages", "rooms", "people", "large")}
    return [word for name, number in numbers.items() for word in (f"--{name}", f"{number // part}")]


def here(asked: argparse.Namespace) -> int:
    """Fill the database that the environment names, unless it was; then do as a line says, and
    answer with one.
    """
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatmanager.settings")
    django.setup()
    from benchmarks.measures import works
    from benchmarks.million import Million, Size
    from chatmanager.memory import set_aside_what_is_loaded
    from chatmanager.preparation import prepare

    with redirect_stdout(sys.stderr):
        prepare()
    size = Size(asked.messages, asked.rooms, asked.people, asked.seats, asked.large)
    million, told = Million(size), Path(os.environ["CHAT_DATA_DIR"], FILLED)
    if not told.exists():
        million.fill()
        told.write_text(json.dumps(asdict(size)))
    elif Size(**json.loads(told.read_text())) != size:
        raise Failed(f"{told.parent} is of another size: {told.read_text()}")
    else:
        million.recall()
    known = works(million)
    set_aside_what_is_loaded()  # as a server does when it has started
    print("{}", flush=True)
    for line in sys.stdin:
        work, *times = line.split()
        found = {}
        if work == "tell":
            found = {name: known[name].summary() for name in asked.works}
        else:
            known[work].do(int(*times))
        print(json.dumps(found), flush=True)
    return 0


def table(asked: argparse.Namespace, found: dict[str, Any]) -> str:
    lines: list[str] = []
    for name, shares in found.items():
        lines += [f"{name}: {asked.messages:,} messages in {asked.rooms:,} rooms", HEADINGS]
        for work in asked.works:
            rows = shares[WHOLE][work].items()
            lines += [row(work, what, of, shares[TENTH][work][what]) for what, of in rows]
            lines.append("")
    return "\n".join([*lines, *verdicts(found)])


def row(work: str, what: str, of: dict[str, float], tenth: dict[str, float]) -> str:
    figures = "".join(
        f"{of[name]:>9.1f}" for name in ("p50_ms", "p99_ms", "cpu_p50_ms", "sql_p50_ms")
    )
    goals = ""
    if wanted := wanted_of(work, what):
        mark, limits = wanted
        goals = f"{mark[:3]:>6}{limits.must:>5g}{limits.aim:>6g}"
    return (
        f"{what:41}{of['given']:>7.0f}{of['statements']:>6}{figures}"
        f"{tenth['p50_ms']:>12.1f}{growth(of, tenth):>7.1f}x{goals}"
    )


def verdicts(found: dict[str, Any]) -> Iterator[str]:
    """What is wanted, or is to be flat, and is not."""
    for name, shares in found.items():
        for work, measures in shares[WHOLE].items():
            for what, of in measures.items():
                if wanted := wanted_of(work, what):
                    mark, limits = wanted
                    told = f"{name}, {what}: {mark[:3]} {of[mark]:.1f} ms"
                    yield from limits.missed(told, of[mark])
                grows = growth(of, shares[TENTH][work][what])
                # A tenth of the messages has other hits: that is no cost that grows.
                if grows > GROWTH and work != "search":
                    yield f"MISSED  {name}, {what}: {grows:.1f} times what it takes in a tenth"


def wanted_of(work: str, what: str) -> tuple[str, Wanted] | None:
    return SEARCHES if work == "search" else WANTED.get(what)


def growth(of: dict[str, float], tenth: dict[str, float]) -> float:
    return of["p50_ms"] / tenth["p50_ms"]


if __name__ == "__main__":
    sys.exit(main())
