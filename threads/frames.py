"""What side-bars add to the socket: `sidebar` frames, and what `joined` tells of them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts.prepared import prepared
from live import database, feed, frames, protocol
from live.gathering import Gathering
from live.hub import Hub
from live.protocol import Viewer
from messages.audience import Reader
from messages.models import Message
from rooms.models import Participant, Room
from rooms.modes import Role
from threads import stubs
from threads.models import Sidebar

logger = logging.getLogger(__name__)

KIND = "sidebar"
TOLD = 100
"""Side-bars that `joined` tells of: those opened last."""
AT_ONCE = 100
"""Side-bars of one look: a query names them one by one."""
INTERVAL = 1.0
"""Seconds between two frames about one side-bar."""


@protocol.tells("sidebars")
def sidebars(viewers: Sequence[Viewer]) -> list[object]:
    """The stubs beside messages of the room that each viewer may see, each read once for all whose
    history begins at one place: they are told the same of it.
    """
    having = set(_having_sidebars(rooms={viewer.seat.room_id for viewer in viewers}))
    known = [_newest_for(one.seat) if one.seat.room_id in having else [] for one in viewers]
    starts = [Reader.of(viewer.seat).history_from for viewer in viewers]
    shown: dict[int, dict[int, Sidebar]] = defaultdict(dict)
    for start, some in zip(starts, known, strict=True):
        shown[start].update({one.pk: one for one in some})
    told = {
        start: {stub["id"]: stub for stub in stubs.encode(some.values(), after=start)}
        for start, some in shown.items()
    }
    return [
        [told[start][one.pk] for one in some] for start, some in zip(starts, known, strict=True)
    ]


@prepared("rooms")
def _having_sidebars(rooms: Collection[int]) -> QuerySet[Room, int | None]:
    within = Room.objects.filter(parent__in=rooms)
    return within.values_list("parent", flat=True).distinct().order_by()


def _newest_for(viewer: Participant) -> list[Sidebar]:
    if viewer.role == Role.CUSTOMER:
        return []
    return stubs.newest_stubs(user=viewer.user_id, room=viewer.room_id, most=TOLD)


@dataclass(frozen=True)
class Look:
    """A side-bar as it is told of in the room around it."""

    pk: int
    anchor: Message
    people: Collection[int] | None
    """Those who may know of it; None for all around it but customers."""
    own_people_revision: int
    """Of its own room, read before those people."""
    people_revision: int
    """Of the room around it, when all this was read."""
    frame: str
    own_frame: str
    """For whoever wrote the anchor."""

    def is_for(self, reader: Reader) -> bool:
        """The mirror of `Sidebar.objects.visible_to`."""
        if reader.role == Role.CUSTOMER or not reader.sees(self.anchor):
            return False
        return self.people is None or reader.user in self.people

    def frame_for(self, reader: Reader) -> str:
        return self.own_frame if reader.user == self.anchor.author_id else self.frame


@protocol.hears(KIND)
class Board:
    """The news of side-bars in one process, told at most once a second of each."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.news = Gathering(hub, self._tell_some, interval=INTERVAL, at_once=AT_ONCE)

    def __call__(self, news: Mapping[str, Any]) -> None:
        """A side-bar has news for those who sit in the room around it."""
        room = self._hub.rooms.get(news["room"])
        if room is not None and room.seats:
            self.news.note([news["sidebar"]])

    async def _tell_some(self, pks: Collection[int]) -> None:
        try:
            for look in await database.run(_look, pks):
                self._tell(look)
        except Exception:
            logger.exception("Side-bars could not be told of; trying again.")
            self.news.note(pks)

    def _tell(self, look: Look) -> None:
        room = self._hub.rooms.get(look.anchor.room_id)
        if room is None:
            return
        if room.people_revision != look.people_revision:
            self._hub.puller.want(room.pk)  # our roster or the look is old: rather tell it later
            self.news.note([look.pk])
            return
        own = self._hub.rooms.get(look.pk)
        if own is not None and own.people_revision > look.own_people_revision:
            self.news.note([look.pk])  # somebody was shown out since
            return
        for seat in room.seats:
            if seat.holds:
                self.news.note([look.pk])  # what is being read for it may be older than this
                continue
            listener = room.roster.get(seat.socket.user_id)
            if listener is not None and look.is_for(listener.reader):
                seat.socket.send(look.frame_for(listener.reader))


def _look(pks: Collection[int]) -> list[Look]:
    """Side-bars as they now are: what is told of them is read before who may know it."""
    around = ("anchor__room", "room__created_by")
    found = list(Sidebar.objects.filter(pk__in=pks).select_related(*around))
    told, own = _frames(found, after=0), _own_frames(found)
    people = _people_of_private(found)
    revisions = feed.people_revisions({one.anchor.room_id for one in found})
    return [
        Look(
            pk=one.pk,
            anchor=one.anchor,
            people=None if one.room.is_open_sidebar else people[one.pk],
            own_people_revision=one.room.people_revision,
            people_revision=revisions.get(one.anchor.room_id, 0),
            frame=told[one.pk],
            own_frame=own.get(one.pk, told[one.pk]),
        )
        for one in found
    ]


def _frames(found: Collection[Sidebar], *, after: int) -> dict[int, str]:
    rooms = {one.pk: one.anchor.room_id for one in found}
    return {
        stub["id"]: frames.write(
            "sidebar", room=rooms[stub["id"]], anchor=stub["anchor"], sidebar=stub
        )
        for stub in stubs.encode(found, after=after)
    }


def _own_frames(found: Collection[Sidebar]) -> dict[int, str]:
    """For authors of anchors who left and came back, to where history begins with one's coming.

    Whoever else sees an anchor sees all beside it: what is said there is newer.
    """
    seats = Participant.objects.filter(
        room__history=Room.History.JOINED,
        room__in={one.anchor.room_id for one in found},
        user__in={one.anchor.author_id for one in found},
    )
    starts = {(seat.room_id, seat.user_id): seat.history_from for seat in seats}
    own: dict[int, str] = {}
    for one in found:
        start = starts.get((one.anchor.room_id, one.anchor.author_id), 0)
        if start > one.anchor_id:
            own |= _frames([one], after=start)
    return own


def _people_of_private(found: Collection[Sidebar]) -> dict[int, set[int]]:
    people: dict[int, set[int]] = defaultdict(set)
    private = [one.pk for one in found if not one.room.is_open_sidebar]
    for room, user in Participant.objects.filter(room__in=private).values_list("room", "user"):
        people[room].add(user)
    return people
