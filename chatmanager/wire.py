"""A socket's connection: uvicorn's, but it takes whole frames, and ends soon after its socket has.

uvicorn closes a connection by having it wait until the client has taken what was written. One that
reads nothing would be held for ever, with all that the system keeps for it.

It also makes the same frame anew for each socket, which in a crowded room costs as much as sending
it: see live/wire.py. Taking frames whole leans on its insides, so one that was not tested with it
is given none.
"""

from __future__ import annotations

import socket
import struct
from asyncio import TimerHandle

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import OPEN

from live.wire import EXTENSION

TESTED = "0.54."
"""The uvicorn on whose insides this leans."""

GRACE = 10.0
"""Seconds in which a client may take what was said last: as long as uvicorn waits for its word."""

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: the system, too, forgets what the client has not taken."""


def _is_tested() -> bool:
    return uvicorn.__version__.startswith(TESTED)


class Wire(WebSocketsSansIOProtocol):
    _cutting: TimerHandle | None = None
    _offered: dict[str, object] | None = None
    """Extensions, with one that holds this connection."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        accepts = self.response.status_code == 101
        is_alike = not self.conn.extensions  # compressed frames are each socket's own
        if _is_tested() and accepts and is_alike:
            extensions: dict[str, object] = self.scope["extensions"]  # type: ignore[assignment]
            extensions[EXTENSION] = {"write": self.write_whole}
            self._offered = extensions

    def start_keepalive(self) -> None:
        """The handshake is over. What it was made of would stay as long as the socket: some KiB
        for each, and more of a browser's.
        """
        super().start_keepalive()
        if not _is_tested():
            return
        for name in ("request", "response"):
            vars(self).pop(name, None)
        self.scope["headers"].clear()  # type: ignore[attr-defined]

    def write_whole(self, frame: bytes) -> bool:
        """Send a frame at once, unless the client lags or the socket is not open (any more)."""
        if self.conn.state is not OPEN or self.disconnected or not self.writable.is_set():
            return False
        self.transport.write(frame)
        return True

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self._cut_soon()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._cut_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._offered is not None:
            self._offered.pop(EXTENSION, None)
        if self._cutting is not None:
            self._cutting.cancel()

    def _cut_soon(self) -> None:
        if self._cutting is None and not self.disconnected:
            self._cutting = self.loop.call_later(GRACE, self._cut)

    def _cut(self) -> None:
        line = self.transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.transport.abort()
