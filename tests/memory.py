"""What was once made by verbs, put back as rows: to make it takes longer than most tests do."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.utils import timezone

from accounts.models import User

OURS = ("accounts", "rooms", "chat_messages")
"""The apps whose rows are remembered."""


class Memory:
    """Remembers what `make` returns, and every row that it wrote.

    Times are put back as far from now as they were when it was made.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made = b""
        self._tables: list[Table] = []
        self._count_on = ""

    def recall(self) -> Any:
        """As if made now. Anew where it was never made, or where something is there already."""
        if User.objects.exists():
            return self._make()
        with transaction.atomic():
            if not self._made:
                return self._keep(self._make())
            now = timezone.now()
            with connection.cursor() as cursor:
                for table in self._tables:
                    cursor.execute(table.insert, table.values(now))
                if self._count_on:
                    cursor.execute(self._count_on)
        return _Unpickler(io.BytesIO(self._made), now).load()

    def _keep(self, made: Any) -> Any:
        now = timezone.now()
        kept = io.BytesIO()
        _Pickler(kept, now).dump(made)
        self._made = kept.getvalue()
        ours = [model for app in OURS for model in apps.get_app_config(app).get_models(True)]
        self._tables = [Table(model, now) for model in ours if model._base_manager.exists()]
        # PostgreSQL does not count the ids that it was given, and goes on from what a test left.
        written = [table.model for table in self._tables]
        self._count_on = "".join(connection.ops.sequence_reset_sql(no_style(), written))
        return made


class Table:
    """The rows of a model, as its database takes them: asking each field for each value anew would
    take longer than all the rest.
    """

    def __init__(self, model: type[models.Model], now: datetime) -> None:
        self.model = model
        quote = connection.ops.quote_name
        fields = model._meta.concrete_fields
        rows = model._base_manager.order_by("pk")
        columns = ", ".join(quote(field.column) for field in fields)
        places = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(rows))
        self.insert = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES {places}"
        self._values = [
            _ago(field, getattr(row, field.attname), now) for row in rows for field in fields
        ]

    def values(self, now: datetime) -> list[Any]:
        adapt = connection.ops.adapt_datetimefield_value
        return [adapt(now - one) if isinstance(one, timedelta) else one for one in self._values]


def _ago(field: models.Field[Any, Any], value: Any, now: datetime) -> Any:
    """How long ago it was, or else what the database is given."""
    if isinstance(value, datetime):
        return now - value
    return field.get_db_prep_save(value, connection)


class _Pickler(pickle.Pickler):
    """Leaves the moment itself out."""

    def __init__(self, file: io.BytesIO, now: datetime) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._now = now

    def persistent_id(self, thing: Any) -> Any:
        return self._now - thing if isinstance(thing, datetime) and thing.tzinfo else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, now: datetime) -> None:
        super().__init__(file)
        self._now = now

    def persistent_load(self, ago: Any) -> datetime:
        return self._now - ago
