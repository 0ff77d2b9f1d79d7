"""Messages that are being written: deltas from whoever writes, handed on to who was shown them.

A socket is told where the frame that showed it the message ended, and on from there; so it never
matters when it came, or what was lost. What was not heard whole is read from the database, where
the writer leaves the text twice a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import F

from live import database, layer
from live.room import LiveRoom, Seat
from live.stream import Delta, Stream, Told
from messages.models import Message

if TYPE_CHECKING:
    from live.hub import Hub

__all__ = ["Delta", "Streams", "publish"]

logger = logging.getLogger(__name__)

INTERVAL = 0.3
"""Seconds between two looks at the database for what was not heard."""
QUIET = 1.0
"""Seconds after which something may have been lost that no later delta tells of."""
UNWATCHED = 10.0
"""Seconds for which what nobody here is shown is kept: its frame may be on the way."""


def publish(deltas: Sequence[Delta]) -> None:
    """Tell what was written since the last call, of many messages at once, from any thread.

    It may be lost: who writes also leaves the text in the database, by and by.
    """
    from live import hub  # which holds the streams, and so imports this

    if not deltas:
        return
    hub.in_hub(lambda our_hub: our_hub.streams.hear(deltas))
    ours = hub.current()
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for delta in deltas:
        groups[layer.shard_of(delta.room)].append(asdict(delta))
    for group, some in groups.items():
        news = {"kind": "deltas", "deltas": some}
        layer.publish(group, {"origin": ours.process if ours else None, "news": news})


class Row(NamedTuple):
    """A message as it stands in the database, with how far its room has come."""

    revision: int
    is_streaming: bool
    delta: Delta


class Streams:
    """The streams of rooms with seats here."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._streams: dict[int, Stream] = {}
        self.begun = asyncio.Event()
        """Set while there are any."""

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._streams.values()))

    def hear(self, deltas: Iterable[Delta]) -> None:
        for delta in deltas:
            try:
                self._hear(delta)
            except Exception:  # one that cannot be used takes no other with it
                logger.exception("A delta could not be handed on.")

    def note(self, messages: Iterable[Message], people_revision: int) -> None:
        """Take the text of messages that are about to be shown."""
        for message in messages:
            if message.status == Message.Status.STREAMING:
                self._take(_delta_of(message, people_revision))

    def tell(self, stream: Stream) -> None:
        """Bring everybody who was shown the message to where the text is now."""
        for seat, told in self.watchers(stream):
            self._bring(seat, told, stream)

    def tell_all_of(self, room: LiveRoom) -> None:
        for stream in self:
            if stream.room == room.pk:
                self.tell(stream)

    def watchers(self, stream: Stream) -> list[tuple[Seat, Told]]:
        """The seats that were shown this attempt, may hear of it, and keep up."""
        room = self._hub.rooms.get(stream.room)
        if room is None:
            return []
        if room.people_revision < stream.people_revision:
            self._hub.puller.want(room.pk)  # our roster is old: rather say nothing
            return []
        return [
            (seat, told)
            for seat in room.seats
            if (told := seat.told.get(stream.message)) is not None
            and told.attempt == stream.attempt
            and not seat.socket.is_behind
            and (listener := room.roster.get(seat.socket.user_id)) is not None
            and stream.is_heard_by(listener.reader)
        ]

    async def run(self) -> None:
        while True:
            await self.begun.wait()
            await asyncio.sleep(INTERVAL)
            try:
                self._tidy()
                await self._mend()
            except Exception:
                logger.exception("What is being written could not be read; trying again.")

    def _hear(self, delta: Delta) -> None:
        room = self._hub.rooms.get(delta.room)
        if room is None or not room.seats:
            return
        stream = self._take(delta)
        stream.heard_at = self._hub.loop.time()
        self.tell(stream)

    def _take(self, delta: Delta) -> Stream:
        stream = self._streams.get(delta.message)
        if stream is None:
            stream = self._streams[delta.message] = Stream(delta)
            stream.heard_at = self._hub.loop.time()
            self.begun.set()
        stream.take(delta)
        return stream

    def _bring(self, seat: Seat, told: Told, stream: Stream) -> None:
        if told.length < len(stream.text):
            seat.socket.send(stream.frame(told.length))
            told.length = len(stream.text)

    # What heals

    def _tidy(self) -> None:
        """Forget what nobody here is shown any more: it has ended, or they left."""
        now = self._hub.loop.time()
        for stream in self:
            room = self._hub.rooms.get(stream.room)
            unheard = now - stream.heard_at > UNWATCHED
            if room is None or not room.seats or (unheard and not _is_watched(room, stream)):
                del self._streams[stream.message]
        if not self._streams:
            self.begun.clear()

    async def _mend(self) -> None:
        """Read again what has gaps, and what has been quiet for so long that some may be lost."""
        now = self._hub.loop.time()
        wanted = [stream for stream in self if self._is_wanting(stream, now)]
        if not wanted:
            return
        rows = await database.run(_read, [stream.message for stream in wanted])
        for stream in wanted:
            stream.asked_at = now
            row = rows.get(stream.message)
            if row is not None and self._streams.get(stream.message) is stream:
                self._take_row(stream, row)

    def _is_wanting(self, stream: Stream, now: float) -> bool:
        quiet = now - max(stream.heard_at, stream.asked_at) > QUIET
        room = self._hub.rooms.get(stream.room)
        return (stream.is_broken or quiet) and room is not None and _is_watched(room, stream)

    def _take_row(self, stream: Stream, row: Row) -> None:
        room = self._hub.rooms.get(stream.room)
        if room is not None and (room.mark is None or room.mark < row.revision):
            self._hub.puller.want(room.pk)  # it ended, or began again, and no wake told us
        if row.is_streaming:
            stream.take(row.delta)
            self.tell(stream)


def _is_watched(room: LiveRoom, stream: Stream) -> bool:
    return any(stream.message in seat.told for seat in room.seats)


def _delta_of(message: Message, people_revision: int) -> Delta:
    """A message as it stands: all of its text."""
    return Delta(
        room=message.room_id,
        message=message.pk,
        attempt=message.attempt,
        offset=0,
        text=message.body,
        author=message.author_id,
        audience=message.audience,
        to=message.to,
        people_revision=people_revision,
    )


def _read(messages: Sequence[int]) -> dict[int, Row]:
    rows = Message.objects.filter(pk__in=messages).annotate(people=F("room__people_revision"))
    return {
        row.pk: Row(
            row.revision, row.status == Message.Status.STREAMING, _delta_of(row, row.people)
        )
        for row in rows
    }
