"""Rooms as one reader sees them: what is unread, who is in them, what one is oneself there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields import IntegerField

from accounts.times import iso
from messages.models import Message
from rooms.models import Participant, Room
from rooms.modes import Mode, Role, hidden_from

if TYPE_CHECKING:
    from accounts.models import User

NAMELESS = "Side-bar"
"""What one is called that was opened without a title."""
MOST = 100
"""Shown as “99+”: there is no need to count further."""


class CountUpTo(Subquery):
    """How many rows a sliced subquery has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def overview(user: User, rooms: Collection[Room]) -> list[dict[str, Any]]:
    """Room objects of the contract for `user`, in the order given. Queries: a constant few."""
    if not rooms:
        return []
    seats = {seat.room_id: seat for seat in seats_with_counts(user, rooms)}
    counts = _count_people(rooms, seats)
    names = names_of(user, rooms)
    return [
        {
            "id": room.pk,
            "name": names[room.pk],
            "mode": room.mode,
            "visibility": room.visibility,
            "state": room.state,
            "description": room.description,
            "history": room.history,
            "direct": room.is_direct,
            "parent": room.parent_id,
            "created_at": iso(room.created_at),
            "last_message_at": iso(getattr(seats.get(room.pk), "last_message_at", None)),
            "unread": getattr(seats.get(room.pk), "unread", 0),
            "mentions": getattr(seats.get(room.pk), "mentioned", 0),
            "me": encode_seat(seats.get(room.pk)),
            "participants_count": counts.get(room.pk, 0),
            "outcome": _outcome(room, seats.get(room.pk)),
        }
        for room in rooms
    ]


def _outcome(room: Room, seat: Participant | None) -> str | None:
    """How it ended, for all but the customers it was about."""
    if seat is not None and seat.role == Role.CUSTOMER:
        return None
    return room.outcome or None


def encode_seat(seat: Participant | None) -> dict[str, Any] | None:
    if seat is None:
        return None
    return {
        "role": seat.role,
        "last_read": seat.last_read,
        "muted": seat.muted,
        "starred": seat.starred,
        "notify": seat.notify,
    }


def seats_with_counts(user: User, rooms: Collection[Room] | QuerySet[Room]) -> QuerySet[Any]:
    """One's seats in these rooms, with what no field holds: `unread`, `mentioned` (each up to
    100) and `last_message_at`.
    """
    mine = Message.objects.filter(room=OuterRef("room"))
    unread = mine.unread_by(user, after=OuterRef("last_read")).order_by()
    latest = mine.visible_to(user).order_by("-pk").values("created_at")
    return Participant.objects.filter(user=user, room__in=rooms).annotate(
        unread=CountUpTo(unread.values("pk")[:MOST]),
        mentioned=CountUpTo(unread.mentioning(user).values("pk")[:MOST]),
        last_message_at=Subquery(latest[:1]),
    )


def _count_people(rooms: Collection[Room], seats: dict[int, Participant]) -> dict[int, int]:
    """People per room, less those whom the reader is not shown."""
    narrow = [
        room.pk
        for room in rooms
        if room.pk in seats and hidden_from(room.mode, seats[room.pk].role)
    ]
    hidden = hidden_from(Mode.SUPPORT, Role.CUSTOMER)
    rows = (
        Participant.objects.filter(room__in=rooms)
        .exclude(Q(room__in=narrow) & Q(role__in=hidden))
        .values_list("room")
        .annotate(Count("pk"))
        .order_by()
    )
    return {**dict(rows), **_count_people_around(rooms)}


def _count_people_around(rooms: Collection[Room]) -> dict[int, int]:
    """Of the open side-bars among these rooms."""
    parents = {room.pk: room.parent_id for room in rooms if room.is_open_sidebar}
    if not parents:
        return {}
    around = Participant.objects.filter(room__in=parents.values()).exclude(role=Role.CUSTOMER)
    counts = dict(around.values_list("room").annotate(Count("pk")).order_by())
    return {room: counts.get(parent, 0) for room, parent in parents.items()}


def names_of(user: User, rooms: Collection[Room]) -> dict[int, str]:
    """What they call each of these rooms. One query where any is direct."""
    direct = _names_of_direct_rooms(user, rooms)
    return {
        room.pk: direct.get(room.pk, room.name or NAMELESS if room.is_sidebar else room.name)
        for room in rooms
    }


def _names_of_direct_rooms(user: User, rooms: Collection[Room]) -> dict[int, str]:
    """A direct room is called as the other one is."""
    direct: Sequence[int] = [room.pk for room in rooms if room.is_direct]
    if not direct:
        return {}
    others = Participant.objects.filter(room__in=direct).exclude(user=user)
    return dict(others.values_list("room", "user__name"))
