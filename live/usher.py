"""Who sits where: sockets are led into rooms, told what they missed, and shown out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from accounts.errors import NotFound
from live import arrival, database, frames
from live.room import LiveRoom, Seat

if TYPE_CHECKING:
    from live.hub import Hub
    from live.socket import Socket

logger = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds a client has to take what it was told, before it is told to start over."""


class Usher:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def join(self, socket: Socket, room_id: int, sealed: str | None) -> None:
        """Seat a socket in a room and tell it what it missed. Raises NotFound."""
        await socket.repaid()
        room = self._hub.room(room_id)
        seat = socket.seats.get(room_id) or Seat(socket, room)
        seat.hold()
        seat.room = room
        room.seats.add(seat)
        try:
            await self._catch_up(
                seat,
                lambda here: database.run(
                    arrival.read_arrival,
                    socket.user,
                    room_id,
                    sealed=sealed,
                    html=socket.html,
                    here=here,
                ),
            )
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

    def leave(self, socket: Socket, room_id: int) -> None:
        seat = socket.seats.pop(room_id, None)
        if seat is not None:
            seat.room.seats.discard(seat)

    async def _catch_up(
        self, seat: Seat, read: Callable[[list[int]], Coroutine[Any, Any, arrival.Arrival]]
    ) -> None:
        async with seat.turn:
            seat.hold()
            while True:
                came = await read([user for user in seat.room.roster if user in self._hub.sockets])
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
            self._hub.spawn(self._read_afresh(seat))

    async def _read_afresh(self, seat: Seat) -> None:
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
                await self._catch_up(
                    seat,
                    lambda here: database.run(
                        arrival.read_afresh, socket.user, seat.room.pk, html=socket.html, here=here
                    ),
                )
            except NotFound:
                self.show_out(seat.room, socket.user_id, "removed")
            except Exception:
                logger.exception("A room could not be started over; trying again.")
                await asyncio.sleep(database.RETRY)
                continue
            return
