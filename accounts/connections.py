"""Connections to the database, which are few: who asks nothing for a while keeps none."""

import select
from typing import Any

from django.db import connection


def give_back() -> None:
    """Let others have this thread's, until it asks again. A transaction keeps it."""
    if not connection.in_atomic_block:
        connection.close()


def drop_if_dead() -> None:
    """Let go of this thread's where the database has hung up meanwhile: it may be back, and what
    is asked next has another.
    """
    kept = connection.connection
    if kept is None or connection.vendor != "postgresql" or connection.in_atomic_block:
        return
    if is_hung_up(kept):
        connection.close()


def is_hung_up(kept: Any) -> bool:
    """Whether a connection of psycopg is dead, or soon will be. Nothing is sent: while nothing is
    asked, the system holds nothing to be read of it but the end.
    """
    if kept.closed:
        return True
    watch = select.poll()
    watch.register(kept.fileno(), select.POLLIN)
    if not watch.poll(0):
        return False
    try:
        kept.execute("")  # or it was a notice
    except kept.Error:
        return True
    return False
