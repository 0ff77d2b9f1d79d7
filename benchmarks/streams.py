"""Robots that answer in many rooms at once: what that costs, and how much later people read it.

Beside a plain relay of the same words, interleaved, medians of the rounds. With DATABASE_URL (of
PostgreSQL) and REDIS_URL in the environment also with a worker of its own on a core of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.command import Found, command, run, say
from benchmarks.comparing import Rounds, are_sound, cell
from benchmarks.postgres import Grown
from benchmarks.provider import WIDTH
from benchmarks.servers import (
    CLIENT_CORE,
    CORES,
    ON_SQLITE,
    ROOT,
    SERVER_CORE,
    ChatManager,
    Failed,
    Peer,
    Process,
    Server,
    answers,
    free_port,
    pinned,
)

RELAY = ROOT / "benchmarks" / "peers" / "relay"
LONGEST = 16_000
"""Characters of a message."""
MEANINGS = {
    "tokens_per_s": ("tokens a second that came", "{:,.0f}"),
    "frames_per_s": ("frames a second", "{:,.0f}"),
    "delay_p50_ms": ("delay of a token, p50, ms", "{:,.0f}"),
    "delay_p99_ms": ("p99", "{:,.0f}"),
    "delay_max_ms": ("max", "{:,.0f}"),
    "whole_p50_ms": ("and while they begin and end, p50", "{:,.0f}"),
    "whole_p99_ms": ("p99", "{:,.0f}"),
    "alone_p50_ms": ("added to a first token, alone, p50, ms", "{:,.0f}"),
    "first_p50_ms": ("while others begin, p50", "{:,.0f}"),
    "first_p99_ms": ("p99", "{:,.0f}"),
    "server_cpu": ("cores used: server", "{:.2f}"),
    "worker_cpu": ("worker", "{:.2f}"),
    "client_cpu": ("readers", "{:.2f}"),
    "provider_cpu": ("provider", "{:.2f}"),
    "server_mebibytes": ("MiB: server", "{:,.0f}"),
    "worker_mebibytes": ("worker", "{:,.0f}"),
    "complete": ("streams that came whole", "{:,.0f}"),
}


class Embedded(ChatManager):
    """One process on SQLite does it all."""

    def prepare_streams(self, streams: int, api_base: str) -> None:
        self.template.mkdir()
        self.make_world("streams", str(streams), api_base)

    @contextmanager
    def parts(self) -> Iterator[tuple[Server, dict[str, Process]]]:
        """What is asked, and all that is measured."""
        with self.running() as server:
            yield server, {"server": server}


class WithWorker(Grown, Embedded):
    """PostgreSQL, Redis, and a worker with a core of its own.

    Of two cores the server shares the other with the provider and the readers.
    """

    core = CORES[1 % len(CORES)]

    @contextmanager
    def parts(self) -> Iterator[tuple[Server, dict[str, Process]]]:
        with self.running() as server:
            worker = self.worker(server)
            try:
                yield server, {"server": server, "worker": worker}
            finally:
                worker.stop()

    def worker(self, server: Server) -> Process:
        celery = [sys.executable, "-m", "celery", "-A", "chatmanager", "worker"]
        return Process(
            f"{self.name}, worker",
            [*celery, "-Q", "replies", "--pool", "threads", "--concurrency", "8"],
            core=SERVER_CORE,
            log=server.data / "worker.log",
            environment=self.environment_for(server.data),
        )


class Relay(Peer):
    """litellm, the channel layer, the socket: see peers/relay."""

    directory = RELAY

    def prepare_streams(self, streams: int, api_base: str) -> None:
        self.environment["RELAY_API_BASE"] = api_base
        self.template.mkdir()
        seats = [f"{n} /ws/relay/{n}/ -\n" for n in range(streams)]
        (self.template / "streams").write_text("".join(seats))

    def command(self, port: int, data: Path) -> list[str]:
        uvicorn = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(port)]
        return [*uvicorn, "--log-level", "error", "--lifespan", "off", "asgi:application"]

    def environment_for(self, data: Path) -> dict[str, str]:
        ours = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(RELAY)}
        return {**os.environ, **ours, **self.environment}

    def is_ready(self, port: int) -> bool:
        return answers(port)

    parts = Embedded.parts


def main() -> int:
    return run(parse(), measure)


def parse() -> argparse.Namespace:
    parser = command("streams", __doc__, rounds=3, peers=["relay", "embedded", "grown"])
    parser.add_argument("--streams", type=int, default=200, help="answered at once, a room each")
    parser.add_argument("--rate", type=float, default=50, help="tokens a second and stream")
    parser.add_argument("--seconds", type=float, default=4, help="in which all are answered")
    parser.add_argument("--ramp", type=float, default=8, help="seconds until all have begun")
    parser.add_argument("--thinking", type=float, default=0.2, help="seconds to a first token")
    return parser.parse_args()


def measure(asked: argparse.Namespace, directory: Path) -> Found:
    if asked.rate * (asked.ramp + asked.seconds) * WIDTH > LONGEST:
        raise Failed(f"An answer of that length is more than {LONGEST:,} characters.")
    peers = peers_of(asked, directory)
    rounds: dict[str, Rounds] = {peer.name: [] for peer in peers}
    provider, address = begin_provider(asked.rate, asked.thinking, directory)
    try:
        for peer in peers:
            say(f"Preparing {peer.name} ...")
            peer.prepare_streams(asked.streams, f"{address}/v1")
        for number in range(asked.rounds):
            for peer in peers:
                say(f"{peer.name}, round {number + 1} of {asked.rounds} ...")
                rounds[peer.name].append(one_round(peer, asked, provider, address))
    finally:
        provider.stop()
        for peer in peers:
            peer.forget()
    # Of the relay it is to be expected that it falls behind.
    ours = [rounds[peer.name] for peer in peers if not isinstance(peer, Relay)]
    return Found({"rounds": rounds}, table(asked, rounds), are_sound(*ours))


def peers_of(asked: argparse.Namespace, directory: Path) -> list[Any]:
    server, redis = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    can_grow = server.startswith("postgres") and redis
    names = asked.peers or ["relay", "embedded", *(["grown"] if can_grow else [])]
    if "grown" in names and not can_grow:
        raise Failed("To grow it takes DATABASE_URL, of PostgreSQL, and REDIS_URL.")
    peers = {
        "relay": lambda: Relay("Plain relay", "relay", directory / "relay"),
        "embedded": lambda: Embedded("Embedded", "chat", directory / "embedded", {**ON_SQLITE}),
        "grown": lambda: WithWorker("Grown", directory / "grown", server=server, redis=redis),
    }
    return [peers[name]() for name in names]


def begin_provider(rate: float, thinking: float, directory: Path) -> tuple[Process, str]:
    port = free_port()
    numbers = [str(port), str(rate), str(thinking)]
    provider = Process(
        "The provider",
        [sys.executable, "-m", "benchmarks.provider", *numbers],
        core=CLIENT_CORE,
        log=directory / "provider.log",
    )
    provider.wait_until(lambda: answers(port))
    return provider, f"http://127.0.0.1:{port}"


def one_round(
    peer: Any, asked: argparse.Namespace, provider: Process, address: str
) -> dict[str, Any]:
    with peer.parts() as (server, parts):
        readers = [
            *pinned(CLIENT_CORE),
            *(sys.executable, "-m", "benchmarks.readers"),
            *("--port", str(server.port), "--protocol", peer.protocol),
            *("--seats", str(server.data / "streams"), "--provider", address),
            *("--rate", str(asked.rate), "--ramp", str(asked.ramp)),
            *("--seconds", str(asked.seconds)),
        ]
        result = read(readers, {**parts, "provider": provider})
        for name, part in parts.items():
            result[f"{name}_mebibytes"] = part.mebibytes()
        result["alone_p50_ms"] = statistics.median(result["alone_ms"])
        return result


def read(command: list[str], parts: dict[str, Process]) -> dict[str, Any]:
    """Run the readers; what they measured, and what each part used meanwhile."""
    said, cpu = [], []
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as readers:
        for line in readers.stderr:
            if line.strip() in {"begin", "end"}:
                cpu.append({name: part.cpu_seconds() for name, part in parts.items()})
            else:
                said.append(line)
        output = readers.stdout.read()
    if readers.returncode or len(cpu) != 2:
        logs = [f"{part.name}:\n{part.tail()}" for part in parts.values()]
        raise Failed("\n".join(["".join(said), *logs]))
    result = json.loads(output)
    for name in parts:
        result[f"{name}_cpu"] = (cpu[1][name] - cpu[0][name]) / result["seconds"]
    return result


def table(asked: argparse.Namespace, rounds: dict[str, Rounds]) -> str:
    lines = [
        f"{asked.streams} streams of {asked.rate:g} tokens a second",
        "",
        f"{'':41}" + "".join(f"{name:>24}" for name in rounds),
    ]
    for figure, (meaning, form) in MEANINGS.items():
        cells = "".join(f"{cell(results, figure, form):>24}" for results in rounds.values())
        lines.append(f"{meaning:>41}{cells}")
    faults = {
        f"INVALID  {name}: {len(result['faults'])} faults, such as {result['faults'][0]}"
        for name, results in rounds.items()
        for result in results
        if result["faults"]
    }
    return "\n".join([*lines, *sorted(faults)])


if __name__ == "__main__":
    sys.exit(main())
