"""What those who come into rooms at the same time are shown of what was said: read and encoded
once for all of them.

Where several come into a room its rows are read whoever may see them, and so is what is being
written; of these each reader is shown what `Reader.sees`: the mirror of the query, as of whatever
is told live. The query itself is asked of the rest where one comes alone, and where the rows may
not be all that a reader is to be shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from django.conf import settings

from live import feed, frames
from live.bulletin import Bulletin, View, messages_frames
from live.welcome import Page, Welcome
from messages import cursor
from messages.audience import Reader
from messages.encoding import gather, meet, typeset
from messages.history import (
    NEWEST,
    USUAL,
    History,
    by_revision,
    changes_in,
    newest_in,
    streaming_in,
)
from messages.models import Message
from rooms.models import Participant, Room

JOINED_BYTES = 512 * 1024
"""Of messages in a `joined` frame."""
SHARED = 200
"""Changes of a room that are read for several at once. Who missed more is asked for alone."""


@dataclass(eq=False)
class Comer:
    """Somebody on their way into a room. Their seat has `room` and `user` at hand."""

    seat: Participant
    sealed: str | None
    """Their cursor, if they come by one."""
    html: bool
    reader: Reader = field(init=False)
    since: int | None = field(init=False, default=None)
    """Where they go on from; None for whom the whole room is told afresh."""

    def __post_init__(self) -> None:
        self.reader = Reader.of(self.seat)
        if self.sealed is not None:
            since = cursor.unseal(self.sealed, room=self.room.pk)
            if since is not None and self.seat.view_since <= since <= self.room.revision:
                self.since = since

    @property
    def room(self) -> Room:
        return self.seat.room


class Telling(NamedTuple):
    """Frames, and the messages in them."""

    frames: list[str]
    rows: list[Message]


class Foyer:
    """Where some wait who come into rooms, until they are told. Queries: some for all of them, one
    or two a room, and what is to be asked for one reader alone.
    """

    def __init__(self, comers: Sequence[Comer], *, here: Mapping[int, Collection[int]]) -> None:
        """`here`: by room, users with sockets in it in this process."""
        self._streaming = _streaming({comer.room.pk for comer in comers})
        self._missed: dict[Comer, list[Message]] = {}
        self._pages: dict[Comer, Page] = {}
        for some in _by_room(comer for comer in comers if comer.since is not None):
            self._read_missed(some)
        afresh = [comer for comer in comers if comer.since is None]
        for some in _by_room(afresh):
            self._read_pages(some)
        self._bulletins = self._gather(comers)
        pages = [self._pages[comer] for comer in afresh]
        self._welcome = Welcome([comer.seat for comer in afresh], pages, here=here)

    def tell(self, comer: Comer) -> Telling:
        """From a cursor or afresh. Whose cursor is of no use is told to start over."""
        if comer.since is not None:
            return self._catch_up(comer, comer.since)
        told = self._joined(comer)
        if comer.sealed is not None:
            told.frames.insert(0, frames.write("reset", room=comer.room.pk))
        return told

    def _catch_up(self, comer: Comer, since: int) -> Telling:
        missed = self._missed[comer]
        rows = sorted([*self._streaming_besides(comer, missed), *missed], key=by_revision)
        # What is being written may be older than where the client is already.
        told = self._messages(comer, rows, since=since)
        sealed = cursor.seal(comer.room.pk, comer.room.revision)
        told.frames.append(frames.write("synced", room=comer.room.pk, cursor=sealed))
        return told

    def _joined(self, comer: Comer) -> Telling:
        """The room and its newest messages; then, in frames of their own, older ones that are being
        written.
        """
        page, bulletin = self._pages[comer], self._bulletins[comer.room.pk]
        view = self._view(comer, page.rows)
        parts = as_fits(bulletin.parts(view, html=comer.html))
        view = view[len(view) - len(parts) :]
        joined = self._welcome.joined(comer.seat, page, parts)
        rows = list(bulletin.shown(view))
        older = self._streaming_besides(comer, rows)
        told = self._messages(comer, older, since=comer.room.revision)
        return Telling([joined, *told.frames], [*rows, *told.rows])

    def _messages(self, comer: Comer, rows: Sequence[Message], *, since: int) -> Telling:
        """In `messages` frames, for a client that has come as far as `since`."""
        bulletin = self._bulletins[comer.room.pk]
        view = self._view(comer, rows)
        shown = list(bulletin.shown(view))
        revisions = [min(max(row.revision, since), comer.room.revision) for row in shown]
        parts = bulletin.parts(view, html=comer.html)
        return Telling(list(messages_frames(comer.room.pk, parts, revisions)), shown)

    def _view(self, comer: Comer, rows: Sequence[Message]) -> View:
        """These rows, as far as the reader may see them, as they were read for all."""
        if not rows:
            return ()
        bulletin = self._bulletins[comer.room.pk]
        seen = {bulletin.messages[one.place].pk: one for one in bulletin.view_of(comer.reader)}
        return tuple(seen[row.pk] for row in rows if row.pk in seen)

    def _streaming_besides(self, comer: Comer, rows: Iterable[Message]) -> list[Message]:
        written = self._streaming.get(comer.room.pk, ())
        known = {row.pk for row in rows} if written else ()
        return [row for row in written if row.pk not in known]

    # Reading

    def _read_missed(self, comers: Sequence[Comer]) -> None:
        """Of some who come into one room. Who missed too much is told of the room afresh."""
        most, shared = settings.CHAT_CATCH_UP_MAX, _changes_for(comers)
        for comer in comers:
            since, upto = comer.since or 0, comer.room.revision
            if since == upto:
                rows = []
            elif shared is not None:
                new = (row for row in shared if row.revision > since)
                rows = [row for row in new if comer.reader.sees(row)]
            else:
                rows = History(comer.room, comer.seat.user).changes(
                    after=since, upto=upto, most=most
                )
            if len(rows) > most:
                comer.since = None
            else:
                self._missed[comer] = rows

    def _read_pages(self, comers: Sequence[Comer]) -> None:
        """Of some who come into one room."""
        newest = newest_in(comers[0].room.pk) if len(comers) > 1 else None
        for comer in comers:
            page = None if newest is None else _page_of(newest, comer.reader)
            self._pages[comer] = page or _own_page(comer)

    def _gather(self, comers: Sequence[Comer]) -> dict[int, Bulletin]:
        """All that was read, by room. Of what was read twice one is told to everybody."""
        rows: dict[int, dict[int, Message]] = defaultdict(dict)
        missed, pages = self._missed.values(), (page.rows for page in self._pages.values())
        for row in chain(*self._streaming.values(), *missed, *pages):
            rows[row.room_id].setdefault(row.pk, row)
        told = [row for some in rows.values() for row in some.values()]
        meet(told)
        typeset(told)
        files, reactions = gather(told)
        return {
            some[0].room.pk: Bulletin(
                some[0].room.pk,
                messages := list(rows[some[0].room.pk].values()),
                start=0,
                end=some[0].room.revision,
                people_revision=some[0].room.people_revision,
                files=files,
                reactions=reactions,
                origins=feed.origins(messages, frozenset(c.reader.user for c in some)),
            )
            for some in _by_room(comers)
        }


def as_fits(parts: Sequence[bytes]) -> Sequence[bytes]:
    """The newest of them, as far as one frame holds them; older ones are paged back to."""
    size = 0
    for kept, part in enumerate(reversed(parts)):
        size += len(part)
        if size > JOINED_BYTES and kept:
            return parts[-kept:]
    return parts


def _changes_for(comers: Sequence[Comer]) -> list[Message] | None:
    """What some who come into one room missed; None where that is better asked of each alone."""
    room = comers[0].room
    behind = [comer.since for comer in comers if (comer.since or 0) < room.revision]
    if len(behind) < 2:
        return None
    after = min(since or 0 for since in behind)
    rows = changes_in(room.pk, after=after, upto=room.revision, most=SHARED)
    return rows if len(rows) <= SHARED else None


def _page_of(newest: Sequence[Message], reader: Reader) -> Page | None:
    """A reader's part of the newest rows of their room; None where older ones are part of it."""
    seen = [row for row in newest if reader.sees(row)]
    if len(seen) <= USUAL and len(newest) == NEWEST:
        return None
    return Page(seen[-USUAL:], has_older=len(seen) > USUAL)


def _own_page(comer: Comer) -> Page:
    rows, has_older = History(comer.room, comer.seat.user).newest_rows()
    return Page(rows, has_older)


def _streaming(rooms: Collection[int]) -> Mapping[int, list[Message]]:
    """What is being written, by room."""
    found: dict[int, list[Message]] = defaultdict(list)
    for row in sorted(streaming_in(rooms), key=by_revision) if rooms else ():
        found[row.room_id].append(row)
    return found


def _by_room(comers: Iterable[Comer]) -> Iterable[list[Comer]]:
    found: dict[int, list[Comer]] = defaultdict(list)
    for comer in comers:
        found[comer.room.pk].append(comer)
    return found.values()
