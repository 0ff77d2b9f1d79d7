"""What was said, as a page lays it out: grouped by who speaks, divided by days and by what is new.

The page's script divides again by its reader's own days; this is what there is before it runs,
and where it never does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString

from accounts.models import User
from messages.rendering import article

if TYPE_CHECKING:
    from messages.encoding import Encoded

PAUSE = timedelta(minutes=7)


@dataclass(frozen=True)
class Entry:
    """One message on a page. `day` is set where a new one begins, in UTC."""

    message: Encoded
    article: SafeString
    follows: bool
    mine: bool
    day: date | None
    first_unread: bool


def entries(messages: Sequence[Encoded], *, me: User, last_read: int) -> list[Entry]:
    """These messages of one room, in order, with a line above the first unread one."""
    named = with_names(messages)
    fresh = next((m["id"] for m in named if _calls(m, me) and m["id"] > last_read), None)
    made: list[Entry] = []
    for place, message in enumerate(named):
        previous = named[place - 1] if place else None
        at = _moment(message)
        first_unread = message["id"] == fresh
        made.append(
            Entry(
                message=message,
                article=article(message),
                follows=not first_unread and previous is not None and _follows(previous, message),
                mine=message["author"]["id"] == me.pk,
                day=at.date() if not previous or _moment(previous).date() != at.date() else None,
                first_unread=first_unread,
            )
        )
    return made


def with_names(messages: Sequence[Encoded]) -> list[Encoded]:
    """With `to_users` where a message is for some, and the `stopper` of an answer: who they are,
    for who reads without a script.
    """
    ids = {user for message in messages for user in (*message["to"], _stopper(message)) if user}
    users = {pk: user.public() for pk, user in User.objects.in_bulk(ids).items()} if ids else {}
    return [
        _with_names(message, users) if message["to"] or _stopper(message) else message
        for message in messages
    ]


def _with_names(message: Encoded, users: Mapping[int, Any]) -> Encoded:
    return {
        **message,
        "to_users": [users[user] for user in message["to"] if user in users],
        "stopper": users.get(_stopper(message)),
    }


def _stopper(message: Encoded) -> int:
    reply = message["data"].get("reply") or {}
    return reply.get("stopped_by") or 0


def _calls(message: Encoded, me: User) -> bool:
    return bool(message["author"]["id"] != me.pk and message["kind"] != "system")


def _follows(previous: Encoded, message: Encoded) -> bool:
    return bool(
        previous["kind"] == message["kind"] == "text"
        and previous["author"]["id"] == message["author"]["id"]
        and (previous["audience"], previous["to"]) == (message["audience"], message["to"])
        and not message["reply_to"]
        and not message["shared_from"]
        and _moment(message) - _moment(previous) < PAUSE
        and _moment(message).date() == _moment(previous).date()
    )


def _moment(message: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(message["created_at"])
