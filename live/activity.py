"""What goes on in rooms that a socket has not joined: how much is unread there."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from accounts.models import User
from live import database, frames
from messages.overview import seats_with_counts
from rooms.models import Room

if TYPE_CHECKING:
    from live.hub import Hub

logger = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two frames about one room."""

Counts = list[tuple[int, int, int]]


class Activity:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._noted: dict[int, set[int]] = defaultdict(set)
        """Users by room. A crowd's is noted many times a second, and looked through once."""
        self._filled = asyncio.Event()

    def note(self, room: int, users: Iterable[int]) -> None:
        """Something these users may see happened in the room, or they read there."""
        self._noted[room].update(users)
        self._filled.set()

    async def run(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            noted, self._noted = self._noted, defaultdict(set)
            for user, rooms in self._elsewhere(noted).items():
                try:
                    await self._tell(user, rooms)
                except Exception:
                    logger.exception("Activity could not be counted.")
            await asyncio.sleep(INTERVAL)

    def _elsewhere(self, noted: Mapping[int, Iterable[int]]) -> dict[int, set[int]]:
        """By user, the rooms that a socket of theirs has not joined."""
        rooms: dict[int, set[int]] = defaultdict(set)
        for room, users in noted.items():
            for user in users:
                if any(room not in socket.seats for socket in self._hub.sockets.get(user, ())):
                    rooms[user].add(room)
        return rooms

    async def _tell(self, user: int, rooms: set[int]) -> None:
        """A query for each user, since the rule of what one may see is asked for one at a time; and
        one after the other, so that counting takes no more than one of the pool's threads.
        """
        sockets = self._hub.sockets.get(user)
        if not sockets:
            return
        counts = await database.run(_count, next(iter(sockets)).user, rooms)
        for room, unread, mentions in counts:
            frame = frames.write("activity", room=room, unread=unread, mentions=mentions)
            for socket in self._hub.sockets.get(user, ()):
                if room not in socket.seats:
                    socket.send(frame)


def _count(user: User, rooms: set[int]) -> Counts:
    seats = seats_with_counts(user, Room.objects.filter(pk__in=rooms))
    return [(seat.room_id, seat.unread, seat.mentioned) for seat in seats]
