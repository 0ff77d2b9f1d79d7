"""Quiet hours: pure reckoning with clocks, in somebody's own time zone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
"""Monday is 0, as in `datetime.weekday()`."""


@dataclass(frozen=True)
class QuietHours:
    """From one time of day to another, on these days; past midnight where `until` is not later
    than `start`, and then they belong to the day on which they begin.
    """

    start: time
    until: time
    days: Collection[int]
    zone: ZoneInfo

    def end(self, now: datetime) -> datetime | None:
        """When the ones that hold `now` are over, in UTC; None where none do."""
        here = now.astimezone(self.zone)
        for day in (here.date(), here.date() - timedelta(days=1)):
            if day.weekday() in self.days:
                last = day if self.until > self.start else day + timedelta(days=1)
                begins = self._moment(datetime.combine(day, self.start))
                ends = self._moment(datetime.combine(last, self.until))
                if begins <= now < ends:
                    return ends
        return None

    def _moment(self, local: datetime) -> datetime:
        """By way of UTC: clocks are turned, and two local times may be further apart than told."""
        return local.replace(tzinfo=self.zone).astimezone(UTC)
