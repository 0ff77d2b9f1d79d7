"""Recurring work: what the schedule names exists, and the worker inside the server does it."""

import pytest
from celery import shared_task
from django.conf import settings

from chatmanager.celery import app
from chatmanager.worker import EmbeddedWorker
from tests.process import wait_for

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


def test_the_embedded_worker_does_what_it_is_given_and_stops() -> None:
    worker = EmbeddedWorker(beat=False)
    worker.start()
    try:
        for number in range(20):
            count.delay(number)
        wait_for(lambda: len(done) == 20)
    finally:
        worker.stop()
    assert sorted(done) == list(range(20))
    assert worker.thread is not None
    assert not worker.thread.is_alive()
