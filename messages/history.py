"""Pages of a room's history, by message id and never by offset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from messages.models import Message
from messages.moments import first_id

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from messages.models import MessageQuerySet
    from rooms.models import Room

USUAL = 50
MOST = 200


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
        self.visible: MessageQuerySet = (
            Message.objects.visible_to(user).filter(room=room).with_people()
        )

    def newest(self, limit: int = USUAL) -> Page:
        revision = self._head()
        rows, more = self._older(limit)
        return Page(rows, has_older=more, has_newer=False, revision=revision)

    def before(self, pk: int, limit: int = USUAL) -> Page:
        revision = self._head()
        rows, more = self._older(limit, pk__lt=pk)
        newer = self.visible.filter(pk__gte=pk).exists()
        return Page(rows, has_older=more, has_newer=newer, revision=revision)

    def after(self, pk: int, limit: int = USUAL) -> Page:
        revision = self._head()
        rows, more = self._newer(limit, pk__gt=pk)
        older = self.visible.filter(pk__lte=pk).exists()
        return Page(rows, has_older=older, has_newer=more, revision=revision)

    def around(self, pk: int, limit: int = USUAL) -> Page:
        """That message, if it may be seen, between its neighbours."""
        revision = self._head()
        older, has_older = self._older(limit // 2, pk__lt=pk)
        newer, has_newer = self._newer(limit - limit // 2, pk__gte=pk)
        return Page([*older, *newer], has_older, has_newer, revision)

    def at(self, moment: datetime, limit: int = USUAL) -> Page:
        """The first message said from then on, between its neighbours; where nothing was said
        since, the newest page.
        """
        first = self.first_at(moment)
        return self.newest(limit) if first is None else self.around(first, limit)

    def first_at(self, moment: datetime) -> int | None:
        """The id of the first message said from then on."""
        later = self.visible.filter(pk__gte=first_id(moment), created_at__gte=moment)
        return self._end(later.order_by("pk"))

    def last(self) -> int | None:
        """The id of the newest message."""
        return self._end(self.visible.order_by("-pk"))

    def since(self, revision: int, limit: int = MOST) -> Page:
        """The feed: what changed after `revision`, in the order of changes.

        The page's revision is where it ends: the head, or where there is more, its last row's.
        The last page has what is being written as well, beyond the limit.
        """
        head = self._head()
        rows = list(self.visible.filter(revision__lte=head).since(revision)[: limit + 1])
        if len(rows) > limit:
            rows = rows[:limit]
            return Page(rows, has_older=False, has_newer=True, revision=rows[-1].revision)
        rows = self.with_streaming(rows)
        return Page(rows, has_older=False, has_newer=False, revision=head)

    def with_streaming(self, rows: list[Message]) -> list[Message]:
        """These and what is being written, which grows without a revision; by revision."""
        return sorted([*self.streaming(besides=rows), *rows], key=lambda row: row.revision)

    def streaming(self, *, besides: Iterable[Message] = ()) -> list[Message]:
        """What is being written, as far as it goes."""
        known = {row.pk for row in besides}
        rows = self.visible.filter(status=Message.Status.STREAMING).order_by("revision")
        return [row for row in rows if row.pk not in known]

    def changes_since(self, revision: int) -> int:
        """How far behind a cursor is, counted no further than one past what is caught up with."""
        behind = self.visible.filter(revision__gt=revision)
        return behind.order_by()[: settings.CHAT_CATCH_UP_MAX + 1].count()

    def _head(self) -> int:
        """Read before the rows: what comes between is told again rather than never."""
        return type(self.room).objects.values_list("revision", flat=True).get(pk=self.room.pk)

    def _end(self, rows: MessageQuerySet) -> int | None:
        found: int | None = rows.values_list("pk", flat=True).first()
        return found

    def _older(self, limit: int, **bounds: int) -> tuple[list[Message], bool]:
        rows = list(self.visible.filter(**bounds).order_by("-pk")[: limit + 1])
        return rows[:limit][::-1], len(rows) > limit

    def _newer(self, limit: int, **bounds: int) -> tuple[list[Message], bool]:
        rows = list(self.visible.filter(**bounds).order_by("pk")[: limit + 1])
        return rows[:limit], len(rows) > limit
