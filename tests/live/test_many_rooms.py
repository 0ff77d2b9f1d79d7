"""More rooms at once than a query can name one by one."""

import asyncio
import logging

import pytest

from live import database
from live.hub import Hub
from messages.models import Message
from rooms.models import Participant, Room
from tests.live.client import PATIENCE, Client
from tests.process import wait_for
from tests.world import World

MANY = 1_100


def open_rooms(world: World) -> list[Room]:
    """As verbs would leave them, in a few statements."""
    rooms = Room.objects.bulk_create(
        Room(name=f"Room {n}", created_by=world.ben, revision=1, people_revision=1)
        for n in range(MANY)
    )
    Participant.objects.bulk_create(
        Participant(room=room, user=world.ben if room.pk % 2 else world.cleo, role="owner")
        for room in rooms
    )
    return rooms


def say_everywhere(world: World, rooms: list[Room], revision: int = 2) -> None:
    """In a way that wakes nobody: by another process, whose wakes were lost."""
    Message.objects.bulk_create(
        Message(
            room=room,
            author=world.system,
            audience="everyone",
            body="news",
            revision=revision,
            to=[],
        )
        for room in rooms
    )
    pks = [room.pk for room in rooms]
    Room.objects.filter(pk__in=pks).update(revision=revision, people_revision=revision)


async def test_news_of_a_thousand_rooms_at_once_arrive(
    world: World, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    rooms = await database.run(open_rooms, world)
    await Client.of(world.cleo)
    ben = await Client.of(world.ben, next(room.pk for room in rooms if room.pk % 2))
    await ben.frame("joined")
    await database.run(say_everywhere, world, rooms)
    with caplog.at_level(logging.ERROR):
        await hub.check_heads()
        await ben.message("news")
        await asyncio.to_thread(
            wait_for, lambda: all(hub.rooms[room.pk].mark == 2 for room in rooms), PATIENCE
        )
    assert not caplog.records


async def test_a_room_whose_news_cannot_be_handed_on_holds_up_no_other(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = await Client.of(world.ben, world.public.pk)
    await ben.frame("joined")
    broken = hub.rooms[world.team.pk]
    assert broken.pk < world.public.pk, "it comes first"
    monkeypatch.setattr(broken, "hand_on", None)
    await database.run(say_everywhere, world, [world.team, world.public], 100)
    await hub.check_heads()
    await ben.message("news")
