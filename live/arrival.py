"""What sockets are told when they come: their rooms, and what they missed in the one they join.

Those who come at the same time are told by one look at the database, with a question of each kind
for all of them. What several may see alike is read and encoded once: `live/foyer.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import QuerySet

from accounts.errors import NotFound
from accounts.models import Login, User
from accounts.prepared import prepared
from live import feed
from live.foyer import Comer, Foyer, Telling
from live.room import Listener
from messages.models import Message
from rooms.models import Participant, Room


class Asked(NamedTuple):
    """Somebody's socket that joins a room, from a cursor or afresh."""

    user: User
    room: int
    sealed: str | None
    html: bool


@dataclass(frozen=True)
class Arrival:
    """A socket's way into a room: what to send, and from which revision on to go on live."""

    listener: Listener
    mode: str
    after: int
    frames: list[str]
    shown: list[Message]
    """Of the messages in the frames those that are being written, or are newer than `after`."""


@dataclass(frozen=True)
class Membership:
    listener: Listener
    mode: str
    revision: int


Memberships = dict[int, Membership]
"""All rooms of a user, each with where its feed ends."""


def read_memberships(logins: Sequence[Login]) -> list[Memberships | None]:
    """Of those whose login is not over; None for the others."""
    live = Login.objects.live_among({login.pk for login in logins})
    found: dict[int, Memberships] = defaultdict(dict)
    for seat in _all_seats(users={login.user_id for login in live.values()}):
        listener = Listener.of(seat, as_of=seat.room.people_revision)
        found[seat.user_id][seat.room_id] = Membership(listener, seat.room.mode, seat.room.revision)
    return [found[login.user_id] if login.pk in live else None for login in logins]


@prepared("users")
def _all_seats(users: Collection[int]) -> QuerySet[Participant]:
    return Participant.objects.filter(user__in=users).select_related("room")


def read_arrivals(
    asked: Sequence[Asked], *, here: Mapping[int, Collection[int]]
) -> list[Arrival | Exception]:
    """What each of them is told; NotFound for who has no seat in the room. `here` are, by room,
    users with sockets in it in this process.

    The rooms are read before the seats, and the seats before the rows: whatever changes meanwhile
    is newer than `after`, and is told once more. Where that is what some may see, all is read anew:
    a row may be newer than the right by which it was to be shown.
    """
    rooms = {room.pk: room for room in _rooms(pks={one.room for one in asked})}
    answers = _answer(asked, rooms, here)
    now = feed.people_revisions(rooms)
    moved = {pk for pk, room in rooms.items() if now.get(pk) != room.people_revision}
    if not moved:
        return answers
    anew = iter(read_arrivals([one for one in asked if one.room in moved], here=here))
    return [
        next(anew) if one.room in moved else answer
        for one, answer in zip(asked, answers, strict=True)
    ]


def _answer(
    asked: Sequence[Asked], rooms: Mapping[int, Room], here: Mapping[int, Collection[int]]
) -> list[Arrival | Exception]:
    known = _seats(rooms=set(rooms), users={one.user.pk for one in asked})
    seats = {(seat.room_id, seat.user_id): seat for seat in known}
    comers: list[Comer | None] = []
    for one in asked:
        seat = seats.get((one.room, one.user.pk))
        if seat is None:
            comers.append(None)
            continue
        seat.room, seat.user = rooms[one.room], one.user
        comers.append(Comer(seat, one.sealed, one.html))
    foyer = Foyer([comer for comer in comers if comer is not None], here=here)
    return [NotFound() if comer is None else _arrival(comer, foyer.tell(comer)) for comer in comers]


def _arrival(comer: Comer, told: Telling) -> Arrival:
    room = comer.room
    listener = Listener.of(comer.seat, as_of=room.people_revision)
    shown = [
        row
        for row in told.rows
        if row.status == Message.Status.STREAMING or row.revision > room.revision
    ]
    return Arrival(listener, room.mode, room.revision, told.frames, shown)


@prepared("pks")
def _rooms(pks: Collection[int]) -> QuerySet[Room]:
    return Room.objects.filter(pk__in=pks)


@prepared("rooms", "users")
def _seats(rooms: Collection[int], users: Collection[int]) -> QuerySet[Participant]:
    return Participant.objects.filter(room__in=rooms, user__in=users)
