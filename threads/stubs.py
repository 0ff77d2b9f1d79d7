"""What the room around a side-bar shows of it, beside its message: who is in it, how much was
said, and who said something last.

Readers differ in one thing alone: where their history begins. What was whispered counts for
nobody, so that nobody learns that it was said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Count, F, Max, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts.models import User
from accounts.prepared import prepared
from accounts.times import iso
from messages.audience import Audience, Reader
from messages.models import Message
from rooms.models import Participant, Room
from threads.models import Sidebar

Stub = dict[str, Any]

FACES = 5
"""People that a stub names."""


def stubs_for(reader: Participant, *, anchors: Collection[int] | None = None) -> QuerySet[Sidebar]:
    """The side-bars of the reader's room that they may know of, those opened last first."""
    found = _visible(reader.user_id, reader.room_id)
    return found if anchors is None else found.filter(anchor__in=anchors)


@prepared("user", "room", "anchors")
def stubs_beside(user: int, room: int, anchors: Collection[int]) -> QuerySet[Sidebar]:
    """Those of the room that they may know of, beside these messages."""
    return _visible(user, room).filter(anchor__in=anchors)


@prepared("user", "room")
def newest_stubs(user: int, room: int, most: int) -> QuerySet[Sidebar]:
    """Those of the room that they may know of and that were opened last."""
    return _visible(user, room)[:most]


def _visible(user: int, room: int) -> QuerySet[Sidebar]:
    found = Sidebar.objects.visible_to(User(pk=user)).within(Room(pk=room))
    shown: QuerySet[Sidebar] = found.select_related("room__created_by").order_by("-pk")
    return shown


def encode_for(reader: Participant, sidebars: Iterable[Sidebar]) -> list[Stub]:
    """Their stubs, as the reader may see them. `reader.room` is at hand."""
    return encode(sidebars, after=Reader.of(reader).history_from)


def encode(sidebars: Iterable[Sidebar], *, after: int) -> list[Stub]:
    """Stubs for readers whose history begins after this message; 0 for all of it.

    A constant few queries, however many there are.
    """
    rows = list(sidebars)
    if not rows:
        return []
    rooms = [one.room for one in rows]
    said = _said(rooms, after)
    newest = _newest(said)
    faces, counts = _people(rooms)
    conclusions = _conclusions(rows, after)
    return [
        {
            "id": one.pk,
            "anchor": one.anchor_id,
            "title": one.room.name,
            "access": one.room.visibility,
            "state": one.room.state,
            "created_by": one.room.created_by and one.room.created_by.public(),
            "created_at": iso(one.room.created_at),
            "replies": said.get(one.pk, (0, 0))[0],
            "last": newest.get(one.pk),
            "people": [seat.user.public() for seat in faces[one.pk]],
            "people_count": counts.get(one.pk, 0),
            "conclusion": conclusions.get(one.pk),
            "concluded_at": iso(one.concluded_at),
        }
        for one in rows
    ]


def _said(rooms: Collection[Room], after: int) -> dict[int, tuple[int, int]]:
    """By room: how many messages of people and robots, and the newest of them."""
    counted = (
        Message.objects.filter(room__in=rooms, kind=Message.Kind.TEXT, pk__gt=after)
        .filter(deleted_at__isnull=True)
        .exclude(audience=Audience.ONLY)
        .values_list("room")
        .annotate(Count("pk"), Max("pk"))
        .order_by()
    )
    return {room: (count, newest) for room, count, newest in counted}


def _newest(said: dict[int, tuple[int, int]]) -> dict[int, Stub]:
    found = Message.objects.filter(pk__in=[newest for _, newest in said.values()])
    return {
        message.room_id: {
            "id": message.pk,
            "author": message.author.public(),
            "created_at": iso(message.created_at),
        }
        for message in found.select_related("author")
    }


def _conclusions(sidebars: Collection[Sidebar], after: int) -> dict[int, int]:
    """By side-bar: the message that says what came of it, where it was not whispered."""
    told = Sidebar.objects.filter(pk__in=[one.pk for one in sidebars], conclusion__gt=after)
    told = told.exclude(conclusion__audience=Audience.ONLY)
    return dict(told.values_list("pk", "conclusion"))


def _people(rooms: Collection[Room]) -> tuple[dict[int, list[Participant]], dict[int, int]]:
    """By room: those who came first, and how many there are."""
    place = Window(RowNumber(), partition_by=F("room"), order_by=F("pk").asc())
    seats = Participant.objects.filter(room__in=rooms).annotate(place=place)
    faces: dict[int, list[Participant]] = defaultdict(list)
    for seat in seats.filter(place__lte=FACES).select_related("user").order_by("pk"):
        faces[seat.room_id].append(seat)
    numbers = Participant.objects.filter(room__in=rooms).values_list("room")
    return faces, dict(numbers.annotate(Count("pk")).order_by())
