"""Who is here: sockets counted in each process, told to the others by rows that expire."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.prepared import prepared
from accounts.status import Status, told_to
from accounts.times import iso
from live import database, feed, frames, layer
from live.models import Presence, Standing
from live.people import may_know
from rooms.models import Participant, Room

if TYPE_CHECKING:
    from live.hub import Hub
    from live.socket import Socket

logger = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two frames about one user."""


class Seen(NamedTuple):
    """Where somebody may be seen: a room, and as what they are in it."""

    room: int
    role: str


class PresenceBoard:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._touched: set[int] = set()
        self._heard: set[int] = set()
        self._told: dict[int, str] = {}
        self._written: dict[int, str] = {}
        self._renewed = 0.0

    def touch(self, user: int) -> None:
        """Their sockets here have changed."""
        self._touched.add(user)

    def hear(self, users: Iterable[int]) -> None:
        """Their standing in another process has changed."""
        self._heard.update(users)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self._write()
                await self._renew()
                await self._tell()
            except Exception:
                logger.exception("Presence could not be told; trying again.")

    async def withdraw(self) -> None:
        """This process ends: nobody is here any more."""
        try:
            await database.run(_let_go, self._hub.process, None)
        except Exception:
            logger.exception("Presence could not be withdrawn; its lease will end.")

    def _standing_here(self, user: int) -> str | None:
        sockets = self._hub.sockets.get(user)
        if not sockets:
            return None
        everywhere_away = all(socket.away for socket in sockets)
        return Presence.State.AWAY if everywhere_away else Presence.State.ONLINE

    async def _write(self) -> None:
        """Write down what changed here. What cannot be written now is written next time."""
        touched, self._touched = self._touched, set()
        states = {user: self._standing_here(user) for user in touched}
        present = {u: s for u, s in states.items() if s and s != self._written.get(u)}
        gone = {user for user, state in states.items() if state is None and user in self._written}
        if not present and not gone:
            return
        try:
            await database.run(_write, self._hub.process, present, gone)
        except Exception:
            self._touched |= touched
            raise
        self._written.update(present)
        for user in gone:
            self._written.pop(user, None)
        users = [*present, *gone]
        self._heard.update(users)
        self._publish(users)

    async def _renew(self) -> None:
        """Hold our leases, and look for what no news told: who came, went or died elsewhere."""
        now = self._hub.loop.time()
        if now - self._renewed < settings.CHAT_PRESENCE_RENEW:
            return
        self._renewed = now
        kept, expired, newcomers = await database.run(_renew, self._hub.process)
        if kept < len(self._written):  # we were so late that another took us for dead
            self._touched.update(self._written)
            self._written = dict.fromkeys(self._written, Presence.State.OFFLINE)
        self._heard.update(expired, newcomers)
        if layer.is_shared():
            self._heard.update(self._told)
        if expired:
            self._publish(expired)

    def _publish(self, users: list[int]) -> None:
        news = {"kind": "presence", "users": users}
        layer.publish(layer.EVERY_PROCESS, {"origin": self._hub.process, "news": news})

    async def _tell(self) -> None:
        heard, self._heard = self._heard, set()
        if not heard:
            return
        try:
            standing, seen, revisions = await database.run(_look, heard, set(self._hub.rooms))
        except Exception:
            self._heard |= heard
            raise
        outdated = self._outdated(revisions)
        for user in heard:
            if any(one.room in outdated for one in seen.get(user, ())):
                self._heard.add(user)  # it is told once we know who may know it
                continue
            state, since = standing.get(user, Standing(Presence.State.OFFLINE, timezone.now()))
            if self._told.get(user) == state:
                continue
            self._remember(user, state)
            frame = frames.write("presence", user=user, state=state, since=iso(since))
            for socket in self._who_may_know(user, seen.get(user, ())):
                socket.send(frame)

    async def tell_status(self, user: int) -> None:
        """What they say of themselves now, to their own sockets and to colleagues around them.

        Lost news is made good by the next page: it says nothing that anybody relies on.
        """
        try:
            status, seen, revisions = await database.run(_read_status, user, set(self._hub.rooms))
        except Exception:
            logger.exception("A status could not be told.")
            return
        frame = frames.write("status", user=user, status=status)
        outdated = self._outdated(revisions)
        seen = [one for one in seen if one.room not in outdated]
        hearing = self._who_may_know(user, seen) | self._hub.sockets.get(user, set())
        for socket in hearing:
            if told_to(socket.user):
                socket.send(frame)

    def _outdated(self, revisions: Mapping[int, int]) -> set[int]:
        """Rooms that we know older people of than there are: some may have left meanwhile."""
        outdated = set()
        for pk, revision in revisions.items():
            room = self._hub.rooms.get(pk)
            if room is not None and room.roster and room.people_revision < revision:
                outdated.add(pk)
                self._hub.puller.want(pk)
        return outdated

    def _remember(self, user: int, state: str) -> None:
        if state == Presence.State.OFFLINE:
            self._told.pop(user, None)
        else:
            self._told[user] = state

    def _who_may_know(self, user: int, seen: Iterable[Seen]) -> set[Socket]:
        sockets: set[Socket] = set()
        for room_id, role in seen:
            room = self._hub.rooms.get(room_id)
            if room is None:
                continue
            for other, listener in room.roster.items():
                if other != user and may_know(room.mode, listener.reader.role, role):
                    sockets |= self._hub.sockets.get(other, set())
        return sockets


