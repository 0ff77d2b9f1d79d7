"""Who asks the database after it was restarted does not notice: PostgreSQL hangs up on everybody,
and each process keeps connections.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from tests.process import wait_for

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(settings.CHAT_ON_SQLITE, reason="SQLite has nobody who hangs up."),
]

OTHERS = """
    FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'kept'
"""
MANY = 6


def hang_up() -> int:
    """On all that this test keeps. Returns on how many, once that is done."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(pg_terminate_backend(pid)) {OTHERS}")
        (count,) = cursor.fetchone()
    wait_for(lambda: not still_there())
    return int(count)


def still_there() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_stat_clear_snapshot(), count(*) {OTHERS}")
        return int(cursor.fetchone()[1])


@pytest.fixture
def threads() -> Iterator[list]:
    """Connections as many threads of a process have them, with a pool of their own."""
    from accounts.postgresql.base import DatabaseWrapper

    options = {**connection.settings_dict["OPTIONS"], "application_name": "kept"}
    options["pool"] = {**options["pool"], "min_size": MANY, "max_size": MANY}
    its = {**connection.settings_dict, "OPTIONS": options}
    found = [DatabaseWrapper(its, alias="kept") for _ in range(MANY)]
    yield found
    for one in found:
        one.close()
    found[0].close_pool()


def ask(thread) -> int:
    with thread.cursor() as cursor:
        cursor.execute("SELECT 1")
        return int(cursor.fetchone()[0])


def test_none_is_given_on_which_the_database_hung_up(threads: list) -> None:
    for thread in threads:
        ask(thread)
    for thread in threads:
        thread.close()
    assert hang_up() == MANY
    assert [ask(thread) for thread in threads] == [1] * MANY


def test_one_that_is_well_is_given_again(threads: list) -> None:
    for thread in threads:
        ask(thread)
    for thread in threads:
        thread.close()
    wait_for(lambda: still_there() == MANY)
    assert [ask(thread) for thread in threads] == [1] * MANY
    assert still_there() == MANY
    assert threads[0].pool.get_stats()["connections_num"] == MANY
