"""Work that one process at a time shall do. It must be right all the same if two do it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

from django.db import connection

_here: dict[str, threading.Lock] = defaultdict(threading.Lock)


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Whether nobody else is at the work of this name, here or in another process."""
    lock = _here[name]
    if not lock.acquire(blocking=False):
        yield False
        return
    try:
        with _alone_in_database(name) as is_alone:
            yield is_alone
    finally:
        lock.release()


@contextmanager
def _alone_in_database(name: str) -> Iterator[bool]:
    """PostgreSQL lets go of the lock when the connection goes. SQLite serves one process."""
    if connection.vendor != "postgresql":
        yield True
        return
    key = crc32(name.encode())
    if not _asked("SELECT pg_try_advisory_lock(%s)", key):
        yield False
        return
    try:
        yield True
    finally:
        _asked("SELECT pg_advisory_unlock(%s)", key)


def _asked(question: str, key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question, [key])
        return bool(cursor.fetchone()[0])
