"""A room that this process learns of while somebody is coming in."""

import asyncio
import threading
from typing import Any

import pytest

from live import arrival, database, layer
from live.hub import Hub
from live.room import Seat
from messages.models import Message
from rooms.models import Participant, Room
from tests.live.client import PATIENCE, Client
from tests.process import wait_for
from tests.world import World


def open_unheard(world: World) -> Room:
    """As another process does whose wake is still under way."""
    room = Room.objects.create(name="New", created_by=world.ben, revision=1, people_revision=1)
    Participant.objects.create(room=room, user=world.ben, role="owner")
    return room


def say_unheard(world: World, room: Room) -> None:
    Message.objects.create(
        room=room, author=world.system, audience="everyone", body="news", revision=2, to=[]
    )
    Room.objects.filter(pk=room.pk).update(revision=2)


class SlowReading:
    """What somebody finds who comes in is told once it may be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_tell = threading.Event()
        self._has_read = threading.Event()
        self._read = arrival.read_arrivals
        monkeypatch.setattr(arrival, "read_arrivals", self._read_slowly)

    async def done(self) -> None:
        assert await asyncio.to_thread(self._has_read.wait, PATIENCE)

    def _read_slowly(self, *args: Any, **how: Any) -> list[arrival.Arrival | Exception]:
        came = self._read(*args, **how)
        self._has_read.set()
        assert self.may_tell.wait(PATIENCE)
        return came


async def test_what_is_said_while_the_first_comes_in_is_told(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = await Client.of(world.ben)
    await ben.settle()
    room = await database.run(open_unheard, world)
    reading = SlowReading(monkeypatch)
    await ben.send("join", room=room.pk)
    await reading.done()
    await database.run(say_unheard, world, room)
    hub.wake(room.pk, 2)
    await asyncio.to_thread(wait_for, lambda: hub.rooms[room.pk].mark == 2)
    reading.may_tell.set()
    await ben.message("news")


async def test_who_comes_in_while_people_change_is_told_once(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.run(world.team.invite, world.otto, by=world.ben)
    otto = await Client.of(world.otto)
    await otto.settle()
    reading = SlowReading(monkeypatch)
    over: list[Seat] = []
    monkeypatch.setattr(hub.usher, "start_over", over.append)
    await otto.send("join", room=world.team.pk)
    await reading.done()
    room = hub.rooms[world.team.pk]
    before = room.people_revision
    await database.run(world.team.change_role, world.gus, "viewer", by=world.ben)
    await asyncio.to_thread(wait_for, lambda: room.people_revision > before)
    reading.may_tell.set()
    await otto.frame("joined")
    assert over == []


class SlowLayer:
    """Takes subscriptions once it is let."""

    def __init__(self) -> None:
        self.asked, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def group_add(self, group: str, channel: str) -> None:
        self.asked.set()
        await self.may_go_on.wait()

    async def group_discard(self, group: str, channel: str) -> None:
        """Nobody asks what is still heard."""

    async def receive(self, channel: str) -> dict[str, Any]:
        return await asyncio.Future()


async def test_what_is_said_before_wakes_are_heard_is_told(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer, "is_shared", lambda: True)
    slow = SlowLayer()
    hub._subscription._layer, hub._subscription._channel = slow, "ours"
    room = await database.run(open_unheard, world)
    ben = await Client.of(world.ben, room.pk)
    await ben.frame("joined")
    await asyncio.wait_for(slow.asked.wait(), PATIENCE)
    await database.run(say_unheard, world, room)
    slow.may_go_on.set()
    await ben.message("news")
