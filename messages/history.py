"""Pages of a room's history, by message id and never by offset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from messages.models import Message

if TYPE_CHECKING:
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

    def since(self, revision: int, limit: int = MOST) -> Page:
        """The feed: what changed after `revision`, in the order of changes.

        The page's revision is where it ends: the head, or where there is more, its last row's.
        """
        head = self._head()
        rows = list(self.visible.filter(revision__lte=head).since(revision)[: limit + 1])
        more = len(rows) > limit
        rows = rows[:limit]
        return Page(
            rows, has_older=False, has_newer=more, revision=rows[-1].revision if more else head
        )

    def changes_since(self, revision: int) -> int:
        """How far behind a cursor is, counted no further than one past what is caught up with."""
        behind = self.visible.filter(revision__gt=revision)
        return behind.order_by()[: settings.CHAT_CATCH_UP_MAX + 1].count()

    def _head(self) -> int:
        """Read before the rows: what comes between is told again rather than never."""
        return type(self.room).objects.values_list("revision", flat=True).get(pk=self.room.pk)

    def _older(self, limit: int, **bounds: int) -> tuple[list[Message], bool]:
        rows = list(self.visible.filter(**bounds).order_by("-pk")[: limit + 1])
        return rows[:limit][::-1], len(rows) > limit

    def _newer(self, limit: int, **bounds: int) -> tuple[list[Message], bool]:
        rows = list(self.visible.filter(**bounds).order_by("pk")[: limit + 1])
        return rows[:limit], len(rows) > limit
