"""The hub: one in each server process. It knows who sits here, and hands on what is new.

The database is the truth; a wake says where to look, and may bring what is there. Whatever is lost
on the way is found by the next wake, or by the head check.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings

from accounts.models import Login
from live import credentials, database, ephemeral, feed, layer, metrics, protocol
from live.activity import Activity
from live.bulletin import Bulletin
from live.floods import FloodGuard
from live.lanes import Lane
from live.presence import PresenceBoard
from live.puller import Puller
from live.room import Listener, LiveRoom
from live.socket import Socket
from live.streams import Streams
from live.together import Together, shared_turn
from live.typesetting import Typesetter
from live.usher import Usher

logger = logging.getLogger(__name__)

TIDYING = 1.0
"""Seconds a cancelled task may take."""

_current: Hub | None = None


def current() -> Hub | None:
    """This process's hub, if it serves sockets."""
    return _current


def in_hub(work: Callable[[Hub], None]) -> None:
    """Have the hub do something, from any thread. Without a hub here there is nothing to do."""
    hub = _current
    if hub is not None and not hub.loop.is_closed():
        hub.loop.call_soon_threadsafe(work, hub)


class Hub:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.process = secrets.token_hex(8)
        self.rooms: dict[int, LiveRoom] = {}
        self.sockets: dict[int, set[Socket]] = defaultdict(set)
        self.rooms_of: dict[int, set[int]] = defaultdict(set)
        """Of users with sockets here, the rooms whose roster they are in."""
        self.lane = Lane()
        self.turn = shared_turn()
        """Of the questions that those who come have."""
        self.door = Together(self._authenticate, self.turn)
        self.floods = FloodGuard()
        self.activity = Activity(self)
        self.presence = PresenceBoard(self)
        self.streams = Streams(self)
        self.usher = Usher(self)
        self.puller = Puller(self)
        self.hearers = protocol.hearers_of(self)
        self._subscription = layer.Subscription()
        self._tasks: set[asyncio.Task[None]] = set()

    # Life

    async def start(self) -> None:
        global _current
        _current = self
        loops: list[Coroutine[Any, Any, None]] = [
            self.puller.run(),
            self._check_heads_forever(),
            self.activity.run(),
            self.presence.run(),
            self.streams.run(),
            Typesetter(self).run(),
        ]
        if layer.is_shared():
            loops.append(self._listen())
        self._tasks = {asyncio.create_task(loop) for loop in loops}

    async def stop(self) -> None:
        """Say good-bye on every socket; what was posted is committed first."""
        global _current
        await self.lane.finished()
        farewells = [socket.close("restarting") for socket in self.all_sockets()]
        await asyncio.gather(*farewells, return_exceptions=True)
        await self._end_tasks()
        await self.presence.withdraw()
        if _current is self:
            _current = None
        await asyncio.to_thread(database.close)

    async def _end_tasks(self) -> None:
        """Cancel what runs. One that tidies up behind itself, with a layer that does not answer,
        is cancelled in that too.
        """
        running = set(self._tasks)
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=TIDYING)

    # Who sits here

    def all_sockets(self) -> list[Socket]:
        return [socket for sockets in self.sockets.values() for socket in sockets]

    def _authenticate(
        self, shown: Sequence[credentials.Shown]
    ) -> Awaitable[Sequence[Login | Exception]]:
        return database.run(credentials.authenticate, shown)

    async def attend(self, socket: Socket) -> None:
        """Note a new socket in all rooms of its user, so that it hears of their activity."""
        most = settings.CHAT_SOCKETS_PER_USER
        if settings.CHAT_THROTTLES and len(self.sockets[socket.user_id]) >= most:
            socket.begin_to_close("misbehaving")
            return
        self.sockets[socket.user_id].add(socket)
        metrics.SOCKETS.inc()
        self.presence.touch(socket.user_id)
        while True:
            memberships = await self.usher.memberships.ask(socket.login)
            if memberships is None:
                socket.begin_to_close("signed_out")  # it ended before we would have heard of it
                return
            if all(self.is_fresh(pk, m.listener.as_of) for pk, m in memberships.items()):
                break
        if socket not in self.sockets.get(socket.user_id, ()):
            return
        for pk, membership in memberships.items():
            room = self.room(pk)
            self.enlist(room, membership.listener)
            self.place(room, membership.mode, membership.revision, membership.listener.as_of)

    def depart(self, socket: Socket) -> None:
        """Forget a socket and, with the last of its user, the rooms that nobody here is in."""
        for seat in socket.seats.values():
            seat.room.seats.discard(seat)
        socket.seats.clear()  # which hold the socket
        sockets = self.sockets.get(socket.user_id, set())
        if socket not in sockets:
            return
        metrics.SOCKETS.dec()
        sockets.discard(socket)
        self.presence.touch(socket.user_id)
        if sockets:
            return
        del self.sockets[socket.user_id]
        for pk in self.rooms_of.pop(socket.user_id, ()):
            room = self.rooms[pk]
            del room.roster[socket.user_id]
            self.forget_if_empty(room)

    def enlist(self, room: LiveRoom, listener: Listener) -> None:
        user = listener.reader.user
        room.roster[user] = listener
        self.rooms_of[user].add(room.pk)

    def is_fresh(self, room_id: int, as_of: int, after: int | None = None) -> bool:
        """Whether what was read of a room's people is no older than what is known of them.

        What was read of its messages up to `after` must reach to where its feed began here.
        """
        room = self.rooms.get(room_id)
        if room is None:
            return True
        return as_of >= room.people_revision and (after is None or after >= room.began)

    def room(self, pk: int) -> LiveRoom:
        room = self.rooms.get(pk)
        if room is None:
            room = self.rooms[pk] = LiveRoom(pk)
            metrics.ROOMS.set(len(self.rooms))
            if layer.is_shared():
                self.spawn(self._hear_of(pk))
        return room

    async def _hear_of(self, pk: int) -> None:
        """Listen to a room's wakes, then look for what was said before we did."""
        await self._subscription.join(layer.shard_of(pk))
        self.puller.want(pk)

    def place(self, room: LiveRoom, mode: str, revision: int, as_of: int) -> None:
        """Begin a room's feed here, where nobody has yet; and look whether it went on meanwhile."""
        if room.mark is None:
            room.mode, room.mark, room.people_revision = mode, revision, as_of
            room.began = revision
            self.puller.want(room.pk)
        elif room.people_revision < as_of:
            self.puller.want(room.pk)

    def forget_if_empty(self, room: LiveRoom) -> None:
        if room.roster or room.seats or self.rooms.get(room.pk) is not room:
            return
        del self.rooms[room.pk]
        metrics.ROOMS.set(len(self.rooms))
        shard = layer.shard_of(room.pk)
        if layer.is_shared() and not any(layer.shard_of(pk) == shard for pk in self.rooms):
            self.spawn(self._subscription.leave(shard))

    # What is new

    def wake(self, room_id: int, revision: int, users: Iterable[int] = ()) -> None:
        """A room has gone on to `revision`; `users` are those who came in."""
        newcomers = [user for user in users if user in self.sockets]
        if newcomers:
            self.room(room_id).expected.update(newcomers)
        room = self.rooms.get(room_id)
        if room is not None and (room.expected or room.mark is None or room.mark < revision):
            self.puller.want(room_id)

    def hand_over(self, bulletin: Bulletin) -> None:
        """What was committed, as it is: no need to read it again, if nothing lies between."""
        room = self.rooms.get(bulletin.room)
        if room is None:
            return
        if room.continues(bulletin):
            self.hand_on(room, bulletin)
        elif room.mark is None or room.mark < bulletin.end:
            self.puller.want(room.pk)

    def hand_on(self, room: LiveRoom, bulletin: Bulletin) -> None:
        if room.seats:
            self.streams.note(bulletin.messages, bulletin.people_revision)
        seeing = room.hand_on(bulletin)
        metrics.BULLETINS.inc()
        self.activity.note(room.pk, seeing)

    # News that is not kept

    def tell(self, news: Mapping[str, Any]) -> None:
        """Ephemeral news, from here or from another process."""
        kind = news["kind"]
        if kind in ephemeral.TELLERS:
            ephemeral.TELLERS[kind](self, news)
        elif kind in self.hearers:  # or a newer release is running beside this one
            self.hearers[kind](news)

    def publish(self, group: str, news: Mapping[str, Any]) -> None:
        """Tell it here, and to the other processes."""
        self.tell(news)
        layer.publish(group, {"origin": self.process, "news": dict(news)})

    async def _listen(self) -> None:
        await self._subscription.join(layer.EVERY_PROCESS)
        async for message in self._subscription:
            if message.get("origin") == self.process:
                continue
            try:
                self.hear(message)
            except Exception:
                logger.exception("A message of the channel layer could not be used.")

    def hear(self, message: Mapping[str, Any]) -> None:
        """What another process tells. Of rooms whose news came along nothing is left to look at."""
        for carried in message.get("carried", ()):
            try:
                self.hand_over(Bulletin.heard(carried))
            except Exception:  # a newer release is running beside this one: its wake follows
                logger.exception("What another process told could not be used.")
        for room, revision, users in message.get("rooms", ()):
            self.wake(room, revision, users)
        if "news" in message:
            self.tell(message["news"])

    # What heals

    async def _check_heads_forever(self) -> None:
        while True:
            await asyncio.sleep(settings.CHAT_HEAD_CHECK_INTERVAL)
            try:
                await self.check_heads()
            except Exception:
                logger.exception("The heads could not be read; trying again later.")

    async def check_heads(self) -> None:
        """Find what no wake told: news, new rooms of those who are here, logins that ended."""
        self.spawn(self._subscription.mend())  # a host that does not answer keeps nothing waiting
        for room, revision in (await database.run(feed.heads, list(self.rooms))).items():
            self.wake(room, revision)
        for user, room_id in await database.run(feed.newcomers):
            known = self.rooms.get(room_id)
            if known is None or user not in known.roster:
                self.wake(room_id, 0, [user])
        await self._end_dead_logins()

    async def _end_dead_logins(self) -> None:
        ids = {socket.login.pk for socket in self.all_sockets()}
        live = await database.run(Login.objects.live_among, ids)
        for socket in self.all_sockets():
            if socket.login.pk in live:
                socket.login = live[socket.login.pk]
            elif socket.login.pk in ids:
                self.spawn(socket.close("signed_out"))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside. The task is held until it is done, or it could be collected."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
