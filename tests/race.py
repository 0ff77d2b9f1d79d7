"""Several calls at the same moment, each in a thread and on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Barrier

from django.conf import settings
from django.db import connection

from tests.process import PATIENCE, wait_for


def race(*calls: Callable[[], object]) -> list[object]:
    """What each returned or raised. For tests with `django_db(transaction=True)`."""
    start = Barrier(len(calls), timeout=PATIENCE)

    def run(call: Callable[[], object]) -> object:
        try:
            start.wait()
            return call()
        except Exception as error:  # whatever it is, the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def until_it_waits_for_us(other: Future[object]) -> None:
    """Returns also when the other is done. Nobody sees who waits for a file of SQLite."""
    if settings.CHAT_ON_SQLITE:
        wait([other], timeout=0.5)
    else:
        wait_for(lambda: other.done() or somebody_waits_for_a_lock())


def somebody_waits_for_a_lock() -> bool:
    """On PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # one transaction sees but one, else
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])
