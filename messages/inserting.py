"""New messages as rows, by SQL whose text is made once.

`bulk_create` makes the same statement, but builds it anew from every field of every row, which cost
more than all else that posting does. Unlike it, this has no field set itself (`auto_now`):
none may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from messages.models import Message

AS_THEY_ARE = (
    models.ForeignKey,
    models.IntegerField,
    models.BooleanField,
    models.CharField,
    models.TextField,
)
"""Whose values databases are given as messages hold them."""


def insert(messages: Sequence[Message]) -> None:
    """Write new messages, and give them their ids. Called within a transaction."""
    database = connections[DEFAULT_DB_ALIAS]
    at_once = database.ops.bulk_batch_size(_fields(), messages)
    with database.cursor() as cursor:
        for start in range(0, len(messages), at_once):
            some = messages[start : start + at_once]
            values = [value for message in some for value in _values(message, database)]
            cursor.execute(_statement(len(some)), values)
            for message, (pk,) in zip(some, cursor.fetchall(), strict=True):
                message.pk = pk
                message._state.adding, message._state.db = False, DEFAULT_DB_ALIAS


def _values(message: Message, database: BaseDatabaseWrapper) -> Iterator[Any]:
    held = message.__dict__
    for name, to_column in _columns():
        yield held[name] if to_column is None else to_column(held[name], database)


@cache
def _columns() -> list[tuple[str, Callable[..., Any] | None]]:
    """What a row holds: by which name messages have it, and what makes of it what is stored."""
    times = [field for field in _fields() if isinstance(field, models.DateField)]
    assert not any(time.auto_now or time.auto_now_add for time in times)  # noqa: S101 - see above
    return [
        (field.attname, None if isinstance(field, AS_THEY_ARE) else field.get_db_prep_save)
        for field in _fields()
    ]


@lru_cache(maxsize=256)
def _statement(rows: int) -> str:
    quoted = connections[DEFAULT_DB_ALIAS].ops.quote_name
    columns = ", ".join(quoted(str(field.column)) for field in _fields())
    row = f"({', '.join(['%s'] * len(_fields()))})"
    table, values = quoted(Message._meta.db_table), ", ".join([row] * rows)
    return f"INSERT INTO {table} ({columns}) VALUES {values} RETURNING id"  # noqa: S608


@cache
def _fields() -> list[models.Field[Any, Any]]:
    return [field for field in Message._meta.local_concrete_fields if not field.primary_key]
