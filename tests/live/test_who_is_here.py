"""Presence: who is here, away or gone, over all sockets and processes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from live import listeners
from live.database import run
from live.hub import Hub
from live.models import Presence
from tests.live.client import Client
from tests.world import World


def hold(world_user, process: str, state: str = "online", seconds: float = 60) -> None:
    """As another process does."""
    Presence.objects.hold(process, {world_user.pk: state})
    expires = timezone.now() + timedelta(seconds=seconds)
    Presence.objects.filter(process=process).update(expires_at=expires)


async def test_coming_and_going_is_told_to_who_shares_a_room(
    world: World, quick: None, hub: Hub
) -> None:
    ben, amy = await Client.into(world.ben, world.team.pk), await Client.of(world.amy)
    cleo = await Client.of(world.cleo)
    came = await ben.frame("presence", user=world.cleo.pk)
    assert came.keys() == {"type", "user", "state", "since"}
    assert came["state"] == "online"
    await cleo.disconnect()
    await ben.frame("presence", user=world.cleo.pk, state="offline")
    await amy.settle()
    assert amy.of_type("presence") == []


async def test_one_is_away_when_all_ones_sockets_are(world: World, quick: None, hub: Hub) -> None:
    ben = await Client.into(world.ben, world.team.pk)
    phone, desk = await Client.of(world.cleo), await Client.of(world.cleo)
    await ben.frame("presence", user=world.cleo.pk, state="online")
    await phone.send("presence", state="away")
    await phone.settle()
    await desk.send("presence", state="away")
    await ben.frame("presence", user=world.cleo.pk, state="away")
    await phone.send("presence", state="active")
    await ben.frame("presence", user=world.cleo.pk, state="online")
    await phone.disconnect()
    await ben.frame("presence", user=world.cleo.pk, state="away")
    assert ben.of_type("presence") == []


async def test_who_joins_is_told_how_people_stand(world: World, quick: None, hub: Hub) -> None:
    watching = await Client.into(world.ben, world.team.pk)
    away = await Client.of(world.cleo)
    await away.send("presence", state="away")
    await watching.frame("presence", user=world.cleo.pk, state="away")
    fresh = await Client.into(world.vic, world.team.pk)
    standing = {person["handle"]: person["presence"] for person in fresh.joined["people"]}
    assert standing["cleo"] == "away"
    assert standing["ben"] == "online"
    assert standing["dee"] == "offline"


async def test_customers_do_not_hear_of_supervisors(world: World, quick: None, hub: Hub) -> None:
    carl, ada = [await Client.into(user, world.support.pk) for user in (world.carl, world.ada)]
    await carl.frame("presence", user=world.ada.pk)
    sue = await Client.of(world.sue)
    await ada.frame("presence", user=world.sue.pk, state="online")
    dora = await Client.of(world.dora)
    await carl.frame("presence", user=world.dora.pk, state="online")
    assert carl.of_type("presence") == []
    assert sue.closed is dora.closed is None


async def test_large_rooms_are_silent(world: World, quick: None, hub: Hub, settings) -> None:
    settings.CHAT_PRESENCE_MAX_ROOM = 2
    ben, vic = [await Client.into(user, world.team.pk) for user in (world.ben, world.vic)]
    cleo = await Client.of(world.cleo)
    await ben.frame("presence", user=world.cleo.pk, state="online")  # by their direct room
    await vic.settle()
    assert vic.of_type("presence") == []
    assert cleo.closed is None


async def test_who_is_also_elsewhere_does_not_go(world: World, quick: None, hub: Hub) -> None:
    ben = await Client.into(world.ben, world.team.pk)
    await run(hold, world.cleo, "elsewhere")
    cleo, vic = await Client.of(world.cleo), await Client.of(world.vic)
    for user in (world.cleo, world.vic):
        await ben.frame("presence", user=user.pk, state="online")
    await cleo.disconnect()
    await vic.disconnect()
    await ben.frame("presence", user=world.vic.pk, state="offline")
    assert [f for f in ben.of_type("presence") if f["user"] == world.cleo.pk] == []


async def test_leases_of_a_process_that_died_end(
    world: World, quick: None, hub: Hub, settings
) -> None:
    settings.CHAT_THROTTLES = False
    settings.CHAT_PRESENCE_RENEW = 0.05
    await run(hold, world.cleo, "died")
    ben = await Client.into(world.ben, world.team.pk)
    (cleo,) = [p for p in ben.joined["people"] if p["handle"] == "cleo"]
    assert cleo["presence"] == "online"
    await run(hold, world.cleo, "died", "online", -1)
    await ben.frame("presence", user=world.cleo.pk, state="offline")
    while await run(Presence.objects.filter(process="died").exists):
        await ben.settle()  # gone for all from the moment it expired, and swept soon after


async def test_our_own_leases_are_held(world: World, quick: None, hub: Hub, settings) -> None:
    settings.CHAT_THROTTLES = False
    settings.CHAT_PRESENCE_RENEW = 0.05
    ben, cleo = [await Client.into(user, world.team.pk) for user in (world.ben, world.cleo)]
    await ben.frame("presence", user=world.cleo.pk, state="online")
    mine = Presence.objects.filter(user=world.cleo)
    soon = timezone.now() + timedelta(seconds=5)
    await run(mine.update, expires_at=soon)
    while (await run(mine.get)).expires_at <= soon:
        await cleo.settle()
    assert ben.of_type("presence") == []


async def test_with_the_process_its_people_go(world: World, quick: None, hub: Hub) -> None:
    ben = await Client.into(world.ben, world.team.pk)
    cleo = await Client.of(world.cleo)
    await ben.frame("presence", user=world.cleo.pk, state="online")
    assert await run(Presence.objects.count) >= 1
    await hub.stop()
    assert await run(Presence.objects.count) == 0
    assert cleo.frames[-1]["type"] == "bye"


async def test_a_fault_does_not_end_it_for_ever(
    world: World, quick: None, hub: Hub, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = await Client.into(world.ben, world.team.pk)
    settings.CHAT_THROTTLES = False
    failed: list[int] = []
    with monkeypatch.context() as broken:
        broken.setattr("live.presence._write", lambda *_: failed.append(1) or 1 / 0)
        cleo = await Client.of(world.cleo)
        while not failed:
            await cleo.settle()
    await ben.frame("presence", user=world.cleo.pk, state="online")


async def test_a_status_is_told_to_colleagues_around_and_to_oneself(
    world: World, quick: None, hub: Hub
) -> None:
    ben, gus = [await Client.into(user, world.team.pk) for user in (world.ben, world.gus)]
    amy, cleo = await Client.of(world.amy), await Client.of(world.cleo)
    await run(world.cleo.set_status, "🌴", "On holiday", until=None, by=world.cleo)
    told = {"emoji": "🌴", "text": "On holiday", "expires_at": None}
    await ben.frame("status", user=world.cleo.pk, status=told)
    await cleo.frame("status", user=world.cleo.pk, status=told)
    await run(world.cleo.clear_status, by=world.cleo)
    await ben.frame("status", user=world.cleo.pk, status=None)
    for other in (gus, amy):
        await other.settle()
        assert other.of_type("status") == []


async def test_customers_hear_no_status_of_their_agents(
    world: World, quick: None, hub: Hub
) -> None:
    carl, sue = [await Client.into(user, world.support.pk) for user in (world.carl, world.sue)]
    await run(world.ada.set_status, "🎧", "Focusing", until=None, by=world.ada)
    await sue.frame("status", user=world.ada.pk)
    await carl.settle()
    assert carl.of_type("status") == []


async def test_who_was_removed_hears_of_nobody_even_if_no_wake_came(
    world: World, quick: None, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    gus, ben = [await Client.into(user, world.team.pk) for user in (world.gus, world.ben)]
    await gus.frame("presence", user=world.ben.pk)
    monkeypatch.setattr(listeners.hub, "in_hub", lambda work: None)
    await run(world.team.remove, world.gus, by=world.ben)
    await Client.of(world.vic)
    await ben.frame("presence", user=world.vic.pk, state="online")
    await gus.frame("left", room=world.team.pk)
    await gus.settle()
    assert gus.of_type("presence") == []
