"""A provider of language models for robots to talk to, and a worker that lets them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chatmanager.celery import app
from chatmanager.worker import EmbeddedWorker
from live import database
from robots import work
from tests.robots.provider import Provider
from tests.world import World

KEY = "sk-secret-of-the-tests-0123456789"
KEY_ENV = "TEST_ROBOT_KEY"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A scripted provider, and a key for it in the environment variable TEST_ROBOT_KEY."""
    monkeypatch.setenv(KEY_ENV, KEY)
    with Provider() as running:
        yield running


@contextmanager
def embedded_worker() -> Iterator[EmbeddedWorker]:
    """As a server without a broker has one. What earlier tests told nobody is not its work: their
    rows are gone, and it would look for them before a test may use the database.
    """
    app.control.purge()
    worker = EmbeddedWorker(beat=False)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()
        database.close()


class Ear:
    """Through it a worker that outlives a test hears of nothing but what its users ask for."""

    def __init__(self) -> None:
        self.open = False
        self._pass_on = work._pass_on

    def hear(self, word: work.Word) -> None:
        if self.open:
            self._pass_on(word)


@contextmanager
def shared_worker() -> Iterator[Ear]:
    ear = Ear()
    with pytest.MonkeyPatch.context() as patch, embedded_worker():
        patch.setattr(work, "_pass_on", ear.hear)
        yield ear


@pytest.fixture(scope="module")
def embedded() -> Iterator[Ear]:
    with shared_worker() as ear:
        yield ear


@pytest.fixture
def worker(embedded: Ear, world: World) -> Iterator[None]:
    """For tests whose `world` is committed."""
    embedded.open = True
    yield
    embedded.open = False
    database.close()
