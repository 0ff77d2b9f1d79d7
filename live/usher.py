"""Who sits where: sockets are led into rooms, told what they missed, and shown out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from accounts.errors import NotFound
from accounts.models import Login
from live import arrival, database, frames
from live.room import LiveRoom, Seat
from live.together import Together
from rooms.models import Room

if TYPE_CHECKING:
    from live.hub import Hub
    from live.socket import Socket

logger = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds a client has to take what it was told, before it is told to start over."""


class Usher:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.memberships = Together(self._read_memberships, hub.turn)
        """Asked of logins: the rooms of their users, None where a login is over."""
        self._arrivals = Together(self._read_arrivals, hub.turn)

    async def join(self, socket: Socket, room_id: int, sealed: str | None) -> None:
        """Seat a socket in a room and tell it what it missed. Raises NotFound."""
        await socket.repaid()
        room = self._hub.room(room_id)
        seat = socket.seats.get(room_id) or Seat(socket, room)
        seat.hold()
        seat.room = room
        room.seats.add(seat)
        try:
            asked = arrival.Asked(socket.user, room_id, sealed, socket.html)
            await self._catch_up(seat, lambda: self._come_in(asked))
        except BaseException:
            room.seats.discard(seat)
            socket.seats.pop(room_id, None)
            self._hub.forget_if_empty(room)
            raise
        if socket.is_over:
            room.seats.discard(seat)
            self._hub.forget_if_empty(room)
        else:
            socket.seats[room_id] = seat

    async def _come_in(self, asked: arrival.Asked) -> arrival.Arrival:
        """Who has no seat may take one in an open side-bar, and is then told as the others are."""
        try:
            return await self._arrivals.ask(asked)
        except NotFound:
            await database.run(Room.objects.seat_in, asked.room, asked.user)
        return await self._arrivals.ask(asked)

    def _read_memberships(
        self, logins: Sequence[Login]
    ) -> Awaitable[Sequence[arrival.Memberships | None]]:
        return database.run(arrival.read_memberships, logins)

    def _read_arrivals(
        self, asked: Sequence[arrival.Asked]
    ) -> Awaitable[Sequence[arrival.Arrival | Exception]]:
        here = {room: self._who_is_here(room) for room in {one.room for one in asked}}
        return database.run(arrival.read_arrivals, asked, here=here)

    def _who_is_here(self, room_id: int) -> set[int]:
        room = self._hub.rooms.get(room_id)
        return {user for user in room.roster if user in self._hub.sockets} if room else set()

    def leave(self, socket: Socket, room_id: int) -> None:
        seat = socket.seats.pop(room_id, None)
        if seat is not None:
            seat.room.seats.discard(seat)

    async def _catch_up(self, seat: Seat, read: Callable[[], Awaitable[arrival.Arrival]]) -> None:
        async with seat.turn:
            seat.hold()
            while True:
                came = await read()
                if self._hub.is_fresh(seat.room.pk, came.listener.as_of, came.after):
                    break
            if not seat.socket.is_over and seat in seat.room.seats:
                self._seat(seat, came)

    def _seat(self, seat: Seat, came: arrival.Arrival) -> None:
        """Tell a socket what it is to be told, and let it hear what comes."""
        room, socket = seat.room, seat.socket
        if self._hub.rooms.get(room.pk) is not room:
            self._hub.rooms[room.pk] = room
        self._hub.enlist(room, came.listener)
        self._hub.place(room, came.mode, came.after, came.listener.as_of)
        seat.view_since = came.listener.view_since
        if any(message.revision > (room.mark or 0) for message in came.shown):
            self._hub.puller.want(room.pk)  # the others here have yet to be told
        socket.owe(came.frames)
        self._hub.streams.note(came.shown, came.listener.as_of)
        seat.release(after=came.after, shown=came.shown)
        self._hub.streams.tell_all_of(room)

    def show_out(self, room: LiveRoom, user: int, reason: str) -> None:
        room.roster.pop(user, None)
        self._hub.rooms_of[user].discard(room.pk)
        for socket in self._hub.sockets.get(user, ()):
            self.leave(socket, room.pk)
            socket.send(frames.write("left", room=room.pk, reason=reason))

    def start_over(self, seat: Seat) -> None:
        """What this seat may see has changed: it drops what it has and joins afresh."""
        seat.hold()
        if not seat.is_to_start_over:
            seat.is_to_start_over = True
            self._hub.spawn(self._begin_again(seat))

    async def _come_in_again(self, seat: Seat) -> arrival.Arrival:
        room, socket = seat.room.pk, seat.socket
        came = await self._arrivals.ask(arrival.Asked(socket.user, room, None, socket.html))
        return replace(came, frames=[frames.write("reset", room=room), *came.frames])

    async def _begin_again(self, seat: Seat) -> None:
        """Once the client has taken what it was told last: nobody's role changes so often that
        what was never taken may pile up.
        """
        socket = seat.socket
        try:
            async with asyncio.timeout(PATIENCE):
                await socket.repaid()
        except TimeoutError:
            socket.begin_to_close("too_slow")
        while not socket.is_over:
            seat.is_to_start_over = False
            try:
                await self._catch_up(seat, lambda: self._come_in_again(seat))
            except NotFound:
                self.show_out(seat.room, socket.user_id, "removed")
            except Exception:
                logger.exception("A room could not be started over; trying again.")
                await asyncio.sleep(database.RETRY)
                continue
            return
