"""A PostgreSQL and a Redis of one's own, to be killed: never the machine's."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tests.process import free_port, wait_for


class Missing(Exception):
    """What a house would need and this machine has not. The text says what."""


class Postgres:
    """A cluster in a folder of its own. As root it is run by the user `postgres`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._programs = _programs()
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(folder, "postgres", "postgres")
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
        start_on_a_free_port(self)

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "start", "-D", "data", "-w", "-l", "log", "-o", options)

    def kill(self) -> None:
        """As a power cut would: nothing is finished, and it must recover when it comes back."""
        self._run("pg_ctl", "stop", "-D", "data", "-m", "immediate", "-w")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as, self._programs / program, *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def _programs() -> Path:
    """Debian keeps them out of the way."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not versions:
        raise Missing("There is no PostgreSQL server (initdb) here.")
    return versions[-1].parent


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="chat-faults-", ignore_cleanup_errors=True) as folder:
        postgres = Postgres(Path(folder))
        try:
            yield postgres
        finally:
            postgres.kill()


class RedisServer:
    """A Redis that keeps nothing on disk: when it is killed, all that it knew is gone."""

    def __init__(self) -> None:
        self.port = 0
        program = shutil.which("redis-server")
        if program is None:
            raise Missing("There is no Redis server here.")
        self._program = program
        start_on_a_free_port(self)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        told = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        self._process = subprocess.Popen(
            [
                self._program,
                *(word for name, value in told.items() for word in (f"--{name}", value)),
            ],
            cwd=tempfile.gettempdir(),
            stdout=subprocess.DEVNULL,
        )
        wait_for(lambda: self._process.poll() is not None or self._answers())
        if self._process.poll() is not None:
            raise subprocess.CalledProcessError(self._process.returncode, self._program)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def flush(self) -> None:
        with Redis.from_url(self.url) as redis:
            redis.flushall()

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as redis:
                return bool(redis.ping())
        except RedisError:
            return False


@contextmanager
def own_redis_server() -> Iterator[RedisServer]:
    redis = RedisServer()
    try:
        yield redis
    finally:
        redis.kill()


def start_on_a_free_port(service: Postgres | RedisServer) -> None:
    """What was free a moment ago may be another's."""
    for left in (2, 1, 0):
        service.port = free_port()
        try:
            service.start()
            return
        except subprocess.CalledProcessError:
            if not left:
                raise


class Disk:
    """A small file system, to be filled. Only root may mount one."""

    SIZE = 192  # MiB

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def mount(self) -> None:
        """Raises Missing."""
        options = f"size={self.SIZE}m,mode=0700"
        mounting = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        done = subprocess.run(mounting, capture_output=True, text=True)
        if done.returncode:
            raise Missing(f"No small file system could be mounted: {done.stderr.strip()}")

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    def fill(self) -> None:
        """To the last byte."""
        block = bytes(2**20)
        with self._filler.open("wb", buffering=0) as filler:
            for size in (2**20, 2**12, 1):
                try:
                    while filler.write(block[:size]) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)
