"""The servers under test: each a set of real processes with data of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TUTORIAL = ROOT / "benchmarks" / "peers" / "tutorial"
TICKS = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
PINNED = len(CORES) >= 2
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
QUIET = 0.15
"""Of a core: a server that is asked nothing keeps its schedule, and that of its sockets."""
PATIENCE = 30
"""Seconds until it is taken as it is."""
ON_SQLITE = {"DATABASE_URL": "", "REDIS_URL": "", "CELERY_BROKER_URL": ""}
"""Of our environment, whatever is set around us."""


class Failed(Exception):
    """Something could not be started or measured. The text says what."""


@dataclass(frozen=True)
class Size:
    """How many people are where."""

    receivers: int
    rooms: int
    members: int


@dataclass
class Peer:
    """A chat server that can be started, measured and stopped. `template` is data to copy."""

    name: str
    protocol: str
    template: Path
    environment: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    works: list[str] = field(default_factory=list)
    """By which it is measured, where not all peers are by the same."""

    kind = ""
    directory = ROOT
    core = SERVER_CORE
    database = "SQLite"

    def install(self) -> None:
        """Have what it takes that is not ours. Raises installing.Unavailable."""

    def prepare(self, size: Size) -> None:
        """Make the data once; every start copies it."""
        raise NotImplementedError

    def configure(self, port: int, data: Path) -> None:
        """Write what is to be read at a start, besides the environment."""

    def command(self, port: int, data: Path) -> list[str]:
        raise NotImplementedError

    def environment_for(self, data: Path) -> dict[str, str]:
        raise NotImplementedError

    def is_ready(self, port: int) -> bool:
        raise NotImplementedError

    @contextmanager
    def running(self) -> Iterator["Server"]:
        """A fresh server on fresh data, gone afterwards."""
        data = self.template.with_name(f"{self.template.name}-running")
        shutil.copytree(self.template, data)
        server = Server(self, data)
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.stop()
            shutil.rmtree(data)

    def forget(self) -> None:
        """Remove what it has made outside of its folder."""

    def run(self, command: list[str], data: Path) -> None:
        """Something that prepares. Raises Failed with what it printed."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment_for(data),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise Failed(f"{' '.join(command)} failed:\n{done.stdout}")


class ChatManager(Peer):
    """This project, as `bin/run` starts it, with everything on but rate limits."""

    kind = "ours"

    def prepare(self, size: Size) -> None:
        self.template.mkdir()
        self.make_world("rooms", str(size.receivers), str(size.rooms), str(size.members))

    def make_world(self, *of_what: str) -> None:
        """See world.py."""
        world = [sys.executable, "-m", "benchmarks.world", str(self.template), *of_what]
        self.run(world, self.template)

    def command(self, port: int, data: Path) -> list[str]:
        return [sys.executable, "-m", "chatmanager", "--port", str(port)]

    def environment_for(self, data: Path) -> dict[str, str]:
        # Of what is set around us only the choice of database and layer is meant for the server.
        ours = {
            "CHAT_DATA_DIR": str(data),
            "CHAT_THROTTLES": "0",
            "CHAT_DEMO": "0",
            "CHAT_READ_DOT_ENV": "0",
            "CHAT_STATIC_ROOT": str(self.template.with_name("static")),
        }
        return {**os.environ, **ours, **self.environment}

    def is_ready(self, port: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


class Tutorial(Peer):
    """Channels and Daphne as tutorials have them: see peers/tutorial."""

    kind = "tutorial"
    directory = TUTORIAL

    def prepare(self, size: Size) -> None:
        self.template.mkdir()
        self.run([sys.executable, "-m", "django", "migrate", "-v0"], self.template)
        write_seats(self.template, size, lambda room: f"/ws/chat/{room}/")

    def command(self, port: int, data: Path) -> list[str]:
        daphne = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0"]
        return [*daphne, "asgi:application"]

    def environment_for(self, data: Path) -> dict[str, str]:
        ours = {
            "DJANGO_SETTINGS_MODULE": "settings",
            "TUTORIAL_DATABASE": str(data / "chat.sqlite3"),
        }
        return {**os.environ, **ours, "PYTHONPATH": str(TUTORIAL)}

    def is_ready(self, port: int) -> bool:
        return answers(port)


class Process:
    """A running program, alone on its core where there are two. What it prints goes to `log`."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        core: int,
        log: Path,
        directory: Path = ROOT,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self.began = time.monotonic()
        with log.open("w") as output:
            self.popen = subprocess.Popen(
                [*pinned(core), *command],
                cwd=directory,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        give_up = time.monotonic() + 90
        while not is_ready():
            if self.popen.poll() is not None or time.monotonic() > give_up:
                raise Failed(f"{self.name} did not start:\n{self.tail()}")
            time.sleep(0.05)

    def tail(self) -> str:
        """The end of what it printed."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(line[-1500:] for line in lines[-5:])

    def stop(self) -> None:
        self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(15)
        except subprocess.TimeoutExpired:
            for pid in self.pids():
                os.kill(pid, signal.SIGKILL)
            self.popen.wait()

    def pids(self) -> list[int]:
        """It and all its children."""
        found = [self.popen.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        return found

    def cpu_seconds(self) -> float:
        return sum(map(self.cpu_seconds_of, self.pids()))

    @staticmethod
    def cpu_seconds_of(pid: int) -> float:
        after_name = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(after_name[11]) + int(after_name[12])) / TICKS

    def settle(self) -> None:
        """Wait until it has done what it was given: for a second it hardly computes."""
        give_up = time.monotonic() + PATIENCE
        before, used = 0.0, self.cpu_seconds()
        while used - before > QUIET and time.monotonic() < give_up:
            time.sleep(1)
            before, used = used, self.cpu_seconds()

    def mebibytes(self) -> int:
        return self.kibibytes() // 1024

    def kibibytes(self) -> int:
        """Of memory, shared pages counted by their share."""
        total = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total


class Server(Process):
    """A running peer, on a free port."""

    def __init__(self, peer: Peer, data: Path) -> None:
        self.peer = peer
        self.data = data
        self.port = free_port()
        peer.configure(self.port, data)
        super().__init__(
            peer.name,
            peer.command(self.port, data),
            core=peer.core,
            log=data / "server.log",
            directory=peer.directory,
            environment=peer.environment_for(data),
        )

    def wait_until_ready(self) -> None:
        self.wait_until(lambda: self.peer.is_ready(self.port))


def pinned(*cores: int) -> list[str]:
    """What a command begins with to have these cores alone, where there are two to share."""
    return (
        ["taskset", "-c", ",".join(map(str, cores))] if PINNED and shutil.which("taskset") else []
    )


def write_seats(directory: Path, size: Size, path: Callable[[str], str]) -> None:
    """The targets of a peer that knows no people: a line for each of them, see load/load.c."""
    everybody = f"everybody {path('everybody')} -\n" * size.receivers
    (directory / "fan-out").write_text(everybody)
    rooms = [f"r{n} {path(f'r{n}')} -\n" * size.members for n in range(size.rooms)]
    (directory / "many-rooms").write_text("".join(rooms))


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
