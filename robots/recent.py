"""What was said last where an answer is given: read as far as it is told, and once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.prepared import prepared
from messages.audience import Audience
from messages.models import Message
from robots import transcript
from robots.models import Robot
from robots.scope import Scope
from robots.transcript import Said
from rooms.models import Room

FIRST, MOST = 50, 800
"""Messages that are read at once."""
BEYOND = 2**62
"""No message is numbered so."""


class Recent:
    """The question, and what was said and is not summarised, newest first."""

    def __init__(self, scope: Scope, question: int, *, after: int) -> None:
        """`after` is the last message that is summarised."""
        self._question = question
        self._scope, self._after = scope, after
        self._read: list[Said] = []
        self._is_whole = False

    def __iter__(self) -> Iterator[Said]:
        place = 0
        while place < len(self._read) or self._read_on():
            yield self._read[place]
            place += 1

    def question(self) -> Said | None:
        """None where it is gone, or not for all who would read the answer."""
        answerable = self._scope.answerable()
        return self.find(self._question) or transcript.read_one(answerable, self._question)

    def find(self, pk: int) -> Said | None:
        """Where it is among the newest, as what is answered and quoted mostly is."""
        if not self._read:
            self._read_on()
        return next((said for said in self._read if said.pk == pk), None)

    def _read_on(self) -> bool:
        """Whether there is more. The more has been read, the more is likely to be told."""
        if self._is_whole:
            return False
        size = min(3 * len(self._read) or FIRST, MOST)
        before = self._read[-1].pk if self._read else BEYOND
        page = transcript.said(self._page(before, size))
        self._is_whole = len(page) < size
        self._read += page
        return bool(page)

    def _page(self, before: int, size: int) -> list[tuple[Any, ...]]:
        scope, me = self._scope, self._scope.robot.user_id
        return _told(
            room=scope.room.pk,
            me=me,
            # Of others nobody is asked who they are for.
            to=scope.to if scope.audience == Audience.ONLY else (me,),
            heard=scope.after,
            question=self._question,
            after=self._after,
            before=before,
            audience=scope.audience,
            size=size,
        )


@prepared("room", "me", "to", "heard", "question", "after", "before")
def _told(
    room: int,
    me: int,
    to: Sequence[int],
    heard: int,
    question: int,
    after: int,
    before: int,
    audience: str,
    size: int,
) -> QuerySet[Message, tuple[Any, ...]]:
    scope = Scope(
        room=Room(pk=room),
        robot=Robot(user=User(pk=me)),
        audience=audience,
        to=tuple(to),
        after=heard,
    )
    told = Q(kind=Message.Kind.TEXT, pk__gt=after) | Q(pk=question)
    rows = scope.answerable().filter(told, pk__lt=before).order_by("-pk")
    return rows.values_list(*transcript.COLUMNS)[:size]
