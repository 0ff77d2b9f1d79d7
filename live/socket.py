"""One socket's way out, on which nobody waits for a slow client.

What the server takes at once is sent at once: a task's turn for each frame and socket costs as
much as the sending. What it does not take waits in a bounded queue for the socket's writer.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Generator
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
        self._send = send
        self._write_whole = write
        self._queue: deque[tuple[str, int]] = deque()
        self._queued = 0
        self._most_queued = settings.CHAT_SOCKET_QUEUE_BYTES
        self._owed = 0
        self._repaid = asyncio.Event()
        self._repaid.set()
        self._filled = asyncio.Event()
        self._is_greeted = False
        self._is_free = False
        """Nothing is queued or under way."""
        self._begun: Begun | None = None
        self._close_code: int | None = None
        self._writer = asyncio.create_task(self._write())
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writer.add_done_callback(self._end)

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
        self._queue.appendleft((frame, len(frame)))
        self._queued += len(frame)
        self._is_greeted = True
        self._fill()

    def send(self, *frames: str) -> None:
        """Send or queue frames. A client that leaves too much of what came before is closed."""
        if self.is_over:
            return
        if self._queued > self._most_queued:
            self._queue.clear()
            self.begin_to_close("too_slow")
            return
        for frame in frames:
            if self._is_free:
                self._send_at_once(frame)
            else:
                self._queue.append((frame, len(frame)))
                self._queued += len(frame)
                if self._is_greeted:
                    self._filled.set()

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
        self._fill()

    def _fill(self) -> None:
        self._is_free = False
        self._filled.set()

    def owe(self, frames: Collection[str]) -> None:
        """Queue what the client asked for, however much: that does not make it slow."""
        if self.is_over:
            return
        self._queue.extend((frame, 0) for frame in frames)
        self._owed += len(frames)
        self._repaid.clear()
        self._fill()

    async def repaid(self) -> None:
        """When the client has taken what it asked for: it may ask for more."""
        await self._repaid.wait()

    def begin_to_close(self, reason: str) -> None:
        """Say why, and close. A client that does not take even that is cut off."""
        if self.is_over:
            return
        self.is_over = True
        metrics.DROPPED.labels(reason).inc()
        self._queue.append((frames.write("bye", reason=reason), 0))
        self._close_code = CLOSE_CODES[reason]
        self._fill()
        asyncio.get_running_loop().call_later(PATIENCE, self._writer.cancel)

    async def close(self, reason: str) -> None:
        """Close, and wait until that is done."""
        self.begin_to_close(reason)
        await asyncio.wait([self._writer])

    def abandon(self) -> None:
        """The client is gone: write no more."""
        self.is_over = True
        self._writer.cancel()

    async def _write(self) -> None:
        try:
            while True:
                await self._filled.wait()
                self._filled.clear()
                if self._begun is not None:
                    begun, self._begun = self._begun, None
                    await begun
                    self._settle(begun.size)
                while self._queue:
                    frame, size = self._queue.popleft()
                    await self._send({"type": "websocket.send", "text": frame})
                    del frame  # what tells a room is large, and nothing may follow for hours
                    self._settle(size)
                if self._close_code is not None:
                    await self._send({"type": "websocket.close", "code": self._close_code})
                    return
                self._is_free = not self._filled.is_set()
        except GONE:
            pass  # the client is gone; the reading side hears of it too
        except asyncio.CancelledError:
            pass  # by us; kept with the task, it would hold this socket, and this socket the task

    def _settle(self, size: int) -> None:
        """A frame is written; those without a size were owed."""
        self._queued -= size
        if not size and self._owed:
            self._owed -= 1
            if not self._owed:
                self._repaid.set()

    def _end(self, writer: asyncio.Task[None]) -> None:
        self.is_over = True
        self._repaid.set()
        if not writer.cancelled() and (problem := writer.exception()):
            logger.error("A socket's writer failed.", exc_info=problem)
        if not self.ended.done():
            self.ended.set_result(None)
