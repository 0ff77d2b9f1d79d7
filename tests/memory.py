"""What was once made by verbs, put back as rows: to make it takes longer than most tests do."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from datetime import datetime
from itertools import groupby
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
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
        self._kept = b""
        self._groups: dict[int, str] = {}

    def recall(self) -> Any:
        """As if made now. Anew where it was never made, or where something is there already."""
        if User.objects.exists():
            return self._make()
        if not self._kept:
            with transaction.atomic():
                made = self._make()
                self._keep((made, _rows()))
            return made
        made, rows = _Unpickler(io.BytesIO(self._kept)).load()
        self._join_groups_again(rows)
        with transaction.atomic():
            for model, same in groupby(rows, type):
                model._base_manager.bulk_create(list(same))
            _count_on_from({type(row) for row in rows})
        return made

    def _keep(self, everything: Any) -> None:
        kept = io.BytesIO()
        _Pickler(kept, pickle.HIGHEST_PROTOCOL).dump(everything)
        self._kept = kept.getvalue()
        self._groups = dict(Group.objects.values_list("pk", "name"))

    def _join_groups_again(self, rows: list[models.Model]) -> None:
        """A flush makes the groups anew, with other ids."""
        now = dict(Group.objects.values_list("name", "pk"))
        for row in rows:
            if isinstance(row, User.groups.through):
                row.group_id = now[self._groups[row.group_id]]


def _rows() -> list[models.Model]:
    """Model by model."""
    ours = [model for app in OURS for model in apps.get_app_config(app).get_models(True)]
    return [row for model in ours for row in model._base_manager.order_by("pk")]


def _count_on_from(written: set[type[models.Model]]) -> None:
    """PostgreSQL does not count the ids that it was given, and starts at 1 again after a flush."""
    if statements := connection.ops.sequence_reset_sql(no_style(), list(written)):
        with connection.cursor() as cursor:
            cursor.execute("".join(statements))


class _Pickler(pickle.Pickler):
    """Leaves the moment itself out."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._now = timezone.now()

    def persistent_id(self, thing: Any) -> Any:
        return thing - self._now if isinstance(thing, datetime) and thing.tzinfo else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._now = timezone.now()

    def persistent_load(self, ago: Any) -> datetime:
        return self._now + ago
