"""All processes of one chat: what befalls them is said to this.

`embedded` is one server on SQLite with its worker inside. `grown` is two servers, a worker that
answers and one that sweeps, on PostgreSQL and Redis.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from celery import Celery
from django.conf import settings

from tests.faults import ROBOT_KEY
from tests.faults.services import (
    Disk,
    Missing,
    Postgres,
    RedisServer,
    own_postgres,
    own_redis_server,
)
from tests.live.server import LiveServer, own_redis
from tests.process import PATIENCE, database, wait_for
from tests.robots.provider import Provider, Request
from tests.robots.workers import Worker

PEOPLE = 16
LEASE, SWEEP = 5.0, 1.0
WORDS, PACE = 24, 16
"""Of an answer, and how many of them the provider says in a second."""

# What is lost is found soon, and nobody is held up for saying much.
SETTINGS = {
    "CHAT_READ_DOT_ENV": "0",
    "CHAT_DEBUG": "0",
    "CHAT_DEMO": "0",
    "CHAT_THROTTLES": "0",
    "CHAT_LOG_LEVEL": "WARNING",
    "CHAT_LOG_STYLE": "json",
    "CHAT_ACCESS_LIFETIME": "86400",
    "CHAT_SOCKETS_PER_USER": "100000",
    "CHAT_HEAD_CHECK_INTERVAL": "2",
    "CHAT_REPLY_LEASE": f"{LEASE}",
    "CHAT_REPLY_RENEW": "1",
    "CHAT_REPLY_SWEEP_INTERVAL": f"{SWEEP}",
    "SECRET_KEY": "of nothing but a run of the faults, and long enough for what it signs",
    ROBOT_KEY: "sk-of-the-scripted-provider",
}


@dataclass(frozen=True)
class Login:
    """Somebody, and what they show to be let in."""

    user: int
    name: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Clock:
    """A process's, which `clock/sitecustomize.py` sets there."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    def set(self, ahead: float) -> None:
        """In seconds; less than none: behind."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead}")
        new.rename(self._file)

    @property
    def environment(self) -> dict[str, str]:
        path = [str(Path(__file__).parent / "clock"), os.environ.get("PYTHONPATH", "")]
        return {
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "CHAT_FAULTS_CLOCK": str(self._file),
        }


@dataclass
class House:
    kind: str
    folder: Path
    environment: dict[str, str]
    provider: Provider
    servers: list[LiveServer] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    """Those that answer; who sweeps is never ended."""
    postgres: Postgres | None = None
    redis: RedisServer | None = None
    forget: Callable[[], object] | None = None
    """Have Redis lose all that it knows."""
    disk: Disk | None = None
    people: list[Login] = field(default_factory=list)
    robot: int = 0
    clocks: list[Clock] = field(default_factory=list)
    """One for each process that was started; one that comes back has its own again."""
    logs: Path | None = None
    """Where what the processes log is kept."""

    def settle(self) -> None:
        """Make its people and their robot."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.world", str(PEOPLE), self.provider.url],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                **self.environment,
                "DJANGO_SETTINGS_MODULE": "chatmanager.settings",
            },
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        told = json.loads(done.stdout.splitlines()[-1])
        self.people = [Login(*one) for one in told["people"]]
        self.robot = told["robot"]
        self.provider.answers("faults", answer, pace=PACE)

    def server(self) -> LiveServer:
        log = self._log(f"server-{len(self.servers)}")
        started = LiveServer(self._with_clock(), log=log)
        self.servers.append(started)
        return started

    def worker(self, *arguments: str) -> Worker:
        return Worker(self._with_clock(), *arguments, log=self._log(f"worker-{arguments[-1]}"))

    def _with_clock(self) -> dict[str, str]:
        clock = Clock(self.folder / f"clock-{len(self.clocks)}")
        self.clocks.append(clock)
        return {**self.environment, **clock.environment}

    def _log(self, name: str) -> Path:
        return self.logs / f"{self.kind}-{name}.log" if self.logs else Path(os.devnull)

    def wait_until_up(self) -> None:
        """All of it, as an operator would see it: nothing is away, nothing is missed."""
        for server in self.servers:
            wait_for(lambda url=server.url: _state(url) == "ready")

    def wait_for_workers(self) -> None:
        """Until all that were started take what there is to do, which loads models' clients."""
        with Celery(broker=self.environment["CELERY_BROKER_URL"]) as workers:
            # Besides them, the one that sweeps.
            wait_for(lambda: _answering(workers) > len(self.workers))

    def open_rooms(self, count: int) -> list[int]:
        """With everybody and the robot in them."""
        owner, *others = self.people
        asked = {"people": [one.user for one in others], "robots": [self.robot]}
        with self.calling(owner) as api:
            answers = [
                api.post("rooms/", json={"name": f"Room {n}", **asked}) for n in range(count)
            ]
        return [answer.raise_for_status().json()["id"] for answer in answers]

    def calling(self, who: Login) -> httpx.Client:
        base = f"{self.servers[0].url}/api/v1/"
        return httpx.Client(base_url=base, headers=who.headers, timeout=PATIENCE)

    def mebibytes(self) -> list[int]:
        """Of each server, what is its own: not what it has mapped of files, as of a database that
        grows.
        """
        return [_own(server.pid) for server in self.servers]

    def mebibytes_of_all(self) -> list[int]:
        """As `mebibytes`, and then of each worker that answers."""
        return [*self.mebibytes(), *(_own(worker.process.pid) for worker in self.workers)]

    def connections(self) -> int:
        """That the servers hold open, told by the system."""
        ports = {urlsplit(server.url).port for server in self.servers}
        return sum(port in ports for port in _held_ports())

    def sockets(self) -> int:
        """That the servers believe to have, told by their figures. Raises where one tells none."""
        urls = [f"{server.url}/metrics" for server in self.servers]
        told = [httpx.get(url, timeout=PATIENCE).raise_for_status() for url in urls]
        return sum(counted(figures.text) for figures in told)


