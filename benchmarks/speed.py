"""`benchmarks/run`: Chat Manager beside a tutorial's chat, interleaved, medians of the rounds."""

import argparse
import json
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.generator import compiled, load
from benchmarks.servers import CORES, PINNED, ROOT, ChatManager, Failed, Peer, Size, Tutorial

Results = dict[str, dict[str, list[dict[str, Any]]]]

UNDER_WAY = {"fan-out": 8, "many-rooms": 256}
PACKAGES = ["django", "channels", "daphne", "uvicorn", "markdown-it-py", "nh3", "orjson"]
# The number each work is compared by, and what the tutorial is to be beaten by.
WORKS = {"fan-out": ("deliveries_per_s", 40), "many-rooms": ("messages_per_s", 8)}
HEADINGS = (
    f"{'':27}{'a second':>12}{'lowest-highest':>20}{'p50 ms':>9}{'p99 ms':>9}"
    f"{'server':>8}{'client':>8}{'MiB':>6}"
)


def main() -> int:
    asked = parse()
    try:
        compiled()
        with tempfile.TemporaryDirectory(
            prefix="chat-benchmark-", dir=asked.directory
        ) as directory:
            return measure(asked, Path(directory))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="measured, after a second to warm")
    parser.add_argument("--receivers", type=int, default=1000, help="in the room of the fan-out")
    parser.add_argument("--rooms", type=int, default=200, help="of many rooms")
    parser.add_argument("--members", type=int, default=5, help="of each of many rooms")
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument(
        "--peers", nargs="+", choices=["tutorial", "ours"], default=["tutorial", "ours"]
    )
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "benchmark.json")
    parser.add_argument(
        "--directory", help="where databases are put (default: the system's temporary)"
    )
    return parser.parse_args()


def measure(asked: argparse.Namespace, directory: Path) -> int:
    size = Size(asked.receivers, asked.rooms, asked.members)
    peers = peers_of(asked, directory)
    for peer in peers:
        say(f"Preparing {peer.name} ...")
        peer.prepare(size)
    results: Results = {peer.name: {work: [] for work in asked.works} for peer in peers}
    for number in range(asked.rounds):
        for peer in peers:
            one_round(peer, asked, results[peer.name], f"round {number + 1} of {asked.rounds}")
    if len(peers) == 2 and "fan-out" in asked.works:
        at_half_load(peers, asked, results)
    report = {
        "machine": machine(),
        "size": vars(size),
        "options": options(asked),
        "rounds": results,
    }
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(report, indent=1) + "\n")
    print(table(results, report["machine"]))
    print(f"\nEvery round: {asked.json}")
    return 0


def peers_of(asked: argparse.Namespace, directory: Path) -> list[Peer]:
    peers: dict[str, Peer] = {
        "tutorial": Tutorial("Tutorial", "tutorial", directory / "tutorial"),
        "ours": ChatManager("Chat Manager", "chat", directory / "ours"),
    }
    return [peers[name] for name in asked.peers]


def one_round(
    peer: Peer, asked: argparse.Namespace, results: dict[str, list[dict[str, Any]]], label: str
) -> None:
    with peer.running() as server:
        for work in asked.works:
            say(f"{peer.name}, {work}, {label} ...")
            senders = "first" if work == "fan-out" else "everybody"
            window = ("--window", str(UNDER_WAY[work]), "--senders", senders)
            result = load(server, work, *window, "--warm", "1", "--seconds", str(asked.seconds))
            results[work].append(result)
            time.sleep(0.5)


def at_half_load(peers: list[Peer], asked: argparse.Namespace, results: Results) -> None:
    """How long a delivery takes at half of what the slower one can do."""
    slowest = min(median(results[peer.name]["fan-out"], "messages_per_s") for peer in peers)
    rate = max(slowest / 2, 0.5)
    for peer in peers:
        say(f"{peer.name}, fan-out at {rate:.1f} messages a second ...")
        with peer.running() as server:
            seconds = str(max(6.0, asked.seconds))
            result = load(
                server, "fan-out", "--rate", f"{rate:.2f}", "--warm", "1", "--seconds", seconds
            )
        results[peer.name]["half-load"] = [result]


def options(asked: argparse.Namespace) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(asked).items()
    }


def machine() -> dict[str, Any]:
    cpu = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu[0] if cpu else platform.processor(),
        "cores": len(CORES),
        "pinned": PINNED,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version(name) for name in PACKAGES},
        "commit": commit(),
    }


def commit() -> str:
    told = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    return told.stdout.strip()


def median(rounds: list[dict[str, Any]], name: str) -> float:
    return statistics.median(result[name] for result in rounds)


def table(results: Results, machine: dict[str, Any]) -> str:
    where = "the server on one, the generator on another" if machine["pinned"] else "not pinned"
    lines = [
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {where}; Python {machine['python']}",
        "",
        HEADINGS,
    ]
    for work, (number, wanted) in WORKS.items():
        for name, works in results.items():
            if works.get(work):
                lines.append(row(work, name, works[work], number))
        lines += [ratio(results, work, number, wanted), ""]
    for name, works in results.items():
        if works.get("half-load"):
            lines.append(row("half load", name, works["half-load"], "deliveries_per_s"))
    faults = {
        f"{name}, {work}: {', '.join(result['faults'])}"
        for name, works in results.items()
        for work, rounds in works.items()
        for result in rounds
        if result["faults"]
    }
    return "\n".join([*lines, *(f"INVALID  {fault}" for fault in sorted(faults))])


def row(work: str, name: str, rounds: list[dict[str, Any]], number: str) -> str:
    values = [result[number] for result in rounds]
    spread = f"{min(values):,.0f}-{max(values):,.0f}"
    return (
        f"{work:13}{name:14}{median(rounds, number):>12,.0f}{spread:>20}"
        f"{median(rounds, 'p50_ms'):>9.1f}{median(rounds, 'p99_ms'):>9.1f}"
        f"{median(rounds, 'server_cpu'):>8.2f}{median(rounds, 'client_cpu'):>8.2f}"
        f"{median(rounds, 'server_mebibytes'):>6.0f}"
    )


def ratio(results: Results, work: str, number: str, wanted: int) -> str:
    if any(not works.get(work) for works in results.values()) or len(results) < 2:
        return ""
    theirs, ours = (median(works[work], number) for works in results.values())
    theirs_a_core, ours_a_core = (a_core_second(works[work], number) for works in results.values())
    return (
        f"{'':27}{ours / theirs:>11,.1f}x   (at least {wanted}x is wanted;"
        f" {ours_a_core / theirs_a_core:,.1f}x for a second of the server's core)"
    )


def a_core_second(rounds: list[dict[str, Any]], number: str) -> float:
    """What is done for each second that a core worked: it stands when others use the machine."""
    return statistics.median(result[number] / max(result["server_cpu"], 0.001) for result in rounds)


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
