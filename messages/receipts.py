"""Who has read how far: what the people of a room are told of each other.

It is told by messages that everyone sees, so that it gives away no others; of those whom the reader
is shown as people; of newcomers only once they have read something; and not in large rooms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.errors import Forbidden
from messages.audience import Audience
from messages.models import Message
from rooms.models import Participant
from rooms.modes import Role

if TYPE_CHECKING:
    from accounts.models import User

MOST = 100
"""Receipts told at once: of those who have read furthest."""


class Receipt(NamedTuple):
    user: int
    message: int


def receipts(viewer: Participant) -> list[Receipt]:
    """How far others have read, by the newest message that everyone sees at or before."""
    if viewer.room.is_crowded:
        return []
    said = Message.objects.filter(room=viewer.room_id, audience=Audience.EVERYONE)
    newest = (
        said.exclude(kind=Message.Kind.SYSTEM)
        .filter(pk__lte=OuterRef("last_read"), pk__gt=OuterRef("history_from"))
        .order_by("-pk")
    )
    seats = (
        _readers(viewer)
        .annotate(shown=Subquery(newest.values("pk")[:1]))
        .filter(shown__gt=viewer.history_from)
        .order_by("-last_read", "pk")
    )
    return [Receipt(*row) for row in seats.values_list("user", "shown")[:MOST]]


def readers(message: Message, *, viewer: Participant) -> tuple[list[User], int]:
    """Who has read this message that everyone sees: at most a hundred, by name, and how many.

    In large rooms they are only counted. Raises Forbidden of any other message: who its readers
    are would tell whom it was for.
    """
    if message.audience != Audience.EVERYONE:
        raise Forbidden("Who has read it is told of messages that everyone sees.")
    seats = _readers(viewer).filter(last_read__gte=message.pk, history_from__lt=message.pk)
    seats = seats.exclude(user=message.author_id)
    if viewer.room.is_crowded:
        return [], seats.count()
    found = list(seats.select_related("user").order_by("user__name", "pk")[:MOST])
    return [seat.user for seat in found], len(found) if len(found) < MOST else seats.count()


def _readers(viewer: Participant) -> QuerySet[Participant]:
    """The seats of people that the viewer is shown, but their own."""
    seats = Participant.objects.shown_to(viewer).exclude(role=Role.ROBOT)
    if viewer.room.is_open_sidebar:  # whose people are those around it, who read elsewhere
        seats = Participant.objects.filter(room=viewer.room, user__in=seats.values("user"))
    return seats.exclude(user=viewer.user_id)
