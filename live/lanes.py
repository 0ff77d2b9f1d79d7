"""Posting from sockets: what arrives together is committed together.

While one batch is being written and told of, the next one forms. A room keeps its order, and so do
the posts of one socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from django.db import OperationalError

from live import database
from messages.models import Message
from messages.posting import Draft, Posted

MOST = 128
"""Drafts in one transaction."""

SHARE = 0.05
"""Of what the last batch took: how long those that may come along are waited for."""
LONGEST = 0.002
"""Seconds of it, at most."""

Waiting = tuple[Draft, asyncio.Future[Posted]]


class Lane:
    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._running: asyncio.Task[None] | None = None
        self._last = 0
        """Drafts in the last batch."""
        self._took = 0.0
        """Seconds it took to commit and to tell of it."""

    def post(self, draft: Draft) -> asyncio.Future[Posted]:
        """Its message, once committed; or what `Message.objects.post_all` raises."""
        result: asyncio.Future[Posted] = asyncio.get_running_loop().create_future()
        self._waiting.append((draft, result))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return result

    async def finished(self) -> None:
        """When all that was given so far is committed or refused."""
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._waiting:
            await self._gather()
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            began = clock()
            await self._commit(batch)
            self._last, self._took = len(batch), clock() - began
        self._running = None

    async def _gather(self) -> None:
        """Where fewer wait than there were last, the others may be on their way: whoever posts
        when they have heard the last does so now. In a crowded room a batch of its own for the
        first of them would cost as much as the one for all others.
        """
        if len(self._waiting) < self._last:
            await asyncio.sleep(min(self._took * SHARE, LONGEST))

    async def _commit(self, batch: Sequence[Waiting]) -> None:
        """All at once; where that fails, each half, in order: one bad draft costs no other."""
        problem = await self._try(batch)
        if problem is None:
            return
        if len(batch) == 1 or database.is_out_of_reach(problem):
            _refuse(batch, problem)
        elif isinstance(problem, OperationalError):
            await self._commit_singly(batch)
        else:
            half = len(batch) // 2
            await self._commit(batch[:half])
            await self._commit(batch[half:])

    async def _commit_singly(self, batch: Sequence[Waiting]) -> None:
        """One by one, in order: it takes seconds to learn that a room's lock is not to be had, so
        that is learnt once a room, and the others are had at once.
        """
        busy: dict[int, Exception] = {}
        for n, (draft, _) in enumerate(batch):
            problem = busy.get(draft.room) or await self._try(batch[n : n + 1])
            if problem is None:
                continue
            if database.is_out_of_reach(problem):
                _refuse(batch[n:], problem)
                return
            if isinstance(problem, OperationalError) and not draft.shared:
                busy[draft.room] = problem
            _refuse(batch[n : n + 1], problem)

    async def _try(self, batch: Sequence[Waiting]) -> Exception | None:
        """Commit them together; or what stands in the way."""
        try:
            posted = await database.run(Message.objects.post_all, [draft for draft, _ in batch])
        except Exception as problem:
            return problem
        for (_, result), outcome in zip(batch, posted, strict=True):
            if not result.done():
                result.set_result(outcome)
        return None


def _refuse(batch: Sequence[Waiting], problem: Exception) -> None:
    for _, result in batch:
        if not result.done():
            result.set_exception(problem)
