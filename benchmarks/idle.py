"""What sockets that only wait cost: their coming, their memory, and what a post costs beside them.

Beside a tutorial's chat, interleaved, medians of the rounds. Each round starts every server afresh
for each number of idle sockets.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.command import Found, command, run, say
from benchmarks.comparing import are_sound, cell, median
from benchmarks.generator import compiled, idling, load
from benchmarks.servers import ChatManager, Failed, Peer, Server, Size, Tutorial
from benchmarks.wanted import Wanted
from benchmarks.works import MANY_ROOMS

BUSY = Size(receivers=5, rooms=200, members=5)
"""Those who post: the room of lone messages, and the many rooms."""
LONE_RATE = 50
"""Messages a second, so few that each is alone."""
SPARE = 500
"""Files that a server opens besides its sockets."""
A_DAY = "86400"

Rounds = dict[str, dict[int, list[dict[str, Any]]]]

CONNECTING = Wanted(5, 2)
MEMORY = Wanted(30, 20)
MEASURED_FOR = 5_000
"""Sockets, for which that is wanted."""
GROWTH = Wanted(1.5, 1.5)
"""Of what a post costs, from no idle sockets to all: ratios below are no difference."""
COMING = {
    "connect_s": ("until all are there, s", "{:.2f}"),
    "each_ms": ("the server's core for each, ms", "{:.2f}"),
    "each_kib": ("memory each, KiB", "{:.1f}"),
}
POSTS = {
    "lone_p50_ms": ("lone message, p50, ms", "{:.2f}"),
    "lone_p99_ms": ("p99", "{:.2f}"),
    "lone_max_ms": ("max", "{:.1f}"),
    "lone_cpu": ("the server's core meanwhile", "{:.2f}"),
    "many_rate": ("many rooms, messages a second", "{:,.0f}"),
    "many_p50_ms": ("p50, ms", "{:.1f}"),
    "many_p99_ms": ("p99", "{:.1f}"),
    "many_us": ("µs of the server's core a message", "{:,.0f}"),
}
FLAT = ("lone_p50_ms", "many_us")
"""What must not grow. Rates and waits under saturation depend on what else the machine does."""


@dataclass(frozen=True)
class Crowd:
    """Who idles: so many people with a socket each, by so many in each of so many rooms."""

    sockets: int
    together: int
    rooms: int


class OurCrowd(ChatManager):
    """Our server, with people who idle."""

    def prepare_idle(self, crowd: Crowd) -> None:
        self.prepare(BUSY)
        self.make_world("idle", str(crowd.sockets), str(crowd.together), str(crowd.rooms))


class TutorialCrowd(Tutorial):
    """The tutorial's, where a socket is in one room."""

    def prepare_idle(self, crowd: Crowd) -> None:
        self.prepare(BUSY)
        rooms = [f"idle{n // crowd.together}" for n in range(crowd.sockets)]
        seats = [f"{room} /ws/chat/{room}/ -\n" for room in rooms]
        (self.template / "idle").write_text("".join(seats))


def main() -> int:
    return run(parse(), measure)


def parse() -> argparse.Namespace:
    parser = command("idle", __doc__, rounds=3, peers=["tutorial", "ours"])
    parser.add_argument("--sockets", type=int, default=MEASURED_FOR, help="that idle, at most")
    parser.add_argument(
        "--together", type=int, default=5, help="people of a room; 1: a room each, or all in one"
    )
    parser.add_argument("--rooms", type=int, default=1, help="that each of our sockets joins")
    parser.add_argument("--seconds", type=float, default=4, help="of many rooms")
    parser.add_argument(
        "--lone-seconds", type=float, default=16, help="longer than what a server does now and then"
    )
    return parser.parse_args()


