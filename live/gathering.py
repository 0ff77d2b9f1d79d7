"""News that comes one by one and is told together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from live.hub import Hub


class Gathering:
    """Of what is noted, each moment tells once: at first at once, then every `interval` seconds.

    `tell` gets at most `at_once` keys, in order, and may note them again. It handles its own
    failures.
    """

    def __init__(
        self,
        hub: Hub,
        tell: Callable[[Collection[int]], Awaitable[None]],
        *,
        interval: float,
        at_once: int,
    ) -> None:
        self._hub = hub
        self._tell = tell
        self._interval = interval
        self._at_once = at_once
        self._noted: set[int] = set()
        self._is_telling = False

    def note(self, keys: Iterable[int]) -> None:
        self._noted.update(keys)
        if self._noted and not self._is_telling:
            self._is_telling = True
            self._hub.spawn(self._tell_all())

    @property
    def is_quiet(self) -> bool:
        """Whether all that was noted is told."""
        return not self._is_telling

    async def _tell_all(self) -> None:
        try:
            while self._noted:
                noted, self._noted = sorted(self._noted), set()
                for begin in range(0, len(noted), self._at_once):
                    await self._tell(noted[begin : begin + self._at_once])
                await asyncio.sleep(self._interval)
        finally:
            self._is_telling = False
