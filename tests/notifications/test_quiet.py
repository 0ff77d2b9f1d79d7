"""Quiet hours, by the clock of whoever wants them."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from notifications.quiet import EVERY_DAY, QuietHours

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(time(22), time(7), EVERY_DAY, BERLIN)
NOON = QuietHours(time(12), time(13), (0, 1, 2, 3, 4), BERLIN)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("hours", "now", "end"),
    [
        (NIGHT, "2026-06-03T21:59", None),
        (NIGHT, "2026-06-03T22:00", "2026-06-04T07:00"),
        (NIGHT, "2026-06-04T06:59", "2026-06-04T07:00"),
        (NIGHT, "2026-06-04T07:00", None),
        (NOON, "2026-06-05T12:30", "2026-06-05T13:00"),
        (NOON, "2026-06-05T13:00", None),
        (NOON, "2026-06-06T12:30", None),  # a Saturday
    ],
)
def test_they_hold_from_their_beginning_up_to_their_end(
    hours: QuietHours, now: str, end: str | None
) -> None:
    assert hours.end(at(now)) == (at(end).astimezone(UTC) if end else None)


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    friday = QuietHours(time(22), time(7), (4,), BERLIN)
    assert friday.end(at("2026-06-06T03:00")) is not None  # Saturday, early
    assert friday.end(at("2026-06-05T03:00")) is None  # Friday, early
    assert friday.end(at("2026-06-06T23:00")) is None


def test_they_are_reckoned_where_somebody_is() -> None:
    tokyo = QuietHours(time(22), time(7), EVERY_DAY, ZoneInfo("Asia/Tokyo"))
    assert tokyo.end(datetime(2026, 6, 3, 15, tzinfo=UTC)) is not None
    assert NIGHT.end(datetime(2026, 6, 3, 15, tzinfo=UTC)) is None


def test_turning_the_clocks_changes_how_long_they_are() -> None:
    spring = NIGHT.end(at("2026-03-28T23:00"))
    autumn = NIGHT.end(at("2026-10-24T23:00"))
    assert (spring - at("2026-03-28T23:00").astimezone(UTC)).total_seconds() == 7 * 3600
    assert (autumn - at("2026-10-24T23:00").astimezone(UTC)).total_seconds() == 9 * 3600


def test_the_same_time_twice_is_a_whole_day() -> None:
    day = QuietHours(time(0), time(0), (5,), BERLIN)
    assert day.end(at("2026-06-06T12:00")) == at("2026-06-07T00:00").astimezone(UTC)
    assert day.end(at("2026-06-07T00:00")) is None
