"""Numbers with a decimal point, as strictly as the API takes whole ones."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import Any

from rest_framework import serializers


class FractionField(serializers.FloatField):
    """A number: no text a number could be read from, and no infinity, which JSON has as 1e999."""

    default_error_messages = {"invalid": "A valid number is required."}

    def to_internal_value(self, data: Any) -> float:
        """Take numbers alone."""
        if not _is_number(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class MoneyField(serializers.DecimalField):
    """US dollars, as a number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=12, decimal_places=4, coerce_to_string=False, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        """Take numbers alone."""
        if not _is_number(data):
            self.fail("invalid")
        return super().to_internal_value(data)


def _is_number(data: Any) -> bool:
    if isinstance(data, bool) or not isinstance(data, int | float):
        return False
    return isinstance(data, int) or isfinite(data)
