"""Real server processes on the database of the test, killed and started again, and their Redis."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError

from tests.process import PATIENCE, Server

GROWN = not settings.CHAT_ON_SQLITE and bool(settings.REDIS_URLS)
ON_GROWN = pytest.mark.skipif(
    not GROWN, reason="Two processes need PostgreSQL and Redis: set DATABASE_URL and REDIS_URL."
)


def environment(folder: Path, **chosen: str) -> dict[str, str]:
    """What a server needs to serve the database of this test, and to take our tokens."""
    return {
        "CHAT_DATA_DIR": str(folder),
        "DATABASE_URL": _database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "CHAT_DEMO": "0",
        "CHAT_THROTTLES": "0",
        **chosen,
    }


def _database_url() -> str:
    """Of the database that pytest made."""
    name = str(connection.settings_dict["NAME"])
    if settings.CHAT_ON_SQLITE:
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


class LiveServer:
    """A server that comes back on the same port, however it went."""

    def __init__(self, environment: dict[str, str], *, log: Path | None = None) -> None:
        self.environment = environment
        self.log = log
        self.url = ""
        self.start()

    def start(self) -> None:
        """Returns when it is ready."""
        self._server = Server(self.environment, "--no-prepare", log=self.log)
        try:
            self._server.__enter__()
        except BaseException:
            self.end()
            raise
        self.url = self._server.url
        self.environment = {**self.environment, "PORT": str(urlsplit(self.url).port)}

    def kill(self) -> None:
        """As a power cut would: nothing is finished, nobody is told."""
        self._server.stop(signal.SIGKILL)
        self.end()

    def signal(self, number: int) -> None:
        self._server.process.send_signal(number)

    def exit_code(self) -> int:
        """Once it has ended."""
        return self._server.process.wait(PATIENCE)

    def end(self) -> None:
        self._server.__exit__()

    @property
    def pid(self) -> int:
        return self._server.process.pid

    @property
    def socket_url(self) -> str:
        return self._server.socket_url


@contextmanager
def servers(*environments: dict[str, str]) -> Iterator[list[LiveServer]]:
    """One for each environment, started side by side and ended with the `with`."""
    with ThreadPoolExecutor(len(environments)) as pool:
        starts = [pool.submit(LiveServer, one) for one in environments]
    try:
        yield [start.result() for start in starts]
    finally:
        for start in starts:
            if start.exception() is None:
                start.result().end()


class OwnRedis:
    """A number of the Redis of REDIS_URL that nobody else uses, held for this test.

    Its connections bear a name, so that ours alone are cut: publishing and subscribing know no
    numbers.
    """

    CLAIM = "claimed-by-a-test"
    HOURS = timedelta(hours=3)
    """A claim ends by itself, should nobody be left to give it back."""

    def __init__(self) -> None:
        self._asked = urlsplit(settings.REDIS_URLS[0])
        self.name = f"test-{os.getpid()}"
        self.number = self._claim()
        self._redis = self._client(self.number)

    @property
    def url(self) -> str:
        """For the servers under test."""
        return self._asked._replace(
            path=f"/{self.number}", query=f"client_name={self.name}"
        ).geturl()

    def lose_everything(self) -> int:
        """Flush it and cut the connections that listen. Returns how many were cut."""
        with self._redis.pipeline(transaction=True) as together:
            together.flushdb()
            together.set(self.CLAIM, self.name, ex=self.HOURS)
            together.execute()
        listening = [
            client["id"]
            for client in self._redis.client_list(_type="pubsub")
            if client["name"] == self.name
        ]
        for one in listening:
            self._redis.client_kill_filter(_id=one)
        return len(listening)

    def give_back(self) -> None:
        self._redis.flushdb()
        self._redis.close()

    def _claim(self) -> int:
        others = {int(urlsplit(url).path.strip("/") or 0) for url in settings.REDIS_URLS}
        for number in sorted(set(range(1, 16)) - others, reverse=True):
            redis = self._client(number)
            try:
                if not redis.dbsize() and redis.set(self.CLAIM, self.name, nx=True, ex=self.HOURS):
                    return number
            except RedisError:
                continue  # this Redis has fewer numbers
            finally:
                redis.close()
        pytest.skip("Every database of the Redis of REDIS_URL holds something.")

    def _client(self, number: int) -> Redis:
        return Redis.from_url(self._asked._replace(path=f"/{number}").geturl())


@contextmanager
def own_redis() -> Iterator[OwnRedis]:
    redis = OwnRedis()
    try:
        yield redis
    finally:
        redis.give_back()
