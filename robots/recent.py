"""What was said last where an answer is given: read as far as it is told, and once."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q

from messages.models import Message
from robots import transcript
from robots.scope import Scope
from robots.transcript import Said

FIRST, MOST = 50, 800
"""Messages that are read at once."""


class Recent:
    """The question, and what was said and is not summarised, newest first."""

    def __init__(self, scope: Scope, question: int, *, after: int) -> None:
        """`after` is the last message that is summarised."""
        self._question = question
        told = Q(kind=Message.Kind.TEXT, pk__gt=after) | Q(pk=question)
        self._rows = scope.answerable().filter(told).order_by("-pk")
        self._read: list[Said] = []
        self._is_whole = False

    def __iter__(self) -> Iterator[Said]:
        place = 0
        while place < len(self._read) or self._read_on():
            yield self._read[place]
            place += 1

    def question(self) -> Said | None:
        """None where it is gone, or not for all who would read the answer."""
        return self.find(self._question) or transcript.read_one(self._rows, self._question)

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
        rows = self._rows.filter(pk__lt=self._read[-1].pk) if self._read else self._rows
        page = transcript.read(rows[:size])
        self._is_whole = len(page) < size
        self._read += page
        return bool(page)
