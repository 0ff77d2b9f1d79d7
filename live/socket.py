"""One socket's way out, on which nobody waits for a slow client.

What the server takes at once is sent at once: a task's turn for each frame and socket costs as
much as the sending. What it does not take waits in a bounded queue for the socket's writer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Generator
from contextvars import Context
from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.models import Login, User
from live import frames, metrics, wire
from live.room import Seat

logger = logging.getLogger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]

PATIENCE = 3.0
"""Seconds a client that is being closed has to take what is under way."""

CLOSE_CODES = {
    "restarting": 1012,
    "too_slow": 4008,
    "misbehaving": 4029,
    "expired": 4001,
    "signed_out": 4001,
}

GONE = (OSError, RuntimeError)
"""How a server says that the client is gone: the latter once it has given it up itself."""


class Begun:
    """A sending that could not be finished at once, for the writer to await."""

    def __init__(self, sending: Generator[Any, None, None], waiting: Any, size: int) -> None:
        self._sending = sending
        self._waiting = waiting
        self.size = size

    def __await__(self) -> Generator[Any, None, None]:
        yield self._waiting
        yield from self._sending


class Socket:
    def __init__(
        self, login: Login, send: Send, *, html: bool, write: wire.Write | None = None
    ) -> None:
        """`write` is how the server takes whole frames, where it does."""
        self.login = login
        """Read again from time to time, once for all sockets of it: its user may have a new name,
        and it may have been renewed.
        """
        self.credential_ends_at = login.credential_ends_at
        """The others of its login may have come by other credentials."""
        self.user_id = login.user_id
        self.html = html
        self.seats: dict[int, Seat] = {}
        self.away = False
        self.is_over = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._send = send
        self._write_whole = write
        self._queue: list[tuple[str, int]] = []
        """Frames that wait, with their lengths. Most sockets have none, and an empty deque takes
        760 bytes.
        """
        self._queued = 0
        self._most_queued = settings.CHAT_SOCKET_QUEUE_BYTES
        self._owed = 0
        self._repaid: asyncio.Event | None = None
        """While anything is owed."""
        self._is_greeted = False
        self._begun: Begun | None = None
        self._close_code: int | None = None
        self._writer: asyncio.Task[None] | None = None
        """While anything is queued or under way."""

    @property
    def user(self) -> User:
        return self.login.user

    @property
    def is_behind(self) -> bool:
        """Whether so much is queued that what can be told later had better be."""
        return bool(self._queued > self._most_queued // 2)

    @property
    def valid_until(self) -> datetime:
        """When what let it in runs out: a token may end sooner than its login."""
        ends_at = self.login.expires_at
        return min(self.credential_ends_at or ends_at, ends_at)

    def greet(self, frame: str) -> None:
        """Send the first frame. What was to be sent before it has waited, and follows."""
        self._queue.insert(0, (frame, len(frame)))
        self._queued += len(frame)
        self._is_greeted = True
        self._see_to_it()

    def send(self, *frames: str) -> None:
        """Send or queue frames. A client that leaves too much of what came before is closed."""
        if self.is_over:
            return
        if self._queued > self._most_queued:
            self._queue.clear()
            self.begin_to_close("too_slow")
            return
        for frame in frames:
            if self.ended.done():
                return  # the one before could not be sent
            if self._writer is None and self._is_greeted:
                self._send_at_once(frame)
            else:
                self._queue.append((frame, len(frame)))
                self._queued += len(frame)

    def _send_at_once(self, frame: str) -> None:
        """Whatever comes of it ends this socket alone: others have yet to be sent the same."""
        try:
            if self._write_whole is not None and self._write_whole(wire.wire(frame)):
                return
            sending = self._send({"type": "websocket.send", "text": frame}).__await__()
            waiting = sending.send(None)
        except StopIteration:
            return
        except GONE:
            self.abandon()
            return
        except Exception:
            logger.exception("A socket could not be written to.")
            self.abandon()
            return
        self._begun = Begun(sending, waiting, len(frame))
        self._queued += len(frame)
        self._see_to_it()

    def owe(self, frames: Collection[str]) -> None:
        """Queue what the client asked for, however much: that does not make it slow."""
        if self.is_over or not frames:
            return
        self._queue.extend((frame, 0) for frame in frames)
        self._owed += len(frames)
        self._repaid = self._repaid or asyncio.Event()
        self._see_to_it()

    async def repaid(self) -> None:
        """When the client has taken what it asked for: it may ask for more."""
        if self._repaid is not None:
            await self._repaid.wait()

    def begin_to_close(self, reason: str) -> None:
        """Say why, and close. A client that does not take even that is cut off; one that was not
        greeted yet is told nothing else.
        """
        if self.is_over:
            return
        self.is_over = True
        if not self._is_greeted:
            self._queue.clear()
        metrics.DROPPED.labels(reason).inc()
        self._queue.append((frames.write("bye", reason=reason), 0))
        self._close_code = CLOSE_CODES[reason]
        self._see_to_it()
        asyncio.get_running_loop().call_later(PATIENCE, self.abandon)

    async def close(self, reason: str) -> None:
        """Close, and wait until that is done."""
        self.begin_to_close(reason)
        await asyncio.wait([self.ended])

    def abandon(self) -> None:
        """The client is gone: write no more."""
        self.is_over = True
        if self._writer is None:
            self._end()
        else:
            self._writer.cancel()

    def _see_to_it(self) -> None:
        """That what waits is written, once the client was greeted or is to go."""
        may_write = self._is_greeted or self.is_over
        if self._writer is None and may_write and not self.ended.done():
            nobodys = Context()  # whoever sends, it goes on for others
            self._writer = asyncio.get_running_loop().create_task(self._write(), context=nobodys)
            self._writer.add_done_callback(self._wrote, context=nobodys)

    async def _write(self) -> None:
        """All that waits."""
        if self._begun is not None:
            begun, self._begun = self._begun, None
            await begun
            self._settle(begun.size)
        while self._queue:
            frame, size = self._queue.pop(0)
            await self._send({"type": "websocket.send", "text": frame})
            self._settle(size)
        if self._close_code is not None:
            await self._send({"type": "websocket.close", "code": self._close_code})
        else:
            self._writer = None

    def _settle(self, size: int) -> None:
        """A frame is written; those without a size were owed."""
        self._queued -= size
        if not size and self._owed:
            self._owed -= 1
            if not self._owed:
                self._repay()

    def _repay(self) -> None:
        if self._repaid is not None:
            self._repaid.set()
            self._repaid = None

    def _wrote(self, writer: asyncio.Task[None]) -> None:
        """Nothing waits any more, or nothing can be written."""
        problem = None if writer.cancelled() else writer.exception()
        if problem is not None and not isinstance(problem, GONE):
            logger.error("A socket's writer failed.", exc_info=problem)
        if writer is self._writer:
            self._end()

    def _end(self) -> None:
        self.is_over = True
        self._writer = None  # which may hold what it failed with, and that this socket
        self._repay()
        if not self.ended.done():
            self.ended.set_result(None)
