"""Where on the clock somebody is: the names of the IANA database that people choose from."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError

# Names that are there for machines: no place has them.
NOT_PLACES = ("Etc/", "SystemV/", "posix/", "right/")


def must_be_known(name: str) -> None:
    """Raise ValidationError unless it is the name of a place's time zone, or UTC."""
    if name not in _names():
        raise ValidationError("There is no such time zone. Write it as Europe/Berlin.")


def zone(name: str) -> ZoneInfo:
    """The zone of that name; of none, or one that this host does not know, the site's."""
    return ZoneInfo(name if name in _names() else settings.CHAT_TIME_ZONE)


@cache
def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every place by continent, as a form's choices."""
    places = sorted(_names() - {"UTC"})
    continents = groupby(places, key=lambda name: name.partition("/")[0])
    return [
        *((continent, [(name, _place(name)) for name in names]) for continent, names in continents),
        ("Everywhere", [("UTC", "UTC")]),
    ]


def _place(name: str) -> str:
    return name.partition("/")[2].replace("_", " ").replace("/", ", ")


@cache
def _names() -> frozenset[str]:
    """Read once: it looks through a folder of files."""
    places = (name for name in available_timezones() if "/" in name)
    return frozenset({"UTC", *(name for name in places if not name.startswith(NOT_PLACES))})
