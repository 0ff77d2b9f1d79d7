"""`benchmarks/run`: Chat Manager beside other chats, interleaved, medians of the rounds.

With DATABASE_URL (of PostgreSQL) many rooms are also measured there, ejabberd's and ours.
"""

import argparse
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.command import Found, command, run, say
from benchmarks.comparing import Results, comparisons, faults, median, table
from benchmarks.ejabberd import Ejabberd, EjabberdOnPostgres
from benchmarks.generator import compiled, load
from benchmarks.installing import Unavailable
from benchmarks.postgres import Grown
from benchmarks.servers import ON_SQLITE, ChatManager, Failed, Peer, Size, Tutorial
from benchmarks.socketio import SocketIO
from benchmarks.works import FAN_OUT, HALF_LOAD, MANY_ROOMS, WORKS

KINDS = ["tutorial", "socketio", "ejabberd", "ours"]


def main() -> int:
    return run(parse(), measure)


def parse() -> argparse.Namespace:
    parser = command("speed", __doc__, rounds=3, peers=KINDS)
    parser.add_argument("--seconds", type=float, default=4, help="measured, after a second to warm")
    parser.add_argument("--receivers", type=int, default=1000, help="in the room of the fan-out")
    parser.add_argument("--rooms", type=int, default=200, help="of many rooms")
    parser.add_argument("--members", type=int, default=5, help="of each of many rooms")
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument(
        "--synchronous",
        nargs="+",
        choices=["NORMAL", "FULL"],
        default=["NORMAL", "FULL"],
        help="of SQLite under ours: as the peers have it, and as it is by default",
    )
    return parser.parse_args()


def measure(asked: argparse.Namespace, directory: Path) -> Found:
    compiled()
    size = Size(asked.receivers, asked.rooms, asked.members)
    peers = had(peers_of(asked, directory), asked)
    results: Results = {peer.name: {work: [] for work in peer.works} for peer in peers}
    try:
        for peer in peers:
            say(f"Preparing {peer.name} ...")
            peer.prepare(size)
        for number in range(asked.rounds):
            for peer in peers:
                one_round(peer, asked, results, f"round {number + 1} of {asked.rounds}")
    finally:
        for peer in peers:
            peer.forget()
    compared = comparisons(peers, results)
    written = {
        "peers": {peer.name: peer.versions for peer in peers if peer.versions},
        "size": vars(size),
        "rounds": results,
        "comparisons": [{**asdict(one), "missed": [*one.missed()]} for one in compared],
    }
    return Found(written, table(results, compared), not faults(results))


def peers_of(asked: argparse.Namespace, directory: Path) -> list[Peer]:
    """All that were asked for, each with the works it is measured by."""
    server = os.environ.get("DATABASE_URL", "")
    grown = server.startswith("postgres") and MANY_ROOMS.name in asked.works
    elsewhere = {MANY_ROOMS.name} if grown else set()
    peers: list[Peer] = [
        Tutorial("Tutorial", "tutorial", directory / "tutorial"),
        SocketIO("socket.io", "socketio", directory / "socketio"),
        Ejabberd("ejabberd", "xmpp", directory / "ejabberd"),
        *(ours_on_sqlite(synchronous, directory) for synchronous in asked.synchronous),
    ]
    for peer in peers:
        apart = elsewhere if peer.kind == "ejabberd" else set()
        peer.works = [work for work in asked.works if work not in apart]
    if grown:
        on_postgres: list[Peer] = [
            EjabberdOnPostgres("ejabberd, PostgreSQL", directory / "ejabberd-pg", server=server),
            Grown("ours, PostgreSQL", directory / "ours-pg", server=server),
        ]
        for peer in on_postgres:
            peer.works = [MANY_ROOMS.name]
        peers += on_postgres
    return [peer for peer in peers if peer.kind in (asked.peers or KINDS) and peer.works]


def ours_on_sqlite(synchronous: str, directory: Path) -> ChatManager:
    environment = {**ON_SQLITE}
    if synchronous != "FULL":
        environment["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
        environment["CHAT_BENCHMARK_SYNCHRONOUS"] = synchronous
    template = directory / f"ours-{synchronous.lower()}"
    return ChatManager(f"ours, {synchronous}", "chat", template, environment)


def had(peers: list[Peer], asked: argparse.Namespace) -> list[Peer]:
    """Those that can be had here. Raises Failed where one was asked for by name and cannot."""
    found = []
    for peer in peers:
        try:
            peer.install()
        except Unavailable as reason:
            if asked.peers:
                raise Failed(f"{peer.name} cannot be had here: {reason}") from reason
            say(f"{peer.name} cannot be had here, and is left out: {reason}")
        else:
            found.append(peer)
    return found


def one_round(peer: Peer, asked: argparse.Namespace, results: Results, label: str) -> None:
    with peer.running() as server:
        for work in map(WORKS.get, peer.works):
            rate = half_load(results) if work is HALF_LOAD else 0
            if work is HALF_LOAD and not rate:
                continue
            say(f"{peer.name}, {work.name}, {label} ...")
            seconds = max(6.0, asked.seconds) if work is HALF_LOAD else asked.seconds
            paced = (*work.options(rate), "--warm", "1", "--seconds", str(seconds))
            results[peer.name][work.name].append(load(server, work.targets, *paced))
            time.sleep(0.5)


def half_load(results: Results) -> float:
    """Messages a second: half of what saturates the tutorial's server, as far as that is known."""
    rounds = results.get("Tutorial", {}).get(FAN_OUT.name, ())
    known = [result for result in rounds if not result["faults"]]
    return max(median(known, "messages_per_s") / 2, 0.5) if known else 0


if __name__ == "__main__":
    sys.exit(main())
