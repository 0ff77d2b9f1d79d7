"""Recurring work: what the schedule names exists, and the worker inside the server does it."""

import threading
from datetime import timedelta

import pytest
import time_machine
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from chatmanager.celery import app
from chatmanager.schedule import Every
from chatmanager.worker import EmbeddedWorker
from tests.process import PATIENCE, wait_for
from tests.robots.conftest import embedded_worker

SCHEDULE = settings.CELERY_BEAT_SCHEDULE

done: list[int] = []


@shared_task
def count(number: int) -> None:
    done.append(number)


def test_every_task_of_the_schedule_exists() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in SCHEDULE.values()} <= set(app.tasks)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [entry["task"] for entry in SCHEDULE.values()])
def test_every_task_may_run_twice(name: str) -> None:
    app.loader.import_default_modules()
    app.tasks[name]()
    app.tasks[name]()


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    every = Every(timedelta(seconds=10))
    began = every.now()
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        assert every.now() - began < timedelta(minutes=1)
        assert every.is_due(began - timedelta(seconds=11)).is_due
        assert not every.is_due(began).is_due
        # As a process believed that ended before the clock was set.
        assert every.is_due(began + timedelta(hours=1)).next <= 10


def test_all_that_recurs_is_steady() -> None:
    assert {type(entry["schedule"]) for entry in SCHEDULE.values()} == {Every}


def test_the_embedded_worker_does_what_it_is_given_and_stops() -> None:
    done.clear()
    with embedded_worker() as worker:
        for number in range(20):
            count.delay(number)
        wait_for(lambda: len(done) == 20)
    assert sorted(done) == list(range(20))
    assert worker.thread is not None
    assert not worker.thread.is_alive()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_it_stops_though_its_beat_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the folder of its data has gone."""

    def fail(*_: object) -> None:
        raise OSError("There is no such folder.")

    monkeypatch.setattr("celery.beat.Service.sync", fail)
    worker = EmbeddedWorker(beat=True)
    worker.start()
    stopping = threading.Thread(target=worker.stop, daemon=True)
    stopping.start()
    stopping.join(PATIENCE)
    assert not stopping.is_alive()
