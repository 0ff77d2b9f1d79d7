"""Rooms as one reader sees them: what is unread, who is in them, what one is oneself there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields import IntegerField
from django.db.models.functions import Least

from accounts.models import User
from accounts.prepared import first, prepared
from accounts.times import iso
from messages.models import Message
from rooms.models import Participant, Room
from rooms.modes import Mode, Role, hidden_from

NAMELESS = "Side-bar"
"""What one is called that was opened without a title."""
HIDDEN = sorted(hidden_from(Mode.SUPPORT, Role.CUSTOMER))
"""Roles that some readers are not shown."""
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
    known = _seats(user=user.pk, rooms=[room.pk for room in rooms])
    seats = {seat.room_id: seat for seat in known}
    counts = _count_people(rooms, seats)
    names = names_of(user, rooms)
    return [
        encode_room(
            room,
            seats.get(room.pk),
            name=names[room.pk],
            people=counts.get(room.pk, 0),
            said=said_to(seats.get(room.pk)),
        )
        for room in rooms
    ]


class Said(NamedTuple):
    """What was said in a room, of what one reader may see."""

    unread: int
    mentions: int
    last_at: datetime | None


def said_to(seat: Any) -> Said:
    """By a seat that comes `with_counts`; nothing to who has none."""
    if seat is None:
        return Said(0, 0, None)
    return Said(seat.unread, seat.mentioned, seat.last_message_at)


def count_said(user: User, room: int) -> Said:
    """In one room of theirs. A query."""
    return said_to(first(_seats(user=user.pk, rooms=[room])))


def encode_room(
    room: Room, seat: Participant | None, *, name: str, people: int, said: Said
) -> dict[str, Any]:
    """The room object of the contract, for the reader whose seat this is."""
    return {
        "id": room.pk,
        "name": name,
        "mode": room.mode,
        "visibility": room.visibility,
        "state": room.state,
        "description": room.description,
        "history": room.history,
        "direct": room.is_direct,
        "parent": room.parent_id,
        "created_at": iso(room.created_at),
        "last_message_at": iso(said.last_at),
        "unread": said.unread,
        "mentions": said.mentions,
        "me": encode_seat(seat),
        "participants_count": people,
        "outcome": _outcome(room, seat),
    }


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


def seats_with_counts(
    user: User, rooms: Collection[Room] | Collection[int] | QuerySet[Room]
) -> QuerySet[Any]:
    """One's seats in these rooms, with what no field holds: `unread`, `mentioned` (each up to
    100) and `last_message_at`.
    """
    seen = Message.objects.all().of_seat(user)
    news = seen.counting_for(user)
    unread = news.filter(pk__gt=OuterRef("last_read"))
    named = news.naming(
        user, room=OuterRef(OuterRef("room")), after=OuterRef(OuterRef("last_read"))
    )
    called = unread.calling_everyone(besides=user)
    latest = seen.order_by("-pk").values("created_at")
    return Participant.objects.filter(user=user, room__in=rooms).annotate(
        unread=CountUpTo(unread.values("pk")[:MOST]),
        mentioned=Least(
            CountUpTo(named.values("pk")[:MOST]) + CountUpTo(called.values("pk")[:MOST]), MOST
        ),
        last_message_at=Subquery(latest[:1]),
    )


@prepared("user", "rooms")
def _seats(user: int, rooms: Collection[int]) -> QuerySet[Any]:
    return seats_with_counts(User(pk=user), rooms)


def _count_people(rooms: Collection[Room], seats: dict[int, Participant]) -> dict[int, int]:
    """People per room, less those whom the reader is not shown."""
    narrow = [
        room.pk
        for room in rooms
        if room.pk in seats and hidden_from(room.mode, seats[room.pk].role)
    ]
    counts = _counts(rooms=[room.pk for room in rooms], narrow=narrow or [0])
    return {**dict(counts), **_count_people_around(rooms)}


@prepared("rooms", "narrow")
def _counts(
    rooms: Collection[int], narrow: Collection[int]
) -> QuerySet[Participant, tuple[int, int]]:
    """`narrow`: of rooms whose reader is not shown all."""
    people = Participant.objects.filter(room__in=rooms)
    people = people.exclude(Q(room__in=narrow) & Q(role__in=HIDDEN))
    return people.values_list("room").annotate(Count("pk")).order_by()


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
