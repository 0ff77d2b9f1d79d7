"""Which groups a process hears."""

import asyncio

from live.layer import Subscription


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
