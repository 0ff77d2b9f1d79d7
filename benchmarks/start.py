"""How long a start takes, what memory it comes to, and which imports take the time.

The very first start makes the database and collects static files; later ones find all that done.
Ready is when /readyz says 200. On SQLite, embedded worker and all.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from benchmarks.command import Found, command, run, say
from benchmarks.comparing import Rounds, cell
from benchmarks.servers import ON_SQLITE, ROOT, ChatManager, Failed, Peer, Server
from benchmarks.streams import begin_provider
from benchmarks.wanted import Wanted

READER, PASSWORD = "reader", "correct horse battery staple"
MESSAGES = 200
"""In the room that is shown: more than a page of it."""
TOKENS = 20
TOKENS_A_SECOND, THINKING = 50, 0.2
PATIENCE = 60.0
"""Seconds for an answer: the model's client is imported for it."""
LARGEST = 10
"""Packages that are shown."""
OWN = "(Python's own)"
TOLD = re.compile(r"import time: +(\d+) \| +(\d+) \| ( *)(\S+)")

START = Wanted(4, 1.5)
MEMORY = Wanted(150, 90)
MEANINGS: dict[str, tuple[str, str, Wanted | None]] = {
    "first_s": ("the very first start, s", "{:.2f}", None),
    "again_s": ("any later start, s", "{:.2f}", START),
    "core_s": ("the core meanwhile, s", "{:.2f}", None),
    "run_s": ("a later start by bin/run, s", "{:.2f}", START),
    "ready_mib": ("MiB: ready and idle", "{:.0f}", MEMORY),
    "shown_mib": ("after a page was shown", "{:.0f}", MEMORY),
    "answered_mib": ("after a robot answered", "{:.0f}", None),
}


class Furnished(ChatManager):
    """Our server, on data in which there is a room to show, and a robot to ask."""

    def prepare_start(self, provider: str) -> None:
        self.template.mkdir()
        self.make_world("history", str(MESSAGES), PASSWORD)
        self.make_world("streams", "1", f"{provider}/v1")


class Empty(ChatManager):
    """Our server, where nothing was made yet: neither data nor static files."""

    def environment_for(self, data: Path) -> dict[str, str]:
        return {**super().environment_for(data), "CHAT_STATIC_ROOT": str(data / "static")}


class ByHand(Furnished):
    """Our server, as people start it."""

    def command(self, port: int, data: Path) -> list[str]:
        return [str(ROOT / "bin" / "run"), "--port", str(port)]


class Telling(Furnished):
    """Our server, which prints what it imports."""

    def command(self, port: int, data: Path) -> list[str]:
        python, *rest = super().command(port, data)
        return [python, "-X", "importtime", *rest]


class Import(NamedTuple):
    """A module, how deep it is within the imports that led to it, and µs."""

    module: str
    depth: int
    own: int
    whole: int

    @property
    def package(self) -> str:
        first = self.module.split(".")[0]
        return OWN if first in sys.stdlib_module_names else first


def main() -> int:
    return run(parse(), measure)


def parse() -> argparse.Namespace:
    return command("start", __doc__, rounds=5).parse_args()


def measure(asked: argparse.Namespace, directory: Path) -> Found:
    provider, address = begin_provider(TOKENS_A_SECOND, THINKING, directory)
    try:
        say("Preparing ...")
        starts = Starts(directory)
        starts.prepare(address)
        rounds = []
        for number in range(asked.rounds):
            say(f"Round {number + 1} of {asked.rounds} ...")
            rounds.append(starts.one_round())
    finally:
        provider.stop()
    imports = medians([one.pop("imports") for one in rounds])
    return Found({"rounds": rounds, "imports": imports}, table(rounds, imports))


class Starts:
    """All ways of starting that are compared."""

    def __init__(self, directory: Path) -> None:
        furnished = directory / "furnished"
        self.first = Empty("The first start", "chat", directory / "empty", ON_SQLITE)
        self.again = Furnished("A later start", "chat", furnished, ON_SQLITE)
        self.by_hand = ByHand("bin/run", "chat", furnished, ON_SQLITE)
        self.telling = Telling("A start that tells", "chat", furnished, ON_SQLITE)

    def prepare(self, provider: str) -> None:
        self.first.template.mkdir()
        self.again.prepare_start(provider)
        seconds_to_start(self.again)  # static files are collected, and all that is read was read

    def one_round(self) -> dict[str, Any]:
        found: dict[str, Any] = {"first_s": seconds_to_start(self.first)}
        with self.again.running() as server:
            found["again_s"] = time.monotonic() - server.began
            found["core_s"] = server.cpu_seconds()
            found |= memory(server)
        if is_installed():
            found["run_s"] = seconds_to_start(self.by_hand)
        with self.telling.running() as server:
            found["imports"] = by_package(told_imports(server))
        return found


