"""Who has read how far: what the people of a room are told of each other.

It is told by messages that everyone sees, so that it gives away no others; of those whom the reader
is shown as people; of newcomers only once they have read something; and not in large rooms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.errors import Forbidden
from accounts.prepared import prepared
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


class Receipts:
    """How far others have read, by the newest message that everyone sees at or before: of several
    viewers, in rooms that are not crowded. Read once for all who are shown the same people of a
    room: of all rooms but open side-bars in one query for each set of hidden roles.
    """

    def __init__(self, viewers: Collection[Participant]) -> None:
        rooms: dict[tuple[str, ...], set[int]] = defaultdict(set)
        self._read: dict[tuple[int, tuple[str, ...]], list[Receipt]] = defaultdict(list)
        for viewer in viewers:
            place, hidden = viewer.sight
            if not viewer.room.is_open_sidebar:
                rooms[hidden].add(viewer.room_id)
            elif (viewer.room_id, hidden) not in self._read:
                found = _receipts_within(room=viewer.room_id, place=place, hidden=hidden)
                self._read[viewer.room_id, hidden] = [Receipt(*row) for row in found]
        for hidden, some in rooms.items():
            for room, *row in _receipts(rooms=some, hidden=hidden):
                self._read[room, hidden].append(Receipt(*row))

    def of(self, viewer: Participant) -> list[Receipt]:
        """Of others, and of what the viewer's own history has."""
        return [
            receipt
            for receipt in self._read.get((viewer.room_id, viewer.sight[1]), ())
            if receipt.user != viewer.user_id and receipt.message > viewer.history_from
        ][:MOST]


@prepared("rooms")
def _receipts(
    rooms: Collection[int], hidden: tuple[str, ...]
) -> QuerySet[Participant, tuple[int, int, int]]:
    seats = Participant.objects.filter(room__in=rooms).exclude(role__in=hidden)
    seats = seats.exclude(role=Role.ROBOT)
    return _with_newest_read(seats).values_list("room", "user", "shown")


@prepared("room", "place")
def _receipts_within(
    room: int, place: int, hidden: tuple[str, ...]
) -> QuerySet[Participant, tuple[int, int]]:
    """Of an open side-bar."""
    seats = _seats(room, place, hidden, is_within=True)
    return _with_newest_read(seats).values_list("user", "shown")


def _with_newest_read(seats: QuerySet[Participant]) -> QuerySet[Any]:
    """The newest message of their room that everyone sees, at or before where they have read.
    Who has read furthest comes first.
    """
    said = Message.objects.filter(room=OuterRef("room"), audience=Audience.EVERYONE)
    newest = (
        said.exclude(kind=Message.Kind.SYSTEM)
        .filter(pk__lte=OuterRef("last_read"), pk__gt=OuterRef("history_from"))
        .order_by("-pk")
    )
    shown = seats.annotate(shown=Subquery(newest.values("pk")[:1])).filter(shown__gt=0)
    return shown.order_by("-last_read", "pk")


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
    within = viewer.room.is_open_sidebar
    return _seats(viewer.room_id, *viewer.sight, is_within=within).exclude(user=viewer.user_id)


def _seats(
    room: int, place: int, hidden: Collection[str], is_within: bool
) -> QuerySet[Participant]:
    """`is_within`: the people of this room are those around it, who read elsewhere."""
    seats = Participant.objects.but(place, hidden).exclude(role=Role.ROBOT)
    if is_within:
        seats = Participant.objects.filter(room=room, user__in=seats.values("user"))
    return seats
