"""What people say of themselves for a while, such as that they are on holiday.

It is for colleagues: guests and customers are told of none.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from django.utils import timezone

from accounts.emoji import checked_emoji
from accounts.errors import Invalid
from accounts.times import iso

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from accounts.models import User

LONGEST = 100
SPEECH = "💬"
"""Before words that were given without an emoji."""


class Status(TypedDict):
    """As programs are told of it."""

    emoji: str
    text: str
    expires_at: str | None


class Preset(NamedTuple):
    emoji: str
    text: str
    after: str


PRESETS = {
    "meeting": Preset("📅", "In a meeting", "1h"),
    "focus": Preset("🎧", "Focusing", "4h"),
    "commuting": Preset("🚌", "On the way", "30m"),
    "lunch": Preset("🍽️", "At lunch", "1h"),
    "sick": Preset("🤒", "Out sick", "today"),
    "holiday": Preset("🌴", "On holiday", ""),
}

# When it ends, counted from now, as forms offer it.
AFTER = {
    "": "Until I clear it",
    "30m": "30 minutes",
    "1h": "an hour",
    "4h": "4 hours",
    "today": "today",
    "week": "this week",
}
KEPT = "kept"
"""Offered beside those above where there is an end already."""
SPANS = {"30m": timedelta(minutes=30), "1h": timedelta(hours=1), "4h": timedelta(hours=4)}


def checked(emoji: str, text: str, until: datetime | None) -> tuple[str, str]:
    """The emoji and the words, if they can be a status. Raises Invalid, with details by field."""
    words = " ".join(text.split())
    if not emoji and not words:
        raise Invalid(details={"text": ["Choose an emoji, or say something."]})
    if len(words) > LONGEST:
        raise Invalid(details={"text": [f"A status has up to {LONGEST} characters."]})
    if "\0" in words:
        raise Invalid(details={"text": ["A status is made of characters that can be seen."]})
    if until is not None and until <= timezone.now():
        raise Invalid(details={"expires_at": ["Choose a time that is yet to come."]})
    return checked_emoji(emoji or SPEECH), words


def encode(emoji: str, text: str, until: datetime | None) -> Status | None:
    """As it is told, or None where there is none, or none any more."""
    if not emoji or (until is not None and until <= timezone.now()):
        return None
    return {"emoji": emoji, "text": text, "expires_at": iso(until)}


def told_to(viewer: User) -> bool:
    """Whether they are told what others say of themselves."""
    return viewer.kind == viewer.Kind.PERSON


def end_of(after: str, zone: ZoneInfo) -> datetime | None:
    """When a status ends that is cleared `after` so long: at midnight, or with Sunday, of who is
    in that zone. Raises Invalid.
    """
    if after not in AFTER:
        raise Invalid(details={"after": ["Choose when it ends."]})
    if after in ("today", "week"):
        today = timezone.now().astimezone(zone).date()
        days = 1 if after == "today" else 7 - today.weekday()
        return datetime.combine(today + timedelta(days=days), time(), tzinfo=zone)
    return timezone.now() + SPANS[after] if after else None