def is_installed() -> bool:
    """Whether bin/run starts what is measured here, and installs nothing."""
    return Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()


def seconds_to_start(peer: Peer) -> float:
    with peer.running() as server:
        return time.monotonic() - server.began


def memory(server: Server) -> dict[str, float]:
    """MiB, of one server after the other thing that it does."""
    url = f"http://127.0.0.1:{server.port}"
    found = {"ready_mib": settled(server)}
    show_a_page(url, json.loads((server.data / "history").read_text())["room"])
    found["shown_mib"] = settled(server)
    room, _, token = (server.data / "streams").read_text().split()
    have_a_robot_answer(url, room, token)
    return {**found, "answered_mib": settled(server)}


def settled(server: Server) -> float:
    server.settle()
    return server.kibibytes() / 1024


def show_a_page(url: str, room: int) -> None:
    """As a browser does after signing in."""
    with httpx.Client(base_url=url, follow_redirects=True, timeout=PATIENCE) as reader:
        reader.get("/login/")
        form = {"username": READER, "password": PASSWORD}
        csrf = {"csrfmiddlewaretoken": reader.cookies["chat_csrf"]}
        reader.post("/login/", data={**form, **csrf}).raise_for_status()
        page = reader.get(f"/rooms/{room}/").raise_for_status()
        if "/login/" in page.url.path:
            raise Failed("Nobody could sign in, and so no room was shown.")


def have_a_robot_answer(url: str, room: str, token: str) -> None:
    name = uuid4().hex
    question = {"client_id": str(uuid4()), "body": f"@echo stream {name} of {TOKENS} tokens"}
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/api/v1/rooms/{room}/messages/"
    with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE) as asker:
        asker.post(path, json=question).raise_for_status()
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            newest = asker.get(path).raise_for_status().json()["messages"][-1]
            if name not in newest["body"] and newest["status"] == "complete":
                return
            time.sleep(0.1)
    raise Failed(f"The robot did not answer:\n{newest}")


def told_imports(server: Server) -> list[Import]:
    """In the order told: what a module imports before the module."""
    found = []
    for line in server.log.read_text(errors="replace").splitlines():
        if told := TOLD.fullmatch(line):
            own, whole, indent, module = told.groups()
            found.append(Import(module, len(indent) // 2, int(own), int(whole)))
    return found


def by_package(imports: list[Import]) -> dict[str, dict[str, float]]:
    """Milliseconds: of a package's own modules, and with all that it was the first to import."""
    found: dict[str, dict[str, float]] = defaultdict(
        lambda: {"modules": 0, "own_ms": 0, "whole_ms": 0}
    )
    around: list[Import] = []
    for one in reversed(imports):
        while around and around[-1].depth >= one.depth:
            around.pop()
        told = found[one.package]
        told["modules"] += 1
        told["own_ms"] += one.own / 1000
        if all(other.package != one.package for other in around):
            told["whole_ms"] += one.whole / 1000
        around.append(one)
    return dict(found)


def medians(rounds: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Of each package, the one that took most of its own first."""
    found = {
        package: {
            name: statistics.median(one[package][name] for one in rounds if package in one)
            for name in ("modules", "own_ms", "whole_ms")
        }
        for package in {package for one in rounds for package in one}
    }
    return dict(sorted(found.items(), key=lambda item: -item[1]["own_ms"]))


def table(rounds: Rounds, imports: dict[str, dict[str, float]]) -> str:
    lines = [f"{'':40}{'':>22}{'must':>8}{'aim':>6}"]
    for figure, (meaning, form, wanted) in MEANINGS.items():
        asked = f"{wanted.must:>8g}{wanted.aim:>6g}" if wanted else ""
        lines.append(f"{meaning:>39} {cell(rounds, figure, form):>22}{asked}")
    whole = sum(told["own_ms"] for told in imports.values())
    lines += [
        "",
        f"Imports of a later start: {whole:,.0f} ms, as -X importtime has them, which slows them",
        f"{'':30}{'modules':>10}{'ms':>8}{'with what it brought':>23}",
    ]
    for package, told in list(imports.items())[:LARGEST]:
        figures = f"{told['modules']:>10,.0f}{told['own_ms']:>8,.0f}{told['whole_ms']:>23,.0f}"
        lines.append(f"{package:30}{figures}")
    return "\n".join([*lines, "", *verdicts(rounds)])


def verdicts(rounds: Rounds) -> Iterator[str]:
    """What is wanted, and which of it was missed, by the medians."""
    for figure, (meaning, form, wanted) in MEANINGS.items():
        values = [one[figure] for one in rounds if figure in one]
        if wanted and values:
            value = statistics.median(values)
            yield from wanted.missed(f"{meaning}: {form.format(value)}", value)


if __name__ == "__main__":
    sys.exit(main())
