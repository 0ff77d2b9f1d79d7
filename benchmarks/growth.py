"""What must not grow: the cost of a post, of one more delivery and of coming in, as there is more.

Each time one thing grows while all else stays; each server starts afresh, on SQLite. What
is counted is what the server computed, which stands where others use the machine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.command import Found, command, run, say
from benchmarks.comparing import are_sound, median
from benchmarks.generator import compiled, idling, load
from benchmarks.plot import Curve, drawn, figure
from benchmarks.servers import ON_SQLITE, ROOT, ChatManager, Server
from benchmarks.wanted import Wanted

SPEAKERS = 5
HISTORIES = (100, 1_000, 10_000, 100_000)
FLAT = Wanted(1.5, 1.5)
"""From where a line costs least to where it costs most: ratios below are no difference."""
A_DAY = "86400"


@dataclass(frozen=True)
class Much:
    """How much there is of everything. `people` are those of the room in which there is talk,
    `messages` what was said in it before; five of them are there, and say something.
    """

    rooms: int = 100
    messages: int = 100
    people: int = SPEAKERS
    receivers: int = SPEAKERS
    """Who are there in another room, where one of them talks."""
    idle: int = 0
    """Sockets of others, by fives in rooms of their own."""


@dataclass(frozen=True)
class Line:
    """What grows, and what is then measured."""

    name: str
    title: str
    grows: str
    numbers: Sequence[int]
    measures: str

    def much(self, number: int) -> Much:
        return replace(Much(), **{self.grows: number})


POST, DELIVERY, COMING = "a post", "a delivery more", "coming in"
LINES = [
    Line("rooms", "A post, as there are more rooms", "rooms", (100, 1_000, 10_000), POST),
    Line("history", "A post, to a longer history", "messages", HISTORIES, POST),
    Line("participants", "A post, among more people", "people", (5, 50, 500, 5_000), POST),
    Line("idle", "A post, beside idle sockets", "idle", (10, 100, 1_000), POST),
    Line("receivers", "One more receiver, among more", "receivers", (10, 300, 1_000), DELIVERY),
    Line("coming", "Coming in, to a longer history", "messages", HISTORIES, COMING),
]
UNIT = "µs of the server's core"

Rounds = dict[str, dict[int, list[dict[str, Any]]]]


class Growing(ChatManager):
    def prepare_much(self, much: Much) -> None:
        self.template.mkdir()
        numbers = (much.rooms, much.messages, much.people, much.receivers, much.idle)
        self.make_world("growth", *map(str, numbers))


def main() -> int:
    return run(parse(), measure)


def parse() -> argparse.Namespace:
    parser = command("growth", __doc__, rounds=3)
    names = [line.name for line in LINES]
    parser.add_argument("--lines", nargs="+", choices=names, default=names)
    parser.add_argument("--seconds", type=float, default=4, help="measured, after a second to warm")
    parser.add_argument("--plot", type=Path, default=ROOT / "var" / "growth.svg")
    return parser.parse_args()


def measure(asked: argparse.Namespace, directory: Path) -> Found:
    compiled()
    lines = [line for line in LINES if line.name in asked.lines]
    rounds: Rounds = {line.name: {number: [] for number in line.numbers} for line in lines}
    amounts = {line.much(number) for line in lines for number in line.numbers}
    worlds = {much: world(much, directory) for much in amounts}
    for at in range(asked.rounds):
        for line in lines:
            for number in line.numbers:
                say(f"{line.title}: {number:,}, round {at + 1} of {asked.rounds} ...")
                found = one_round(worlds[line.much(number)], line, asked.seconds)
                rounds[line.name][number].append(found)
    asked.plot.parent.mkdir(parents=True, exist_ok=True)
    asked.plot.write_text(drawn([curve(line, rounds[line.name]) for line in lines]))
    is_valid = all(are_sound(*found.values()) for found in rounds.values())
    return Found({"rounds": rounds}, table(lines, rounds), is_valid)


def world(much: Much, directory: Path) -> Growing:
    say(f"Preparing {much} ...")
    template = directory / "-".join(map(str, astuple(much)))
    # A run may take longer than tokens last.
    peer = Growing("Chat Manager", "chat", template, {**ON_SQLITE, "CHAT_ACCESS_LIFETIME": A_DAY})
    peer.prepare_much(much)
    return peer


def one_round(peer: Growing, line: Line, seconds: float) -> dict[str, Any]:
    with peer.running() as server, ExitStack() as stack:
        talked(server, "talk", seconds=1)  # what the first ones bring into memory is no part of it
        if line.measures == COMING:
            return came(server)
        beside = stack.enter_context(idling(server, "idle")) if line.grows == "idle" else {}
        server.settle()
        targets = "receivers" if line.measures == DELIVERY else "talk"
        result = talked(server, targets, seconds=seconds)
    faults = [*beside.get("faults", ()), *result["faults"]]
    us = 1e6 * result["server_cpu"] / max(result["messages_per_s"], 0.1)
    return {**result, "us": us, "faults": faults}


def talked(server: Server, targets: str, *, seconds: float) -> dict[str, Any]:
    timing = ("--warm", "1", "--seconds", str(seconds))
    return load(server, targets, "--window", "8", "--senders", "first", *timing)


def came(server: Server) -> dict[str, Any]:
    number = len((server.data / "coming").read_text().splitlines())
    server.settle()
    used = server.cpu_seconds()
    with idling(server, "coming") as result:
        server.settle()
        result["us"] = 1e6 * (server.cpu_seconds() - used) / number
    return result


def curve(line: Line, found: dict[int, list[dict[str, Any]]]) -> Curve:
    return Curve(line.title, UNIT, [*costs(line, found).items()])


def costs(line: Line, found: dict[int, list[dict[str, Any]]]) -> dict[int, float]:
    """Of a delivery what each receiver more adds to a message to the fewest: what a message costs
    whoever receives it would hide, shared among many, what they cost.
    """
    whole = {number: median(results, "us") for number, results in found.items()}
    if line.measures != DELIVERY:
        return whole
    fewest, *more = whole
    return {number: (whole[number] - whole[fewest]) / (number - fewest) for number in more}


def growth(found: dict[int, float]) -> float:
    """From where it costs least to where it costs most."""
    return max(found.values()) / max(min(found.values()), 1e-9)


def table(lines: Sequence[Line], rounds: Rounds) -> str:
    rows = [f"{UNIT}, medians"]
    for line in lines:
        found = costs(line, rounds[line.name])
        cells = "".join(f"{f'{number:,}: {figure(cost)}':>18}" for number, cost in found.items())
        times = f"{growth(found):>6.1f}x" if are_sound(*rounds[line.name].values()) else ""
        rows.append(f"{line.title:34}{cells:72}{times}")
    return "\n".join([*rows, "", *verdicts(lines, rounds)])


def verdicts(lines: Sequence[Line], rounds: Rounds) -> Iterator[str]:
    for line in lines:
        for number, results in rounds[line.name].items():
            faults = {fault for result in results for fault in result["faults"]}
            if faults:
                yield f"INVALID  {line.title}, {number:,}: {', '.join(sorted(faults))}"
        if are_sound(*rounds[line.name].values()):
            found = costs(line, rounds[line.name])
            least, most = (f"{of(found, key=found.__getitem__):,}" for of in (min, max))
            told = f"{line.title}: with {most} {growth(found):.1f} times what it takes with {least}"
            yield from FLAT.missed(told, growth(found))


if __name__ == "__main__":
    sys.exit(main())
