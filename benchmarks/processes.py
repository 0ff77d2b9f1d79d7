"""Two server processes beside one, on PostgreSQL and Redis: many rooms, the same load on both.

Interleaved, medians of the rounds. DATABASE_URL, of PostgreSQL, and REDIS_URL, of an empty number,
say where; what is made there is removed afterwards.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.command import Found, command, run, say
from benchmarks.comparing import HEADINGS, Rounds, are_sound, faults, median, row, times
from benchmarks.generator import compiled, load
from benchmarks.postgres import Grown
from benchmarks.servers import CORES, Failed, Size, pinned
from benchmarks.wanted import AtLeast
from benchmarks.works import MANY_ROOMS

OTHERS = 2
"""Cores that the generator and the database want, beside the server's."""
ON_SPARE_CORES = AtLeast(1.5, 2)
ON_ONE_CORE = AtLeast(0.9, 1)
"""Where the processes share what one had: a second one must not cost."""


class Processes(Grown):
    """Our server in so many processes, a core each where there are enough."""

    def __init__(self, number: int, template: Path, *, server: str, redis: str) -> None:
        name = "one process" if number == 1 else f"{number} processes"
        super().__init__(name, template, server=server, redis=redis)
        self.number = number
        self.environment["WEB_CONCURRENCY"] = str(number)

    def command(self, port: int, data: Path) -> list[str]:
        cores = CORES[: self.number] if are_spare(self.number) else CORES[:1]
        return [*pinned(*cores), *super().command(port, data)]


def are_spare(processes: int) -> bool:
    """Whether there is a core for each."""
    return len(CORES) >= processes + OTHERS


def main() -> int:
    return run(parse(), measure)


def parse() -> argparse.Namespace:
    parser = command("processes", __doc__, rounds=3)
    parser.add_argument("--processes", type=int, default=2, help="beside one")
    parser.add_argument("--seconds", type=float, default=4, help="measured, after a second to warm")
    parser.add_argument("--rooms", type=int, default=200)
    parser.add_argument("--members", type=int, default=5, help="of each room")
    return parser.parse_args()


def measure(asked: argparse.Namespace, directory: Path) -> Found:
    compiled()
    peers = peers_of(asked, directory)
    rounds: dict[str, Rounds] = {peer.name: [] for peer in peers}
    try:
        for peer in peers:
            say(f"Preparing {peer.name} ...")
            peer.prepare(Size(receivers=1, rooms=asked.rooms, members=asked.members))
        for number in range(asked.rounds):
            for peer in peers:
                say(f"{peer.name}, round {number + 1} of {asked.rounds} ...")
                rounds[peer.name].append(one_round(peer, asked))
    finally:
        for peer in peers:
            peer.forget()
    return Found({"rounds": rounds}, table(asked, rounds), are_sound(*rounds.values()))


def peers_of(asked: argparse.Namespace, directory: Path) -> list[Processes]:
    server, redis = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    if not (server.startswith("postgres") and redis):
        raise Failed("It takes DATABASE_URL, of PostgreSQL, and REDIS_URL.")
    return [
        Processes(number, directory / str(number), server=server, redis=redis)
        for number in (1, asked.processes)
    ]


def one_round(peer: Processes, asked: argparse.Namespace) -> dict[str, Any]:
    with peer.running() as server:
        # The first process to be ready answers for all: the others are once they compute no more.
        server.settle()
        serving = server.pids()[1:] if peer.number > 1 else server.pids()
        before = [server.cpu_seconds_of(pid) for pid in serving]
        paced = (*MANY_ROOMS.options(), "--warm", "1", "--seconds", str(asked.seconds))
        result = load(server, MANY_ROOMS.targets, *paced)
        used = [
            server.cpu_seconds_of(pid) - then for pid, then in zip(serving, before, strict=True)
        ]
    result["busiest_share"] = round(max(used) / max(sum(used), 0.01), 2)
    return result


def table(asked: argparse.Namespace, rounds: dict[str, Rounds]) -> str:
    where = "A core for each process." if are_spare(asked.processes) else "All on one core."
    works = {name: {MANY_ROOMS.name: found} for name, found in rounds.items()}
    lines = [
        where,
        "",
        HEADINGS,
        *(row(MANY_ROOMS.name, name, found, MANY_ROOMS.number) for name, found in rounds.items()),
        *(beside_one(asked.processes, *rounds.values()) if are_sound(*rounds.values()) else ()),
        *(f"INVALID {fault}" for fault in faults(works)),
    ]
    return "\n".join(lines)


def beside_one(processes: int, one: Rounds, several: Rounds) -> Iterator[str]:
    """How many times as much they do, and whether that is enough."""
    ratio = median(several, MANY_ROOMS.number) / median(one, MANY_ROOMS.number)
    share = f"the busiest did {median(several, 'busiest_share'):.0%} of the work"
    wanted = ON_SPARE_CORES if are_spare(processes) else ON_ONE_CORE
    told = f"{processes} processes: {times(ratio)} one"
    yield f"{'':13}{told} (must {wanted.must:g}, aim {wanted.aim:g}); {share}"
    yield ""
    yield from wanted.missed(told, ratio)


if __name__ == "__main__":
    sys.exit(main())
