"""The people of rooms, as those who look at them are told of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson
from django.conf import settings
from django.db.models import Count, QuerySet

from accounts.models import User
from accounts.prepared import prepared
from accounts.status import Status, told_to
from live.models import Presence, Standing
from messages.encoding import Encoded
from rooms.models import Participant
from rooms.modes import STAFF, Role, hidden_from

PEOPLE_TOLD = 100
"""People that are told of."""
FIRST = (Role.OWNER, Role.ROBOT, *sorted(STAFF))
"""Roles of those who are told of before others."""

Sight = tuple[int, tuple[str, ...]]
"""Whom one may know in a room: see `Participant.sight`."""


class Told(NamedTuple):
    """Somebody, as all are told of them who are told the same."""

    user: int
    encoded: Encoded
    json: orjson.Fragment


class Company:
    """The people around several viewers, whose `room` and `user` are at hand. What is told to all
    who see the same is read and encoded once. Queries: a constant few, and some a large room.
    """

    def __init__(
        self, viewers: Sequence[Participant], *, here: Mapping[int, Collection[int]]
    ) -> None:
        """`here`: by room, users with sockets in it in this process."""
        self._roles = _count_roles({viewer.sight[0] for viewer in viewers})
        self._seats = self._read_seats({(v.room_id, v.sight) for v in viewers}, here)
        told = {seat.user_id for seats in self._seats.values() for seat in seats}
        self._standing = Presence.objects.standing(told | {v.user_id for v in viewers})
        self._told: dict[tuple[int, Sight, bool], list[Told]] = {}

    def count(self, viewer: Participant) -> int:
        """How many the viewer is shown."""
        return self._count(*viewer.sight)

    def is_crowded(self, viewer: Participant) -> bool:
        """As `Room.is_crowded` has it."""
        place, _ = viewer.sight
        apart = {Role.ROBOT, Role.CUSTOMER} if viewer.room.is_open_sidebar else {Role.ROBOT}
        return bool(self._count(place, apart) > settings.CHAT_PRESENCE_MAX_ROOM)

    def around(self, viewer: Participant) -> list[Told]:
        """At most a hundred people of the room: the viewer, owners, staff and robots, who is here,
        and others.
        """
        key = (viewer.room_id, viewer.sight, told_to(viewer.user))
        if key not in self._told:
            seats = self._seats[viewer.room_id, viewer.sight]
            self._told[key] = [self._tell(viewer, seat) for seat in seats]
        others = [one for one in self._told[key] if one.user != viewer.user_id]
        return [self._tell(viewer, viewer), *others[: PEOPLE_TOLD - 1]]

    def _tell(self, viewer: Participant, seat: Participant) -> Told:
        encoded = _encode(viewer, seat, self._standing)
        return Told(seat.user_id, encoded, orjson.Fragment(orjson.dumps(encoded)))

    def _count(self, place: int, hidden: Collection[str]) -> int:
        return sum(n for role, n in self._roles.get(place, {}).items() if role not in hidden)

    def _read_seats(
        self, sights: Iterable[tuple[int, Sight]], here: Mapping[int, Collection[int]]
    ) -> dict[tuple[int, Sight], list[Participant]]:
        few = {place for _, (place, hidden) in sights if self._count(place, hidden) <= PEOPLE_TOLD}
        known: dict[int, list[Participant]] = defaultdict(list)
        for seat in _all_of(rooms=few) if few else ():
            known[seat.room_id].append(seat)
        return {
            (room, (place, hidden)): _those_first(known[place], hidden, here.get(room, ()))
            if place in few
            else _some_of(place, hidden, here.get(room, ()))
            for room, (place, hidden) in sights
        }


def people_of(viewer: Participant, here: Collection[int]) -> list[Encoded]:
    """At most a hundred people of the viewer's room; see `Company.around`."""
    company = Company([viewer], here={viewer.room_id: here})
    return [told.encoded for told in company.around(viewer)]


def told_of(viewer: Participant, seats: Collection[Participant]) -> list[Encoded]:
    """These people of the viewer's room, as the viewer is told of them."""
    standing = Presence.objects.standing([seat.user_id for seat in seats])
    return [_encode(viewer, seat, standing) for seat in seats]


def status_for(viewer: User, user: User) -> dict[str, Status]:
    """What they say of themselves, where they do and the viewer may be told."""
    status = user.status if told_to(viewer) else None
    return {"status": status} if status else {}


def may_know(mode: str, viewer_role: str, role: str) -> bool:
    """Whether one in a room is shown another as a person there."""
    return role not in hidden_from(mode, viewer_role)


def _encode(viewer: Participant, seat: Participant, standing: Mapping[int, Standing]) -> Encoded:
    known = standing.get(seat.user_id)
    return {
        **seat.user.public(),
        "role": seat.role,
        "presence": known.state if known else Presence.State.OFFLINE,
        **status_for(viewer.user, seat.user),
    }


def _those_first(
    seats: Iterable[Participant], hidden: Collection[str], here: Collection[int]
) -> list[Participant]:
    shown = [seat for seat in seats if seat.role not in hidden]
    return sorted(shown, key=lambda seat: (seat.role not in FIRST, seat.user_id not in here))


def _some_of(place: int, hidden: tuple[str, ...], here: Collection[int]) -> list[Participant]:
    """Each list is asked for by itself, so that a large room costs no more than a small one."""
    known = Participant.objects.but(place, hidden).select_related("user").order_by("pk")
    some = [
        *_people(room=place, hidden=hidden, roles=FIRST),
        *known.filter(user__in=list(here)[:PEOPLE_TOLD])[:PEOPLE_TOLD],
        *_people(room=place, hidden=hidden, roles=None),
    ]
    return list({seat.user_id: seat for seat in some}.values())[: PEOPLE_TOLD + 1]


def _count_roles(rooms: Collection[int]) -> Mapping[int, Mapping[str, int]]:
    """By room: how many have which role."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for room, role, number in _roles(rooms=rooms) if rooms else ():
        found[room][role] = number
    return found


@prepared("rooms")
def _roles(rooms: Collection[int]) -> QuerySet[Participant, tuple[int, str, int]]:
    seats = Participant.objects.filter(room__in=rooms).values_list("room", "role")
    return seats.annotate(Count("pk")).order_by()


@prepared("rooms")
def _all_of(rooms: Collection[int]) -> QuerySet[Participant]:
    return Participant.objects.filter(room__in=rooms).select_related("user").order_by("pk")


@prepared("room")
def _people(
    room: int, hidden: tuple[str, ...], roles: tuple[str, ...] | None
) -> QuerySet[Participant]:
    """One more than are told, where there are more."""
    found = Participant.objects.but(room, hidden).select_related("user").order_by("pk")
    if roles:
        found = found.filter(role__in=roles)
    return found[: PEOPLE_TOLD + 1]
