"""The threads in which the event loop has database work done."""

from __future__ import annotations

import asyncio
from contextlib import closing
from threading import Barrier, Event

import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections

from live import database
from tests.process import PATIENCE, wait_for


@pytest.mark.django_db(transaction=True)
async def test_what_begins_while_it_closes_keeps_its_connection() -> None:
    """Closed by another thread, a connection to PostgreSQL may be waited for without end."""
    held, begun, go_on = Event(), Event(), Event()

    def work() -> bool:
        connection.ensure_connection()
        mine = connection.connection
        begun.set()
        go_on.wait(PATIENCE)
        return mine is not None and connection.connection is mine

    earlier, threads = asyncio.create_task(database.run(held.wait, PATIENCE)), database._threads
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(database.close))
    await asyncio.to_thread(wait_for, lambda: database._threads is not threads)
    meanwhile = asyncio.create_task(database.run(work))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    held.set()
    await closing
    go_on.set()
    assert await meanwhile
    assert await earlier
    await asyncio.to_thread(database.close)


HANG_UP = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid = ANY(%s)
"""
STILL_THERE = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(settings.CHAT_ON_SQLITE, reason="SQLite has nobody who hangs up.")
async def test_who_asks_after_the_database_was_restarted_does_not_notice() -> None:
    everybody = Barrier(settings.CHAT_SOCKET_THREADS)

    def ask() -> int:
        """In each of the threads once."""
        everybody.wait(PATIENCE)
        return answer("SELECT pg_backend_pid()")

    def answer(question: str, *values: object) -> int:
        with connection.cursor() as cursor:
            cursor.execute(question, values)
            return int(cursor.fetchone()[0])

    def hang_up(on: list[int]) -> None:
        with closing(connections[DEFAULT_DB_ALIAS]):
            assert answer(HANG_UP, on) == len(on)
            wait_for(lambda: not answer(STILL_THERE, on))

    async def ask_all() -> set[int]:
        asked = [database.run(ask) for _ in range(settings.CHAT_SOCKET_THREADS)]
        return set(await asyncio.gather(*asked))

    before = await ask_all()
    await asyncio.to_thread(hang_up, list(before))
    after = await ask_all()
    assert len(after) == len(before)
    assert not after.intersection(before)
    await asyncio.to_thread(database.close)
