"""Connections to the database, which are few: who asks nothing for a while keeps none."""

from django.db import connection


def give_back() -> None:
    """Let others have this thread's, until it asks again. A transaction keeps it."""
    if not connection.in_atomic_block:
        connection.close()
