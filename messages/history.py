"""Pages of a room's history, by message id and never by offset."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import QuerySet

from accounts.errors import NotFound
from accounts.models import User
from accounts.prepared import first, prepared
from messages.models import Message
from messages.moments import first_id
from messages.overview import CountUpTo
from rooms.models import Room

if TYPE_CHECKING:
    from messages.models import MessageQuerySet

USUAL = 50
MOST = 200
NEWEST = USUAL + USUAL // 2
"""Of a room, that are read for several at once."""
SIZES = (USUAL // 2, USUAL, 100, MOST)
"""Of pages, as the database is asked for them: each has SQL of its own."""


@dataclass(frozen=True)
class Page:
    """Messages ascending by id, and the revision the room had before they were read."""

    rows: list[Message]
    has_older: bool
    has_newer: bool
    revision: int


class History:
    """What one user may see of one room, in pages. Each page costs two or three queries."""

    def __init__(self, room: Room, user: User) -> None:
        self.room = room
        self._whose = {"room": room.pk, "user": user.pk}

    def newest(self, limit: int = USUAL) -> Page:
        revision = self._head()
        rows, more = self.newest_rows(limit)
        return Page(rows, has_older=more, has_newer=False, revision=revision)

    def newest_rows(self, limit: int = USUAL) -> tuple[list[Message], bool]:
        """For who knows the room's revision: the newest page, and whether there is an older one."""
        return self._older(limit, "pk__gt", 0)

    def before(self, pk: int, limit: int = USUAL) -> Page:
        revision = self._head()
        rows, more = self._older(limit, "pk__lt", pk)
        newer = bool(_first(**self._whose, edge="pk__gte", pk=pk, order="pk"))
        return Page(rows, has_older=more, has_newer=newer, revision=revision)

    def after(self, pk: int, limit: int = USUAL) -> Page:
        revision = self._head()
        rows, more = self._newer(limit, "pk__gt", pk)
        older = bool(_first(**self._whose, edge="pk__lte", pk=pk, order="-pk"))
        return Page(rows, has_older=older, has_newer=more, revision=revision)

    def around(self, pk: int, limit: int = USUAL) -> Page:
        """That message, if it may be seen, between its neighbours."""
        revision = self._head()
        older, has_older = self._older(limit // 2, "pk__lt", pk)
        newer, has_newer = self._newer(limit - limit // 2, "pk__gte", pk)
        return Page([*older, *newer], has_older, has_newer, revision)

    def at(self, moment: datetime, limit: int = USUAL) -> Page:
        """The first message said from then on, between its neighbours; where nothing was said
        since, the newest page.
        """
        first = self.first_at(moment)
        return self.newest(limit) if first is None else self.around(first, limit)

    def first_at(self, moment: datetime) -> int | None:
        """The id of the first message said from then on."""
        return first(_first_said(**self._whose, pk=first_id(moment), moment=moment))

    def last(self) -> int | None:
        """The id of the newest message."""
        return first(_first(**self._whose, edge="pk__gt", pk=0, order="-pk"))

    def since(self, revision: int, limit: int = MOST) -> Page:
        """The feed: what changed after `revision`, in the order of changes.

        The page's revision is where it ends: the head, or where there is more, its last row's.
        The last page has what is being written as well, beyond the limit.
        """
        head = self._head()
        rows = self.changes(after=revision, upto=head, most=_size(limit))
        if len(rows) > limit:
            rows = rows[:limit]
            return Page(rows, has_older=False, has_newer=True, revision=rows[-1].revision)
        rows = self.with_streaming(rows)
        return Page(rows, has_older=False, has_newer=False, revision=head)

    def changes(self, *, after: int, upto: int, most: int) -> list[Message]:
        """In the order of changes; one more than `most`, where there are more."""
        return _changes(**self._whose, after=after, upto=upto, most=most)

    def with_streaming(self, rows: list[Message]) -> list[Message]:
        """These and what is being written, which grows without a revision; by revision."""
        return sorted([*self.streaming(besides=rows), *rows], key=by_revision)

    def streaming(self, *, besides: Iterable[Message] = ()) -> list[Message]:
        """What is being written, as far as it goes."""
        known = {row.pk for row in besides}
        rows = sorted(_streaming(**self._whose), key=by_revision)
        return [row for row in rows if row.pk not in known]

    def changes_since(self, revision: int) -> int:
        """How far behind a cursor is, counted no further than one past what is caught up with."""
        most = settings.CHAT_CATCH_UP_MAX + 1
        return first(_changed(**self._whose, after=revision, most=most)) or 0

    def _head(self) -> int:
        """Read before the rows: what comes between is told again rather than never."""
        head = first(_head(room=self.room.pk))
        if head is None:
            raise NotFound
        return head

    def _older(self, limit: int, edge: str, pk: int) -> tuple[list[Message], bool]:
        rows = _page(**self._whose, edge=edge, pk=pk, order="-pk", most=_size(limit))
        return rows[:limit][::-1], len(rows) > limit

    def _newer(self, limit: int, edge: str, pk: int) -> tuple[list[Message], bool]:
        rows = _page(**self._whose, edge=edge, pk=pk, order="pk", most=_size(limit))
        return rows[:limit], len(rows) > limit


def _size(limit: int) -> int:
    return next((size for size in SIZES if size >= limit), limit)


def _visible(room: int, user: int) -> MessageQuerySet:
    found: MessageQuerySet = Message.objects.visible_to(User(pk=user)).filter(room=room)
    return found


@prepared("room", "user", "pk")
def _page(
    room: int, user: int, edge: str, pk: int, order: str, most: int
) -> QuerySet[Message, Message]:
    return _visible(room, user).filter(**{edge: pk}).order_by(order)[: most + 1]


@prepared("room", "user", "pk")
def _first(room: int, user: int, edge: str, pk: int, order: str) -> QuerySet[Any, int]:
    return (
        _visible(room, user).filter(**{edge: pk}).order_by(order).values_list("pk", flat=True)[:1]
    )


@prepared("room", "user", "pk", "moment")
def _first_said(room: int, user: int, pk: int, moment: datetime) -> QuerySet[Any, int]:
    later = _visible(room, user).filter(pk__gte=pk, created_at__gte=moment)
    return later.order_by("pk").values_list("pk", flat=True)[:1]


@prepared("room", "user", "after", "upto")
def _changes(room: int, user: int, after: int, upto: int, most: int) -> QuerySet[Message, Message]:
    found = _visible(room, user).filter(revision__lte=upto).since(after)
    return found[: most + 1]


@prepared("room", "user", "after")
def _changed(room: int, user: int, after: int, most: int) -> QuerySet[Any, int]:
    found = _visible(room, user).filter(revision__gt=after).order_by().values("pk")
    return Room.objects.filter(pk=room).values_list(CountUpTo(found[:most]), flat=True)


@prepared("room", "user")
def _streaming(room: int, user: int) -> QuerySet[Message, Message]:
    """In no order: SQLite, asked for one, looks through all of the room for those few."""
    return _visible(room, user).filter(status=Message.Status.STREAMING)


def by_revision(row: Message) -> int:
    return row.revision


# Whoever may see them: for those alone who ask `Reader.sees` of each row.


def newest_in(room: int) -> list[Message]:
    """The newest of a room, ascending: enough for a page of who may not see some of them."""
    return _newest_in(room=room)[::-1]


@prepared("room")
def _newest_in(room: int) -> QuerySet[Message, Message]:
    return _all_in([room]).order_by("-pk")[:NEWEST]


@prepared("room", "after", "upto")
def changes_in(room: int, *, after: int, upto: int, most: int) -> QuerySet[Message, Message]:
    """In the order of changes; one more than `most`, where there are more."""
    return _all_in([room]).filter(revision__lte=upto).since(after)[: most + 1]


@prepared("rooms")
def streaming_in(rooms: Collection[int]) -> QuerySet[Message, Message]:
    """What is being written in these rooms, in no order."""
    return _all_in(rooms).filter(status=Message.Status.STREAMING)


def _all_in(rooms: Collection[int]) -> MessageQuerySet:
    found: MessageQuerySet = Message.objects.filter(room__in=rooms)
    return found


@prepared("room")
def _head(room: int) -> QuerySet[Any, int]:
    return Room.objects.filter(pk=room).values_list("revision", flat=True)
