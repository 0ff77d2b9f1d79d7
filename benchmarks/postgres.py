"""Databases of PostgreSQL for one benchmark, and our server on them."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from redis import Redis

from benchmarks.servers import ChatManager, Failed, Server

number = itertools.count(1)


class Scratch:
    """A database that is filled once and copied for every start. Nobody else's is touched."""

    def __init__(self, server: str, name: str = "") -> None:
        """`server` is the address of any database on the same server; `name` is added to that
        one's, where it is to be found again.
        """
        self.server = server
        own = name or f"{os.getpid()}_{next(number)}"
        self.name = f"{urlsplit(server).path.strip('/')}_{own}"
        self.url = self._url(self.name)

    def create(self) -> None:
        self._sql(f'CREATE DATABASE "{self.name}"')

    @contextmanager
    def copied(self) -> Iterator[str]:
        """The address of a copy, which is gone afterwards."""
        copy = f"{self.name}_running"
        self._sql(f'CREATE DATABASE "{copy}" TEMPLATE "{self.name}"')
        try:
            yield self._url(copy)
        finally:
            self._sql(f'DROP DATABASE "{copy}" WITH (FORCE)')

    def drop(self) -> None:
        self._sql(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def _url(self, name: str) -> str:
        return urlsplit(self.server)._replace(path=f"/{name}").geturl()

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(statement.encode())


class Grown(ChatManager):
    """Our server on PostgreSQL, and on Redis where one is given."""

    database = "PostgreSQL"

    def __init__(self, name: str, template: Path, *, server: str, redis: str = "") -> None:
        super().__init__(name, "chat", template)
        self.scratch, self.redis = Scratch(server), redis
        self._use(self.scratch.url)

    def _use(self, url: str) -> None:
        self.environment |= {
            "DATABASE_URL": url,
            "REDIS_URL": self.redis,
            "CELERY_BROKER_URL": self.redis,
            "CHAT_REDIS_PREFIX": self.scratch.name,
        }

    def make_world(self, *of_what: str) -> None:
        if self.redis:
            with Redis.from_url(self.redis) as redis:
                if redis.dbsize():
                    raise Failed(f"{self.redis} holds something. Give the number of an empty one.")
        self.scratch.create()
        super().make_world(*of_what)
        self._flush()

    @contextmanager
    def running(self) -> Iterator[Server]:
        with self.scratch.copied() as url:
            self._use(url)
            try:
                with super().running() as server:
                    yield server
            finally:
                self._flush()

    def _flush(self) -> None:
        if self.redis:
            with Redis.from_url(self.redis) as redis:
                redis.flushdb()

    def forget(self) -> None:
        self.scratch.drop()