def _write(process: str, present: dict[int, str], gone: Collection[int]) -> None:
    if present:
        Presence.objects.hold(process, present)
    if gone:
        _let_go(process, gone)


def _let_go(process: str, users: Collection[int] | None) -> None:
    rows = Presence.objects.filter(process=process)
    if users is not None:
        rows = rows.filter(user__in=users)
    rows.let_go()


def _renew(process: str) -> tuple[int, list[int], list[int]]:
    """How many rows of ours there are; whose rows had expired; and who came lately."""
    kept = Presence.objects.renew(process)
    expired = list(Presence.objects.expired())
    if expired:
        Presence.objects.filter(pk__in=[row.pk for row in expired]).let_go()
    lately = timezone.now() - timedelta(seconds=2 * settings.CHAT_PRESENCE_RENEW)
    newcomers = Presence.objects.filter(since__gt=lately).exclude(process=process)
    return kept, [row.user_id for row in expired], list(newcomers.values_list("user", flat=True))


def _read_status(
    user: int, here: Collection[int]
) -> tuple[Status | None, list[Seen], dict[int, int]]:
    seen = _seen([user], here)[user]
    return User.objects.get(pk=user).status, seen, feed.people_revisions({s.room for s in seen})


def _look(
    users: Collection[int], here: Collection[int]
) -> tuple[dict[int, Standing], dict[int, list[Seen]], dict[int, int]]:
    """How users stand; where they are seen; and the revisions of those rooms' people, which are
    read after them. `here` are the rooms of those who may be told.
    """
    seen = _seen(users, here)
    revisions = feed.people_revisions({one.room for places in seen.values() for one in places})
    return Presence.objects.standing(users), seen, revisions


def _seen(users: Collection[int], here: Collection[int]) -> dict[int, list[Seen]]:
    """In which of the rooms that are not crowded users are seen."""
    # Rooms here are many, and those of somebody few: they are not named in the question.
    seats = [(user, Seen(room, role)) for user, room, role in _seats(users=users) if room in here]
    rooms = {one.room for _, one in seats}
    crowded = set(_crowded(pks=rooms, most=settings.CHAT_PRESENCE_MAX_ROOM))
    seen: dict[int, list[Seen]] = defaultdict(list)
    for user, one in seats:
        if one.room not in crowded:
            seen[user].append(one)
    return seen


@prepared("users")
def _seats(users: Collection[int]) -> QuerySet[Participant, tuple[int, int, str]]:
    return Participant.objects.filter(user__in=users).values_list("user", "room", "role")


@prepared("pks")
def _crowded(pks: Collection[int], most: int) -> QuerySet[Room, int]:
    return Room.objects.filter(pk__in=pks).crowded(most).values_list("pk", flat=True)
