"""Posting from sockets: what arrives together is committed together.

While one batch is being written the next one forms; there is no timer. A room keeps its order,
and so do the posts of one socket.
"""

from __future__ import annotations

import asyncio

from live import database
from messages.models import Message
from messages.posting import Draft, Posted

MOST = 128
"""Drafts in one transaction."""


class Lane:
    def __init__(self) -> None:
        self._waiting: list[tuple[Draft, asyncio.Future[Posted]]] = []
        self._running: asyncio.Task[None] | None = None

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
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            await self._commit(batch)
        self._running = None

    async def _commit(self, batch: list[tuple[Draft, asyncio.Future[Posted]]]) -> None:
        """All at once; where that fails, each half, in order: one bad draft costs no other."""
        try:
            posted = await database.run(Message.objects.post_all, [draft for draft, _ in batch])
        except Exception as problem:
            if len(batch) == 1:
                _settle(batch[0][1], problem)
            else:
                half = len(batch) // 2
                await self._commit(batch[:half])
                await self._commit(batch[half:])
        else:
            for (_, result), outcome in zip(batch, posted, strict=True):
                _settle(result, outcome)


def _settle(result: asyncio.Future[Posted], outcome: Posted | Exception) -> None:
    if result.done():
        return
    if isinstance(outcome, Exception):
        result.set_exception(outcome)
    else:
        result.set_result(outcome)
