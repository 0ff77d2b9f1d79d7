"""New messages as rows, by SQL whose text is made once.

`bulk_create` makes the same statement, but builds it anew from every field of every row, which cost
more than all else that posting does. Unlike it, this has no field set itself (`auto_now`):
none may.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import chain
from operator import itemgetter
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
            values = list(chain.from_iterable(_values(message, database) for message in some))
            cursor.execute(_statement(len(some)), values)
            for message, (pk,) in zip(some, cursor.fetchall(), strict=True):
                message.pk = pk
                message._state.adding, message._state.db = False, DEFAULT_DB_ALIAS


def _values(message: Message, database: BaseDatabaseWrapper) -> list[Any]:
    held, to_columns = _columns()
    values = list(held(message.__dict__))
    for place, to_column in to_columns:
        if values[place] is not None:
            values[place] = to_column(values[place], database)
    return values


@cache
def _columns() -> tuple[itemgetter[Any], list[tuple[int, Callable[..., Any]]]]:
    """What a row holds: how it is had of what a message holds, and of which of its values, by
    place, something else is stored.
    """
    times = [field for field in _fields() if isinstance(field, models.DateField)]
    assert not any(time.auto_now or time.auto_now_add for time in times)  # noqa: S101 - see above
    to_columns = [
        (place, field.get_db_prep_save)
        for place, field in enumerate(_fields())
        if not isinstance(field, AS_THEY_ARE)
    ]
    return itemgetter(*(field.attname for field in _fields())), to_columns


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
