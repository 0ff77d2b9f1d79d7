"""Work that ends when something else does, without a task of its own for either."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any


class Until:
    """Cancels what is within once a future is done, and goes on after it; as `asyncio.timeout` does
    once time is up.
    """

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self._future = future
        self._task: asyncio.Task[Any] | None = None
        """While it is within."""
        self._has_cancelled = False

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        self._future.add_done_callback(self._cancel)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._future.remove_done_callback(self._cancel)
        task, self._task = self._task, None  # the callback may be under way
        if task is None or not self._has_cancelled:
            return False
        others_cancel = task.uncancel() > 0
        return kind is asyncio.CancelledError and not others_cancel

    def _cancel(self, future: asyncio.Future[Any]) -> None:
        if self._task is not None:
            self._has_cancelled = True
            self._task.cancel()
