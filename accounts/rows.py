"""Models whose rows are made quickly."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Self

from django.db import models
from django.db.models.base import ModelState


class QuickRows(models.Model):
    """Rows of the database become instances at a fifth of what `Model.__init__` costs.

    For models of which no field looks at what it is set to, nor anybody at their `post_init`: a
    file's does (`ImageField`).
    """

    class Meta:
        abstract = True

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **how: Any
    ) -> Self:
        """As Django's. What was not asked for is asked for when it is looked at."""
        row = cls.__new__(cls)
        row.__dict__.update(zip(field_names, values, strict=True))
        row._state = ModelState()
        row._state.adding, row._state.db = False, db
        return row
