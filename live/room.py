"""What one process knows of a room that somebody here is in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from live.bulletin import Bulletin, View
from live.stream import Told
from messages.audience import Reader
from messages.models import Message
from rooms.models import Participant

if TYPE_CHECKING:
    from live.socket import Socket


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody with sockets here, as they are in the room."""

    reader: Reader
    view_since: int
    as_of: int
    """The room's people revision, read before this was: what changed later is not in it."""

    @classmethod
    def of(cls, seat: Participant, *, as_of: int) -> Listener:
        return cls(Reader.of(seat), seat.view_since, as_of)


class Seat:
    """One socket in one room. It holds what comes while its catch-up is being read."""

    __slots__ = (
        *("_after", "_held", "is_to_start_over", "room"),
        *("socket", "told", "turn", "view_since"),
    )

    def __init__(self, socket: Socket, room: LiveRoom) -> None:
        self.socket = socket
        self.room = room
        self.view_since: int | None = None
        """What `Participant.view_since` was when it was told last; None before the first time."""
        self.turn = asyncio.Lock()
        """One catch-up at a time: what a later one tells is never older than what came before."""
        self.told: dict[int, Told] = {}
        """How far it was shown those messages that are being written."""
        self.is_to_start_over = False
        """Whether what it may see has changed, and nothing was read for it since."""
        self._after = 0
        self._held: list[Bulletin] | None = []

    @property
    def holds(self) -> bool:
        """Whether it has yet to be told what is being read for it."""
        return self._held is not None

    def hold(self) -> None:
        if self._held is None:
            self._held = []

    def release(self, *, after: int, shown: Iterable[Message]) -> None:
        """The catch-up was sent, up to revision `after`: hand on what came since.

        `shown` are those of its messages that are being written, or are newer than that.
        """
        held, self._held, self._after = self._held or [], None, after
        self.told = {message.pk: Told.of(message) for message in shown}
        for bulletin in held:
            listener = self.room.roster.get(self.socket.user_id)
            if listener is not None:
                self.deliver(bulletin, bulletin.view_of(listener.reader))

    def deliver(self, bulletin: Bulletin, view: View) -> None:
        if self._held is not None:
            self._held.append(bulletin)
            return
        if bulletin.start < self._after:
            view = bulletin.later(view, than=self._after)
        if view:
            self.socket.send(*bulletin.frames(view, html=self.socket.html))
            if bulletin.has_streaming or self.told:
                self._note(bulletin.shown(view))

    def _note(self, messages: Iterable[Message]) -> None:
        """Of two copies the client keeps the one with the higher version, the later of equals."""
        for message in messages:
            told = self.told.get(message.pk)
            if told is not None and told.version > message.version:
                continue
            if message.status == Message.Status.STREAMING:
                self.told[message.pk] = Told.of(message)
            elif told is not None:
                del self.told[message.pk]


class LiveRoom:
    def __init__(self, pk: int) -> None:
        self.pk = pk
        self.mode = ""
        self.mark: int | None = None
        """The revision handed on; None before the first look at the room."""
        self.began = 0
        """The first mark: what is older was handed on to nobody here."""
        self.newest: int | None = None
        """The newest message handed on, where any was."""
        self.people_revision = 0
        self.roster: dict[int, Listener] = {}
        self.expected: set[int] = set()
        """Users said to have come in, of whom the next pull asks."""
        self.seats: set[Seat] = set()
        self.typed_at: dict[str, float] = {}
        """When it was last announced that somebody types, by audience."""

    def continues(self, bulletin: Bulletin) -> bool:
        """Whether this starts where we are, and the roster is as new as what it tells."""
        return self.mark == bulletin.start and self.people_revision >= bulletin.people_revision

    def hand_on(self, bulletin: Bulletin) -> set[int]:
        """Give it to every seat that may see of it. Returns the users who may."""
        bulletin.known = self.newest
        views = self._views(bulletin)
        for seat in self.seats:
            seat.deliver(bulletin, views.get(seat.socket.user_id, ()))
        self.mark = bulletin.end
        self.newest = max([self.newest or 0, *(message.pk for message in bulletin.messages)])
        return {user for user, view in views.items() if view}

    def _views(self, bulletin: Bulletin) -> dict[int, View]:
        whole = bulletin.whole
        return {
            user: whole
            if bulletin.is_plain and not listener.reader.history_from
            else bulletin.view_of(listener.reader)
            for user, listener in self.roster.items()
        }

    def others_than(self, user: int) -> Iterator[Seat]:
        return (seat for seat in self.seats if seat.socket.user_id != user)
