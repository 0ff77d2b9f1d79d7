"""What open pages are told: only their own, at once, and only what may be seen."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
import pytest_asyncio  # noqa: F401

from live.database import run
from live.hub import Hub
from notifications import frames
from notifications.models import Preferences
from tests.live.client import Client
from tests.live.conftest import hub, quick, world  # noqa: F401
from tests.world import World, again

pytestmark = pytest.mark.django_db(transaction=True)


async def test_each_socket_of_who_is_told_and_no_other_hears(world: World, hub: Hub) -> None:  # noqa: F811
    phone, desk = await Client.of(world.cleo), await Client.into(world.cleo, world.team.pk)
    vic, ben = await Client.of(world.vic), await Client.of(world.ben)
    message = await run(world.say, world.team, world.ben, "@cleo look")
    for client in (phone, desk):
        told = await client.frame("notification")
        assert (told["notification"]["message"], told["quiet"]) == (message.pk, False)
    await run(world.say, world.team, world.ben, "@vic look")
    await vic.frame("notification")
    assert phone.of_type("notification") == ben.of_type("notification") == []


async def test_who_has_read_it_meanwhile_is_left_alone(world: World, hub: Hub) -> None:  # noqa: F811
    message = await run(world.say, world.team, world.ben, "@cleo look")
    assert len(await run(frames.look, [world.cleo.pk], [message.pk])) == 1
    await run(message.mark_read, by=world.cleo)
    assert await run(frames.look, [world.cleo.pk], [message.pk]) == []


async def test_quiet_hours_are_said(world: World, hub: Hub) -> None:  # noqa: F811
    def rest() -> None:
        cleo = again(world.cleo)
        own = Preferences.objects.of(cleo)
        own.change(by=cleo, quiet_from=time(0), quiet_until=time(0))

    await run(rest)
    cleo = await Client.of(world.cleo)
    await run(world.say, world.team, world.ben, "@cleo look")
    assert (await cleo.frame("notification"))["quiet"] is True


async def test_choices_that_cannot_be_read_silence_nobody_else(world: World, hub: Hub) -> None:  # noqa: F811
    def spoil() -> None:
        always = {"quiet_from": time(0), "quiet_until": time(0)}
        Preferences.objects.create(user=world.cleo, quiet_days="", **always)

    await run(spoil)
    vic = await Client.of(world.vic)
    await Client.of(world.cleo)
    await run(world.say, world.team, world.ben, "@cleo @vic look")
    await vic.frame("notification")


async def test_a_fault_does_not_end_it_for_ever(
    world: World,  # noqa: F811
    hub: Hub,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    settings.CHAT_THROTTLES = False
    cleo = await Client.of(world.cleo)
    with monkeypatch.context() as broken:
        failed: list[int] = []
        broken.setattr(frames, "look", lambda *_: failed.append(1) or 1 / 0)
        await run(world.say, world.team, world.ben, "@cleo one")
        while not failed:
            await cleo.settle()
    await run(world.say, world.team, world.ben, "@cleo two")
    assert (await cleo.frame("notification"))["notification"]["excerpt"] == "@cleo two"
