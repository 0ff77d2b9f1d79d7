"""How much SQLite does for something: on every computer the same."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

EVERY = 10


def steps(act: Callable[[], object]) -> int:
    """Instructions of its virtual machine, to the nearest ten."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += EVERY
        return 0

    connection.ensure_connection()
    connection.connection.set_progress_handler(count, EVERY)
    try:
        act()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return counted
