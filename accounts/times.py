"""Moments as the contract writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from django.conf import settings

FORMAT = str(settings.REST_FRAMEWORK["DATETIME_FORMAT"])


@lru_cache(1024)  # what is said together has one
def iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime(FORMAT) if moment else None