def allow_open_files(number: int) -> None:
    """To us and to all that we start. Raises Failed where this system does not allow as many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < number:
        raise Failed(
            f"A server of so many sockets opens up to {number:,} files, and {hard:,} are allowed "
            f"here.\nAs root: ulimit -Hn {number}, or LimitNOFILE={number} of a systemd unit, or "
            f"--ulimit nofile={number} of a container. Or ask for fewer: --sockets"
        )
    if soft != resource.RLIM_INFINITY and soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


def measure(asked: argparse.Namespace, directory: Path) -> Found:
    allow_open_files(asked.sockets + BUSY.rooms * BUSY.members + SPARE)
    compiled()
    peers = peers_of(asked, directory)
    for peer in peers:
        say(f"Preparing {peer.name} ...")
        peer.prepare_idle(Crowd(asked.sockets, asked.together, asked.rooms))
    numbers = [0, asked.sockets // 5, asked.sockets]
    rounds: Rounds = {peer.name: {number: [] for number in numbers} for peer in peers}
    for at in range(asked.rounds):
        for number in numbers:
            for peer in peers:
                say(f"{peer.name}, {number:,} idle, round {at + 1} of {asked.rounds} ...")
                rounds[peer.name][number].append(one_round(peer, number, asked))
    is_valid = all(are_sound(*found.values()) for found in rounds.values())
    return Found({"rounds": rounds}, table(rounds), is_valid)


def peers_of(asked: argparse.Namespace, directory: Path) -> list[Any]:
    # A run may take longer than tokens last.
    lasting = {"CHAT_ACCESS_LIFETIME": A_DAY}
    peers: dict[str, Peer] = {
        "tutorial": TutorialCrowd("Tutorial", "tutorial", directory / "tutorial"),
        "ours": OurCrowd("Chat Manager", "chat", directory / "ours", lasting),
    }
    return [peers[name] for name in asked.peers or peers]


def one_round(peer: Peer, number: int, asked: argparse.Namespace) -> dict[str, Any]:
    with peer.running() as server, ExitStack() as stack:
        # What the first messages bring into memory is no part of what sockets take.
        posted_alone(server, seconds=1)
        result = stack.enter_context(waiting(server, number)) if number else {}
        alone = posted_alone(server, seconds=asked.lone_seconds)
        many = posted_in_many_rooms(server, seconds=asked.seconds)
    return {
        **{name: value for name, value in result.items() if name != "faults"},
        "lone": alone,
        "many": many,
        **{f"lone_{name}": alone[name] for name in ("p50_ms", "p99_ms", "max_ms")},
        "lone_cpu": alone["server_cpu"],
        "many_rate": many["messages_per_s"],
        **{f"many_{name}": many[name] for name in ("p50_ms", "p99_ms")},
        "many_us": 1e6 * many["server_cpu"] / max(many["messages_per_s"], 0.1),
        "faults": [*result.get("faults", ()), *alone["faults"], *many["faults"]],
    }


@contextmanager
def waiting(server: Server, number: int) -> Iterator[dict[str, Any]]:
    """So many idle sockets; how long they took to come, and what each takes."""
    everybody = (server.data / "idle").read_text().splitlines(keepends=True)
    (server.data / f"idle-{number}").write_text("".join(everybody[:number]))
    server.settle()
    before, used = server.kibibytes(), server.cpu_seconds()
    with idling(server, f"idle-{number}") as result:
        server.settle()
        result["each_ms"] = 1000 * (server.cpu_seconds() - used) / number
        result["each_kib"] = (server.kibibytes() - before) / number
        yield result


def posted_alone(server: Server, *, seconds: float) -> dict[str, Any]:
    timing = ("--warm", "1", "--seconds", str(seconds))
    return load(server, "fan-out", "--rate", str(LONE_RATE), *timing)


def posted_in_many_rooms(server: Server, *, seconds: float) -> dict[str, Any]:
    return load(
        server, MANY_ROOMS.targets, *MANY_ROOMS.options(), "--warm", "1", "--seconds", str(seconds)
    )


def table(rounds: Rounds) -> str:
    lines: list[str] = []
    numbers = list(next(iter(rounds.values())))
    for number in numbers[1:]:
        heads = "".join(f"{name:>22}" for name in rounds)
        lines += ["", f"{f'{number:,} idle sockets':40}{heads}{'must':>8}{'aim':>6}"]
        lines += [came(rounds, number, figure) for figure in COMING]
    for name, found in rounds.items():
        heads = "".join(f"{f'{number:,} idle':>22}" for number in numbers)
        lines += ["", f"{name + ', a post beside':40}{heads}{'growth':>9}"]
        lines += [beside(found, figure) for figure in POSTS]
    faults = {
        f"INVALID  {name}, {number:,} idle: {', '.join(result['faults'])}"
        for name, found in rounds.items()
        for number, results in found.items()
        for result in results
        if result["faults"]
    }
    return "\n".join([*lines, "", *sorted(faults), *verdicts(rounds)])


def came(rounds: Rounds, number: int, figure: str) -> str:
    meaning, form = COMING[figure]
    cells = "".join(f"{cell(found[number], figure, form):>22}" for found in rounds.values())
    wanted = wanted_of(figure, number)
    asked = f"{wanted.must:>8g}{wanted.aim:>6g}" if wanted else ""
    return f"{meaning:>39} {cells}{asked}"


def wanted_of(figure: str, number: int) -> Wanted | None:
    if figure == "connect_s" and number == MEASURED_FOR:
        return CONNECTING
    return MEMORY if figure == "each_kib" else None


def beside(found: dict[int, list[dict[str, Any]]], figure: str) -> str:
    meaning, form = POSTS[figure]
    cells = "".join(f"{cell(results, figure, form):>22}" for results in found.values())
    times = f"{growth(found, figure):>8.1f}x" if are_sound(*found.values()) else ""
    return f"{meaning:>39} {cells}{times}"


def growth(found: dict[int, list[dict[str, Any]]], figure: str) -> float:
    """From no idle sockets to all."""
    results = list(found.values())
    return median(results[-1], figure) / max(median(results[0], figure), 1e-9)


def verdicts(rounds: Rounds) -> Iterator[str]:
    """What is wanted of ours, and which of it was missed, by the medians of what is valid."""
    found = rounds.get("Chat Manager", {})
    if not are_sound(*found.values()):
        return
    for number in list(found)[1:]:
        for figure, (meaning, form) in COMING.items():
            if wanted := wanted_of(figure, number):
                value = median(found[number], figure)
                yield from wanted.missed(f"{number:,}: {meaning} {form.format(value)}", value)
    for figure in FLAT if found else ():
        meaning, _ = POSTS[figure]
        times = growth(found, figure)
        yield from GROWTH.missed(f"{meaning}: {times:.1f} times with idle sockets", times)


if __name__ == "__main__":
    sys.exit(main())
