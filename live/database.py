"""Database work of the event loop: in threads of our own, which keep their connections.

Channels' `database_sync_to_async` is serial by default and hops through a thread that all
consumers share; one slow query there would hold every socket up.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg_pool import PoolTimeout

from accounts.connections import drop_if_dead

P = ParamSpec("P")
T = TypeVar("T")

RETRY = 1.0
"""Seconds until what the database did not answer is asked again."""
WAITS = (0.1, 0.2, 0.5, 1, 2, 3, 5, 5, 5, 5)
"""Seconds between tries to have something done surely."""


class _Threads:
    """A pool, and the connection of each of its threads."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(settings.CHAT_SOCKET_THREADS, thread_name_prefix="live")
        self._kept: dict[int, BaseDatabaseWrapper] = {}

    def work(self, work: Callable[[], T]) -> T:
        """In one of them."""
        self._kept[threading.get_ident()] = connections[connection.alias]
        drop_if_dead()
        try:
            return work()
        except Exception:
            connections[connection.alias].close_if_unusable_or_obsolete()
            raise

    def close(self) -> None:
        """Waits for what is running: no connection survives being closed by another thread than
        the one that is using it. On PostgreSQL, that one may wait for ever.
        """
        self.pool.shutdown()
        for one in self._kept.values():
            one.inc_thread_sharing()
            try:
                one.close()
            finally:
                one.dec_thread_sharing()


_threads = _Threads()
_changing = threading.Lock()
"""Nothing is given to threads that end."""


async def run(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do database work in a thread of the pool, on behalf of whom the loop is working for."""
    loop = asyncio.get_running_loop()
    task = partial(copy_context().run, partial(work, *args, **kwargs))
    with _changing:
        working = loop.run_in_executor(_threads.pool, _threads.work, task)
    return await working


async def surely(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Work that is tried again where the database is busy, or away for a moment.

    It must be such that it may be done twice. Whoever is cancelled waits all the same: no two
    threads are at what it works on.
    """
    for wait in WAITS:
        try:
            return await _whole(work, *args, **kwargs)
        except (OperationalError, InterfaceError):
            await asyncio.sleep(wait)
    return await _whole(work, *args, **kwargs)


async def _whole(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    working = asyncio.ensure_future(run(work, *args, **kwargs))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


def is_out_of_reach(problem: Exception) -> bool:
    """Whether no connection was to be had within the time that the pool gives: there is none for
    anything else now, either.
    """
    return isinstance(problem.__cause__, PoolTimeout)


def close() -> None:
    """Finish what is running, then let go of its connections. What is begun meanwhile, or later,
    has others.
    """
    global _threads
    with _changing:
        threads, _threads = _threads, _Threads()
    threads.close()
