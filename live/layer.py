"""The channel layer, touched nowhere else: hints between processes, which may be lost.

One process alone needs none: what it posts itself it hands to its hub directly.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.conf import settings

logger = logging.getLogger(__name__)

EVERY_PROCESS = "live.all"


def is_shared() -> bool:
    """Whether there may be other processes to be told."""
    return not isinstance(get_channel_layer(), InMemoryChannelLayer)


def shard_of(room: int) -> str:
    """The group that hears of a room. Groups are few, so that joining them costs little."""
    return f"live.rooms.{room % settings.CHAT_LAYER_SHARDS}"


def publish(group: str, message: dict[str, Any]) -> None:
    """Tell a group from any thread, without waiting. What fails is logged, and heals by itself."""
    if is_shared():
        asyncio.run_coroutine_threadsafe(_send(group, message), _loop())


async def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    try:
        await layer.group_send(group, {"type": "live", **message})
    except Exception as problem:
        logger.warning("The channel layer took no message: %s", problem)


class Subscription:
    """What one process hears. Groups that could not be joined are tried again by `mend`."""

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._joined: set[str] = set()
        self._layer = get_channel_layer()
        self._channel = ""
        self._mending = asyncio.Lock()

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        self._channel = await self._layer.new_channel()
        await self.mend()
        while True:
            try:
                yield await self._layer.receive(self._channel)
            except asyncio.CancelledError:
                raise
            except Exception as problem:
                logger.warning("The channel layer gave no message: %s", problem)
                await asyncio.sleep(1)

    async def join(self, group: str) -> None:
        self._wanted.add(group)
        await self.mend()

    async def leave(self, group: str) -> None:
        self._wanted.discard(group)
        await self.mend()

    async def mend(self) -> None:
        """Be in just the wanted groups."""
        if not self._channel:
            return
        async with self._mending:
            try:
                for group in self._wanted - self._joined:
                    await self._layer.group_add(group, self._channel)
                    self._joined.add(group)
                for group in self._joined - self._wanted:
                    await self._layer.group_discard(group, self._channel)
                    self._joined.discard(group)
            except Exception as problem:
                logger.warning("The channel layer took no subscription: %s", problem)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One loop a process for telling others: a loop a call would mean a connection a call."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="live-layer", daemon=True).start()
    return loop
