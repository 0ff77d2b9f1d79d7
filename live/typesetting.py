"""How what is being written looks: for pages, now and then; between that they add plain text."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from live import database
from live.stream import Stream
from messages.markdown import render

if TYPE_CHECKING:
    from live.hub import Hub

logger = logging.getLogger(__name__)

INTERVAL = 0.5
"""Seconds between two settings of one message."""
SPARE = 10
"""Times as long as the last one took is waited until the next, if that is longer."""
TICK = 0.1


class Typesetter:
    """Renders one message at a time, in a thread, once for all who watch it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def run(self) -> None:
        while True:
            await self._hub.streams.begun.wait()
            await asyncio.sleep(TICK)
            for stream in self._hub.streams:
                if self._is_due(stream):
                    await self._set(stream)

    def _is_due(self, stream: Stream) -> bool:
        if stream.text == stream.typeset or self._hub.loop.time() < stream.typeset_at:
            return False
        return any(seat.socket.html for seat, _ in self._hub.streams.watchers(stream))

    async def _set(self, stream: Stream) -> None:
        began = self._hub.loop.time()
        attempt, text = stream.attempt, stream.text
        stream.typeset = text
        try:
            html = (await database.run(render, text)).html
            if stream.attempt == attempt:
                self._show(stream, len(text), html)
        except Exception:
            logger.exception("What is being written could not be rendered.")
        now = self._hub.loop.time()
        stream.typeset_at = now + max(INTERVAL, SPARE * (now - began))

    def _show(self, stream: Stream, length: int, html: str) -> None:
        """The rendered beginning, and the plain text that came meanwhile."""
        self._hub.streams.tell(stream)
        frame = stream.write(length, html=html)
        for seat, told in self._hub.streams.watchers(stream):
            if seat.socket.html and told.length >= length:
                seat.socket.send(frame)
                told.length = len(stream.text)
