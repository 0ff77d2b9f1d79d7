"""The threads in which the event loop has database work done."""

from __future__ import annotations

import asyncio
from threading import Event

import pytest
from django.db import connection

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
