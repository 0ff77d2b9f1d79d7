"""The channel layer, touched nowhere else: hints between processes, which may be lost.

One process alone needs none: what it posts itself it hands to its hub directly.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.conf import settings

logger = logging.getLogger(__name__)

EVERY_PROCESS = "live.all"
RETRY = 1.0
"""Seconds until what the layer did not do is tried again."""
MOST_UNSENT = 200
"""Messages for a group whose host does not answer; more are not kept, as all may be lost."""


def is_shared() -> bool:
    """Whether there may be other processes to be told."""
    return not isinstance(get_channel_layer(), InMemoryChannelLayer)


def shard_of(room: int) -> str:
    """The group that hears of a room. Groups are few, so that joining them costs little.

    Hosts share them by the CRC of their names, evenly where these differ by single bits: by
    decimal digits, one of two hosts had 26 groups of 32.
    """
    return f"live.rooms.{room % settings.CHAT_LAYER_SHARDS:010b}"


def publish(group: str, message: dict[str, Any]) -> None:
    """Tell a group from any thread, without waiting. What fails is logged, and heals by itself."""
    publish_all({group: message})


def publish_all(messages: Mapping[str, dict[str, Any]]) -> None:
    """Tell each group its own."""
    if is_shared():
        asyncio.run_coroutine_threadsafe(_send_all(messages), _loop())


async def _send_all(messages: Mapping[str, dict[str, Any]]) -> None:
    """Side by side: a host that does not answer keeps no word from another's groups."""
    await asyncio.gather(*(_send(group, message) for group, message in messages.items()))


async def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    try:
        with _unsent(group):
            await layer.group_send(group, {"type": "live", **message})
    except Exception as problem:
        logger.warning("The channel layer took no message: %s", problem)


_unsent_now: Counter[str] = Counter()
"""By group, counted by the layer's loop alone."""


@contextmanager
def _unsent(group: str) -> Iterator[None]:
    """Raises RuntimeError where too many are already."""
    if _unsent_now[group] >= MOST_UNSENT:
        raise RuntimeError("it does not answer, and no more is kept for it")
    _unsent_now[group] += 1
    try:
        yield
    finally:
        _unsent_now[group] -= 1


class Subscription:
    """What one process hears. Groups that could not be joined are tried again by `mend`.

    The groups of several hosts keep no other waiting: each is joined by itself.
    """

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._joined: set[str] = set()
        self._layer = get_channel_layer()
        self._channel = ""
        self._mending: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        while not self._channel:
            try:
                self._channel = await self._layer.new_channel()
            except Exception as problem:
                logger.warning("The channel layer cannot be heard: %s", problem)
                await asyncio.sleep(RETRY)
        mending = asyncio.create_task(self.mend())  # beside: one host that is silent is not all
        try:
            while True:
                try:
                    yield await self._layer.receive(self._channel)
                except asyncio.CancelledError:
                    raise
                except Exception as problem:
                    logger.warning("The channel layer gave no message: %s", problem)
                    await asyncio.sleep(RETRY)
        finally:
            mending.cancel()

    async def join(self, group: str) -> None:
        self._wanted.add(group)
        await self._mend(group)

    async def leave(self, group: str) -> None:
        self._wanted.discard(group)
        await self._mend(group)

    async def mend(self) -> None:
        """Be in just the wanted groups. Those at which somebody is already are left to them."""
        amiss = [one for one in self._wanted ^ self._joined if not self._mending[one].locked()]
        await asyncio.gather(*map(self._mend, amiss))

    async def _mend(self, group: str) -> None:
        if not self._channel:
            return
        async with self._mending[group]:
            try:
                if group in self._wanted and group not in self._joined:
                    await self._layer.group_add(group, self._channel)
                    self._joined.add(group)
                elif group in self._joined and group not in self._wanted:
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
