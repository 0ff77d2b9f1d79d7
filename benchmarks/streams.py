"""Robots that answer in many rooms at once: what that costs, and how much later people read it.

Beside a plain relay of the same words, interleaved, medians of the rounds. With DATABASE_URL (of
PostgreSQL) and REDIS_URL in the environment also with a worker of its own on a core of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from redis import Redis

from benchmarks.provider import WIDTH
from benchmarks.servers import (
    CLIENT_CORE,
    CORES,
    ROOT,
    SERVER_CORE,
    ChatManager,
    Failed,
    Peer,
    Process,
    Server,
    free_port,
    pinned,
)
from benchmarks.speed import machine, say

RELAY = ROOT / "benchmarks" / "peers" / "relay"
LONGEST = 16_000
"""Characters of a message."""
EMBEDDED = {"DATABASE_URL": "", "REDIS_URL": "", "CELERY_BROKER_URL": ""}
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


class Grown(Embedded):
    """PostgreSQL, Redis, and a worker with a core of its own.

    Of two cores the server shares the other with the provider and the readers.
    """

    core = CORES[1 % len(CORES)]

    def __init__(self, name: str, template: Path, *, database: str, redis: str) -> None:
        super().__init__(name, "chat", template)
        self.database, self.redis = database, redis
        self.made = f"chat_benchmark_{os.getpid()}"
        self.use(self.made)

    def use(self, database: str) -> None:
        self.environment = {
            "DATABASE_URL": urlsplit(self.database)._replace(path=f"/{database}").geturl(),
            "REDIS_URL": self.redis,
            "CELERY_BROKER_URL": self.redis,
            "CHAT_REDIS_PREFIX": self.made,
        }

    def prepare_streams(self, streams: int, api_base: str) -> None:
        with Redis.from_url(self.redis) as redis:
            if redis.dbsize():
                raise Failed(f"{self.redis} holds something. Give the number of an empty one.")
        self.sql(f'CREATE DATABASE "{self.made}"')
        super().prepare_streams(streams, api_base)

    @contextmanager
    def parts(self) -> Iterator[tuple[Server, dict[str, Process]]]:
        with self.copied(), self.running() as server:
            worker = self.worker(server)
            try:
                yield server, {"server": server, "worker": worker}
            finally:
                worker.stop()

    @contextmanager
    def copied(self) -> Iterator[None]:
        copy = f"{self.made}_running"
        self.sql(f'CREATE DATABASE "{copy}" TEMPLATE "{self.made}"')
        self.use(copy)
        try:
            yield
        finally:
            self.sql(f'DROP DATABASE "{copy}" WITH (FORCE)')
            with Redis.from_url(self.redis) as redis:
                redis.flushdb()

    def worker(self, server: Server) -> Process:
        celery = [sys.executable, "-m", "celery", "-A", "chatmanager", "worker"]
        return Process(
            f"{self.name}, worker",
            [*celery, "-Q", "replies", "--pool", "threads", "--concurrency", "8"],
            core=SERVER_CORE,
            log=server.data / "worker.log",
            environment=self.environment_for(server.data),
        )

    def forget(self) -> None:
        self.sql(f'DROP DATABASE IF EXISTS "{self.made}" WITH (FORCE)')

    def sql(self, statement: str) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(statement.encode())


class Relay(Peer):
    """litellm, the channel layer, the socket: see peers/relay."""

    directory = RELAY

    def prepare_streams(self, streams: int, api_base: str) -> None:
        self.environment["RELAY_API_BASE"] = api_base
        self.template.mkdir()
        seats = [f"{n} /ws/relay/{n}/ -\n" for n in range(streams)]
        (self.template / "streams").write_text("".join(seats))

    def command(self, port: int) -> list[str]:
        uvicorn = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(port)]
        return [*uvicorn, "--log-level", "error", "--lifespan", "off", "asgi:application"]

    def environment_for(self, data: Path) -> dict[str, str]:
        ours = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(RELAY)}
        return {**os.environ, **ours, **self.environment}

    def is_ready(self, port: int) -> bool:
        return answers(port)

    parts = Embedded.parts


def main() -> int:
    asked = parse()
    try:
        if asked.rate * (asked.ramp + asked.seconds) * WIDTH > LONGEST:
            raise Failed(f"An answer of that length is more than {LONGEST:,} characters.")
        with tempfile.TemporaryDirectory(prefix="chat-streams-", dir=asked.directory) as directory:
            return measure(asked, Path(directory))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=200, help="answered at once, a room each")
    parser.add_argument("--rate", type=float, default=50, help="tokens a second and stream")
    parser.add_argument("--seconds", type=float, default=4, help="in which all are answered")
    parser.add_argument("--ramp", type=float, default=8, help="seconds until all have begun")
    parser.add_argument("--thinking", type=float, default=0.2, help="seconds to a first token")
    parser.add_argument("--peers", nargs="+", choices=["relay", "embedded", "grown"])
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "benchmark-streams.json")
    parser.add_argument(
        "--directory", help="where databases are put (default: the system's temporary)"
    )
    return parser.parse_args()


def measure(asked: argparse.Namespace, directory: Path) -> int:
    peers = peers_of(asked, directory)
    rounds: dict[str, list[dict[str, Any]]] = {peer.name: [] for peer in peers}
    before = os.getloadavg()
    provider, address = begin_provider(asked, directory)
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
            if isinstance(peer, Grown):
                peer.forget()
    return report(asked, rounds, before)


def peers_of(asked: argparse.Namespace, directory: Path) -> list[Any]:
    database, redis = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    can_grow = database.startswith("postgres") and redis
    names = asked.peers or ["relay", "embedded", *(["grown"] if can_grow else [])]
    if "grown" in names and not can_grow:
        raise Failed("To grow it takes DATABASE_URL, of PostgreSQL, and REDIS_URL.")
    peers = {
        "relay": lambda: Relay("Plain relay", "relay", directory / "relay"),
        "embedded": lambda: Embedded("Embedded", "chat", directory / "embedded", EMBEDDED),
        "grown": lambda: Grown("Grown", directory / "grown", database=database, redis=redis),
    }
    return [peers[name]() for name in names]


def begin_provider(asked: argparse.Namespace, directory: Path) -> tuple[Process, str]:
    port = free_port()
    numbers = [str(port), str(asked.rate), str(asked.thinking)]
    provider = Process(
        "The provider",
        [sys.executable, "-m", "benchmarks.provider", *numbers],
        core=CLIENT_CORE,
        log=directory / "provider.log",
    )
    provider.wait_until(lambda: answers(port))
    return provider, f"http://127.0.0.1:{port}"


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


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


def report(
    asked: argparse.Namespace,
    rounds: dict[str, list[dict[str, Any]]],
    before: tuple[float, float, float],
) -> int:
    about = {**machine(), "load_before": before, "load_after": os.getloadavg()}
    options = {name: value for name, value in vars(asked).items() if name != "json"}
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    whole = {"machine": about, "options": options, "rounds": rounds}
    asked.json.write_text(json.dumps(whole, indent=1) + "\n")
    print(table(asked, rounds, about))
    print(f"\nEvery round: {asked.json}")
    return 0


def table(
    asked: argparse.Namespace, rounds: dict[str, list[dict[str, Any]]], about: dict[str, Any]
) -> str:
    lines = [
        "",
        f"{about['cpu']}, {about['cores']} cores; Python {about['python']}",
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


def cell(results: list[dict[str, Any]], figure: str, form: str) -> str:
    """The median, and from which to which."""
    values = [result[figure] for result in results if figure in result]
    if not values:
        return ""
    low, middle, high = (form.format(of(values)) for of in (min, statistics.median, max))
    return f"{middle} ({low}-{high})" if low != high else middle


if __name__ == "__main__":
    sys.exit(main())
