"""Which groups a process hears, and of how many hosts."""

import asyncio
import threading
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.conf import settings as configured

from live import layer
from live.layer import Subscription
from tests.live.client import PATIENCE
from tests.live.server import ON_GROWN
from tests.process import wait_until


class SlowLayer:
    """Does what it is told once it is let."""

    def __init__(self) -> None:
        self.heard: set[str] = set()
        self.may_go_on = asyncio.Event()
        self.asked = asyncio.Event()

    async def new_channel(self) -> str:
        return "ours"

    async def receive(self, channel: str) -> dict[str, str]:
        return {"type": "live"}

    async def group_add(self, group: str, channel: str) -> None:
        self.heard.add(group)

    async def group_discard(self, group: str, channel: str) -> None:
        self.asked.set()
        await self.may_go_on.wait()
        self.heard.discard(group)


async def test_a_group_left_and_joined_again_at_once_is_heard() -> None:
    """As when the only page with rooms of that group is loaded again."""
    layer = SlowLayer()
    subscription = Subscription()
    subscription._layer = layer
    await anext(aiter(subscription))
    await subscription.join("live.rooms.1")
    leaving = asyncio.create_task(subscription.leave("live.rooms.1"))
    await layer.asked.wait()
    joining = asyncio.create_task(subscription.join("live.rooms.1"))
    layer.may_go_on.set()
    await asyncio.gather(leaving, joining)
    assert layer.heard == {"live.rooms.1"}


class SilentLayer:
    """Takes nothing until it answers."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = threading.Event()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.asked += 1
        await asyncio.to_thread(self.answers.wait, PATIENCE)


async def test_no_more_than_so_much_is_kept_for_a_host_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    silent = SilentLayer()
    monkeypatch.setattr(layer, "get_channel_layer", lambda: silent)
    monkeypatch.setattr(layer, "MOST_UNSENT", 3)
    told = {"kind": "typing"}
    sending = [asyncio.create_task(layer._send("live.all", told)) for _ in range(5)]
    done, _ = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
    assert (silent.asked, len(done)) == (3, 2)
    assert "no more is kept" in caplog.text
    silent.answers.set()
    await asyncio.gather(*sending)
    await layer._send("live.all", told)
    assert silent.asked == 4


class BrokenLayer:
    """Takes what it is told but for what is `broken`."""

    def __init__(self, *broken: str) -> None:
        self.broken = set(broken)
        self.heard: set[str] = set()

    async def new_channel(self) -> str:
        if "new_channel" in self.broken:
            self.broken.clear()
            raise ConnectionError
        return "ours"

    async def receive(self, channel: str) -> dict[str, str]:
        return {"type": "live"}

    async def group_add(self, group: str, channel: str) -> None:
        if group in self.broken:
            raise ConnectionError
        self.heard.add(group)


async def hearing(layer: object, *groups: str) -> Subscription:
    subscription = Subscription()
    subscription._layer = layer
    for group in groups:
        await subscription.join(group)
    await anext(aiter(subscription))
    return subscription


async def test_a_layer_that_was_away_at_the_start_is_heard_once_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layer, "RETRY", 0)
    away = BrokenLayer("new_channel")
    await hearing(away, "live.all")
    await wait_until(lambda: away.heard == {"live.all"})


@pytest.mark.parametrize("broken", ["a", "b", "c"])
async def test_a_group_that_cannot_be_joined_keeps_us_from_no_other(broken: str) -> None:
    """As where one of several hosts is away."""
    one = BrokenLayer(broken)
    subscription = await hearing(one, "a", "b", "c")
    await wait_until(lambda: one.heard == {"a", "b", "c"} - {broken})
    one.broken.clear()
    await subscription.mend()
    assert one.heard == {"a", "b", "c"}


async def test_a_host_that_is_silent_keeps_no_word_of_another_from_us() -> None:
    class Silent(BrokenLayer):
        async def group_add(self, group: str, channel: str) -> None:
            if group in self.broken:
                await asyncio.Event().wait()
            await super().group_add(group, channel)

    one = Silent("a")
    await asyncio.wait_for(hearing(one, "a", "b"), PATIENCE)
    await wait_until(lambda: one.heard == {"b"})


async def test_what_waits_for_a_silent_host_keeps_no_word_from_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Silent(SilentLayer):
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            if group == "silent":
                await super().group_send(group, message)
            else:
                self.heard = group

    silent = Silent()
    monkeypatch.setattr(layer, "get_channel_layer", lambda: silent)
    monkeypatch.setattr(layer, "MOST_UNSENT", 3)
    sending = [asyncio.create_task(layer._send("silent", {})) for _ in range(5)]
    await wait_until(lambda: silent.asked == 3)
    await layer._send("other", {})
    assert silent.heard == "other"
    silent.answers.set()
    await asyncio.gather(*sending)


AWAY = "redis://127.0.0.1:1/0"


@ON_GROWN
async def test_groups_are_shared_out_among_the_hosts(settings) -> None:
    """So those of one that is away are not heard, and all others are."""
    here = configured.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]
    use_hosts(settings, here, {"address": AWAY})
    settings.CHAT_LAYER_SHARDS = 8
    groups = {layer.shard_of(room) for room in range(100)}
    shards = get_channel_layer()._get_layer()
    there = {group for group in groups if shards._get_shard(named(group)).host == here}
    assert len(there) == 4
    heard: set[str] = set()
    hearing = asyncio.create_task(hear_all(groups, heard))
    async with asyncio.timeout(PATIENCE):
        while heard != there:
            layer.publish_all({group: {"group": group} for group in groups})
            await asyncio.sleep(0.05)
    hearing.cancel()


async def hear_all(groups: set[str], heard: set[str]) -> None:
    subscription = Subscription()
    for group in groups:
        await subscription.join(group)
    async for message in subscription:
        heard.add(message["group"])


def use_hosts(settings, *hosts: dict[str, Any]) -> None:
    """As REDIS_URL lists them."""
    known = settings.CHANNEL_LAYERS["default"]
    settings.CHANNEL_LAYERS = {"default": {**known, "CONFIG": {**known["CONFIG"], "hosts": hosts}}}


def named(group: str) -> str:
    return get_channel_layer()._get_layer()._get_group_channel_name(group)
