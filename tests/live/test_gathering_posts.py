"""Posts that come one after the other are committed together, where that is to be expected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from live import lanes
from live.hub import Hub
from messages.models import Message
from messages.posting import Draft, Posted
from tests.live.client import PATIENCE
from tests.world import World


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many drafts each transaction had."""
    sizes: list[int] = []
    post_all: Callable[[Sequence[Draft]], list[Posted]] = Message.objects.post_all

    def counted(drafts: Sequence[Draft]) -> list[Posted]:
        sizes.append(len(drafts))
        return post_all(drafts)

    monkeypatch.setattr(Message.objects, "post_all", counted)
    return sizes


class Waits:
    """In place of asyncio in the lane: how long was waited for more, until the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.have_begun, self.are_over = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.have_begun.set()
        await self.are_over.wait()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    waits = Waits()
    monkeypatch.setattr(lanes, "asyncio", waits)
    return waits


def drafts(world: World, count: int) -> list[Draft]:
    return [Draft(room=world.team.pk, author=world.ben, body=f"{n}") for n in range(count)]


async def said(hub: Hub, some: Sequence[Draft]) -> list[Posted]:
    return await asyncio.gather(*map(hub.lane.post, some))


async def test_the_rest_of_as_many_as_last_time_is_waited_for(
    world: World, hub: Hub, batches: list[int], waits: Waits
) -> None:
    await said(hub, drafts(world, 8))
    first, *others = drafts(world, 8)
    early = asyncio.ensure_future(said(hub, [first]))
    await asyncio.wait_for(waits.have_begun.wait(), PATIENCE)
    late = asyncio.ensure_future(said(hub, others))
    await asyncio.sleep(0)
    waits.are_over.set()
    posted = [*(await early), *(await late)]
    assert batches == [8, 8]
    assert [one.message.body for one in posted] == [str(n) for n in range(8)]
    assert 0 < waits.asked[0] <= lanes.LONGEST


async def test_nobody_waits_who_was_alone_last_time_or_who_is_enough(
    world: World, hub: Hub, batches: list[int], waits: Waits
) -> None:
    for count in (1, 1, 3, 3, 5):
        await said(hub, drafts(world, count))
    assert batches == [1, 1, 3, 3, 5]
    assert waits.asked == []
