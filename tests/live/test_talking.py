"""People in a room, live."""

import pytest

from live.hub import Hub
from tests.live.client import Client
from tests.world import World

pytestmark = pytest.mark.asyncio


async def test_a_message_reaches_everyone_in_the_room(world: World, hub: Hub) -> None:
    ben = await Client.of(world.ben, world.team.pk)
    cleo = await Client.of(world.cleo, world.team.pk)
    await ben.frame("joined")
    await cleo.frame("joined")
    posted = await ben.post(world.team.pk, "hi **all**")
    assert posted["message"]["html"] == "<p>hi <strong>all</strong></p>\n"
    assert not posted["replayed"]
    assert (await cleo.message("hi **all**"))["id"] == posted["message"]["id"]
    assert (await ben.message("hi **all**"))["id"] == posted["message"]["id"]


async def test_a_whisper_reaches_its_two_ends_and_no_one_else(world: World, hub: Hub) -> None:
    ben, cleo, gus = [
        await Client.into(user, world.team.pk) for user in (world.ben, world.cleo, world.gus)
    ]
    await ben.post(world.team.pk, "psst", audience="only", to=[world.cleo.pk])
    await ben.post(world.team.pk, "aloud")
    await cleo.message("psst")
    await gus.message("aloud")
    assert gus.bodies == ["aloud"]