SOCKETS = re.compile(r"^chat_sockets(?:\{.*\})? (\S+)$", re.MULTILINE)
HELD = {"01", "08"}
"""How /proc calls a connection that is established, and one that only its client has closed."""


def counted(figures: str) -> int:
    """Sockets, by the figures of a server. Raises ValueError where they do not tell."""
    found = SOCKETS.findall(figures)
    if not found:
        raise ValueError(f"There is no chat_sockets in {figures[:300]!r}")
    return sum(int(float(number)) for number in found)


def answer(request: Request) -> str:
    """What the robot says, which tells what it was asked."""
    return said_of(request.question)


def said_of(question: str) -> str:
    tag = re.findall(r"question-\w+", question)[-1]
    return " ".join([tag, *(f"word{n}" for n in range(1, WORDS))])


def _answering(workers: Celery) -> int:
    """How many of them, by a connection of its own: Redis was killed since others were made."""
    with workers.connection_for_write() as connection:
        return len(workers.control.ping(timeout=1, connection=connection))


def _state(url: str) -> str:
    try:
        return str(httpx.get(f"{url}/readyz", timeout=10).json()["status"])
    except (httpx.TransportError, ValueError):
        return "away"


def _own(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    lines = (line.split() for line in rollup.splitlines()[1:])
    return next(int(size) for name, size, _ in lines if name == "Pss_Anon:") // 1024


def _held_ports() -> Iterator[int]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state in HELD:
            yield int(local.rpartition(":")[2], 16)


# Houses


@contextmanager
def embedded(*, small_disk: bool = False, logs: Path | None = None) -> Iterator[House]:
    """On SQLite in a folder of its own, which with `small_disk` can be filled."""
    with _folder() as folder, Provider() as provider, ExitStack() as stack:
        environment = {"DATABASE_URL": "", "REDIS_URL": "", "CELERY_BROKER_URL": ""}
        house = House("embedded", folder, _settings(folder, environment), provider, logs=logs)
        if small_disk:
            house.disk = stack.enter_context(_small_disk(folder))
        with _inhabited(house, servers=1):
            yield house


@contextmanager
def grown(*, small_disk: bool = False, logs: Path | None = None) -> Iterator[House]:
    """On a PostgreSQL and a Redis of its own. Raises Missing where there are none to be had."""
    with (
        _folder() as folder,
        Provider() as provider,
        own_postgres() as postgres,
        own_redis_server() as redis,
        ExitStack() as stack,
    ):
        house = House("grown", folder, {}, provider, postgres=postgres, redis=redis, logs=logs)
        house.forget = redis.flush
        if small_disk:
            house.disk = stack.enter_context(_small_disk(folder))
        house.environment = _settings(folder, _on(postgres.url, redis.url))
        with _inhabited(house, servers=2, workers=2):
            yield house


@contextmanager
def given() -> Iterator[House]:
    """On what DATABASE_URL and REDIS_URL name, of which none is killed; else embedded."""
    with _folder() as folder, database(folder) as chosen, ExitStack() as stack:
        if not chosen["DATABASE_URL"] or not settings.REDIS_URLS:
            yield stack.enter_context(embedded())
            return
        provider = stack.enter_context(Provider())
        redis = stack.enter_context(own_redis())
        environment = _settings(folder, _on(chosen["DATABASE_URL"], redis.url))
        house = House("given", folder, environment, provider, forget=redis.lose_everything)
        with _inhabited(house, servers=2, workers=1):
            yield house


def _on(database: str, redis: str) -> dict[str, str]:
    broker = urlsplit(redis)._replace(query="").geturl()
    return {"DATABASE_URL": database, "REDIS_URL": redis, "CELERY_BROKER_URL": broker}


@contextmanager
def _inhabited(house: House, *, servers: int, workers: int = 0) -> Iterator[House]:
    try:
        house.settle()
        for _ in range(servers):
            house.server()
        with ExitStack() as stack:
            if workers:
                stack.enter_context(house.worker("-B", "-Q", "celery"))
            house.workers = [house.worker("-Q", "replies") for _ in range(workers)]
            house.wait_until_up()
            yield house
    finally:
        for worker in house.workers:
            worker.__exit__()
        for server in house.servers:
            server.end()


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="chat-faults-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Disk | None]:
    """None where none may be mounted: then what fills it is left out."""
    disk = Disk(folder)
    try:
        disk.mount()
    except Missing as missing:
        print(missing, file=sys.stderr)
        yield None
        return
    try:
        yield disk
    finally:
        with suppress(subprocess.CalledProcessError):
            disk.unmount()


def _settings(folder: Path, environment: dict[str, str]) -> dict[str, str]:
    return {**SETTINGS, "CHAT_DATA_DIR": str(folder), **environment}
