"""A clock that stands still: it takes the place of `asyncio` in a module that pauses."""

from __future__ import annotations

import asyncio


class Clock:
    """Holds whoever pauses until it rings."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.pausing = 0
        self._rings = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.pausing += 1
        try:
            await self._rings.acquire()
        finally:
            self.pausing -= 1

    def ring(self) -> None:
        self._rings.release()
