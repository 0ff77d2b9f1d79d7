"""A notification as the contract has it: for the one who is told, of what they may see."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.times import iso
from messages.encoding import Encoded
from messages.markdown import excerpt
from messages.overview import NAMELESS
from notifications.models import Notification
from rooms.models import Room

WITHOUT_WORDS = "Sent a file."


def encode(notification: Notification, *, unread: bool) -> Encoded:
    """With its message, author and room at hand."""
    message = notification.message
    return {
        "id": notification.pk,
        "reason": notification.reason,
        "room": {"id": notification.room_id, "name": name_of(notification)},
        "message": message.pk,
        "author": message.author.public(),
        "excerpt": excerpt(message.body) or WITHOUT_WORDS,
        "unread": unread,
        "created_at": iso(notification.created_at),
    }


def encode_for(rows: Sequence[Notification]) -> list[Encoded]:
    """Of the one who is told. A query, for which of them are unread."""
    these = Notification.objects.filter(pk__in=[row.pk for row in rows])
    unread = set(these.unread().values_list("pk", flat=True))
    return [encode(row, unread=row.pk in unread) for row in rows]


def name_of(notification: Notification) -> str:
    """What they call the room. A direct one is called as the other, who said it, is."""
    room: Room = notification.room
    if room.is_direct:
        return notification.message.author.name
    return room.name or NAMELESS
