"""Two server processes on PostgreSQL and Redis serve one room as one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import pytest_asyncio
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoDbBlocker

from accounts.models import User
from live import database
from live.models import Presence
from rooms.models import Room
from tests.live.client import PATIENCE
from tests.live.remote import Remote
from tests.live.server import ON_GROWN, LiveServer, OwnRedis, environment, own_redis, servers
from tests.live.writing import Watcher, Writer
from tests.world import World

pytestmark = [ON_GROWN, pytest.mark.django_db]

NEVER = "3600"

Come = Callable[..., Awaitable[Remote]]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """One for all tests here, since servers are slow to start: each has a room of its own."""
    with django_db_blocker.unblock():
        yield World()
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def room(world: World) -> int:
    """Opened in a thread: what the test's own connection writes, no server would see."""
    with ThreadPoolExecutor(1) as outside:
        return outside.submit(open_room, world).result()


def open_room(world: World) -> int:
    try:
        people = [world.cleo, world.vic, world.ada]
        room = Room.objects.open("Common", by=world.ben, people=people)
        room.invite(world.gus, by=world.ben)
        room.change_role(world.vic, "viewer", by=world.ben)
        return room.pk
    finally:
        connection.close()


@pytest.fixture(scope="module")
def redis() -> Iterator[OwnRedis]:
    with own_redis() as redis:
        yield redis


@pytest.fixture(scope="module")
def pair(
    world: World, redis: OwnRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[LiveServer]]:
    """Two that hear of each other through Redis alone: no head check comes to help."""
    folder = tmp_path_factory.mktemp("pair")
    one = environment(folder, REDIS_URL=redis.url, CHAT_HEAD_CHECK_INTERVAL=NEVER)
    with servers(one, one) as pair:
        yield pair


@pytest.fixture(scope="module")
def deaf_pair(
    world: World, redis: OwnRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[LiveServer]]:
    """Two that never hear of each other: every wake is lost, and only the head check heals."""
    one = environment(
        tmp_path_factory.mktemp("deaf"),
        REDIS_URL=redis.url,
        CHAT_HEAD_CHECK_INTERVAL="1",
        CHAT_PRESENCE_RENEW="1",
        CHAT_PRESENCE_LEASE="3",
    )
    with servers(
        {**one, "CHAT_REDIS_PREFIX": "deaf-a"}, {**one, "CHAT_REDIS_PREFIX": "deaf-b"}
    ) as pair:
        yield pair


@pytest_asyncio.fixture
async def come() -> AsyncIterator[Come]:
    """`await come(world.ben, server, room)`: there, connected, and gone after the test."""
    here: list[Remote] = []

    async def come(user: User, server: LiveServer, room: int | None = None) -> Remote:
        here.append(await Remote.at(server, user, room))
        return here[-1]

    yield come
    for remote in here:
        await remote.disconnect()


async def test_two_processes_serve_one_room_as_one(
    world: World, pair: list[LiveServer], room: int, come: Come
) -> None:
    here, there = pair
    ben = await come(world.ben, here, room)
    cleo, gus = await come(world.cleo, there, room), await come(world.gus, there, room)

    said = (await ben.post(room, "hello over there"))["message"]
    assert (await cleo.message("hello over there"))["id"] == said["id"]
    await cleo.post(room, "hello over here")
    await ben.message("hello over here")

    await ben.post(room, "psst", audience="only", to=[world.cleo.pk])
    await cleo.message("psst")

    await ben.call("PATCH", f"messages/{said['id']}/", at=there, body="hello again")
    assert (await cleo.message("hello again"))["version"] == 2
    assert (await ben.message("hello again"))["version"] == 2
    await ben.call("DELETE", f"messages/{said['id']}/", at=here)
    assert (await cleo.message(""))["deleted_at"]
    await gus.message("")
    assert "psst" not in gus.bodies


async def test_who_comes_and_goes_does_so_in_both_processes(
    world: World, pair: list[LiveServer], room: int, come: Come
) -> None:
    here, there = pair
    people = f"rooms/{room}/participants/"
    ben = await come(world.ben, here, room)
    cleo, gus, vic = [await come(user, there, room) for user in (world.cleo, world.gus, world.vic)]
    otto = await come(world.otto, there)

    await ben.call("POST", people, at=here, user=world.otto.pk)
    assert (await otto.frame("activity"))["room"] == room
    await otto.send("join", room=room)
    await otto.frame("joined")
    await ben.post(room, "welcome")
    await otto.message("welcome")

    await ben.call("PATCH", f"{people}{world.vic.pk}/", at=here, role="member")
    await vic.frame("reset", room=room)
    assert (await vic.frame("joined"))["me"]["role"] == "member"

    await ben.call("DELETE", f"{people}{world.gus.pk}/", at=here)
    assert (await gus.frame("left"))["reason"] == "removed"
    await ben.post(room, "without gus")
    await cleo.message("without gus")
    await gus.settle()
    assert "without gus" not in gus.bodies


async def test_who_is_there_types_and_reads_is_told_in_both_processes(
    world: World, pair: list[LiveServer], room: int, come: Come
) -> None:
    here, there = pair
    cleo = await come(world.cleo, there, room)
    ada = await come(world.ada, here, room)
    gus, too = await come(world.gus, there, room), await come(world.ada, there, room)
    await cleo.frame("presence", user=world.ada.pk, state="online")

    await ada.send("typing", room=room)
    assert (await cleo.frame("typing"))["user"] == world.ada.pk
    await gus.frame("typing", audience="everyone")
    await ada.send("typing", room=room, audience="only", to=[world.cleo.pk])
    await cleo.frame("typing", audience="only")

    said = (await cleo.post(room, "read me"))["message"]["id"]
    await ada.message("read me")
    await ada.send("read", room=room, message=said)
    assert (await too.frame("read"))["message"] == said
    assert (await cleo.frame("read", user=world.ada.pk))["message"] == said
    await gus.frame("read")
    assert not [frame for frame in gus.frames if frame["type"] == "typing"]

    await too.send("presence", state="away")
    await too.settle()
    await ada.disconnect()
    await cleo.frame("presence", user=world.ada.pk, state="away")
    await too.disconnect()
    await cleo.frame("presence", user=world.ada.pk, state="offline")


async def test_signing_out_at_one_closes_the_socket_at_the_other(
    world: World, pair: list[LiveServer], room: int, come: Come
) -> None:
    here, there = pair
    ben, cleo = await come(world.ben, there), await come(world.cleo, there)
    await ben.call("POST", "auth/logout/", at=here, refresh=ben.refresh)
    assert (await ben.frame("bye"))["reason"] == "signed_out"
    assert await ben.closing() == 4001
    await cleo.settle()


async def test_lost_wakes_heal_by_the_head_check(
    world: World, deaf_pair: list[LiveServer], room: int, come: Come
) -> None:
    here, there = deaf_pair
    people = f"rooms/{room}/participants/"
    ben = await come(world.ben, here, room)
    cleo, gus, vic = [await come(user, there, room) for user in (world.cleo, world.gus, world.vic)]
    otto = await come(world.otto, there)

    said = (await ben.post(room, "unheard"))["message"]["id"]
    await cleo.message("unheard")
    await ben.call("PATCH", f"messages/{said}/", at=here, body="unheard of")
    await cleo.message("unheard of")

    await ben.call("POST", people, at=here, user=world.otto.pk)
    assert (await otto.frame("activity"))["room"] == room
    await ben.call("PATCH", f"{people}{world.vic.pk}/", at=here, role="member")
    await vic.frame("reset", room=room)

    await ben.call("DELETE", f"{people}{world.gus.pk}/", at=here)
    await ben.post(room, "without gus")
    await cleo.message("without gus")
    await gus.frame("left")
    assert "without gus" not in gus.bodies

    await cleo.call("POST", "auth/logout/", at=here, refresh=cleo.refresh)
    assert (await cleo.frame("bye"))["reason"] == "signed_out"


async def test_presence_that_nobody_told_of_heals_by_the_lease(
    world: World, deaf_pair: list[LiveServer], room: int, come: Come
) -> None:
    here, there = deaf_pair
    cleo = await come(world.cleo, there, room)
    ada = await come(world.ada, here, room)
    await cleo.frame("presence", user=world.ada.pk, state="online")
    await ada.send("presence", state="away")
    await cleo.frame("presence", user=world.ada.pk, state="away")
    offline = asyncio.create_task(cleo.frame("presence", user=world.ada.pk, state="offline"))
    while not offline.done():  # what is forgotten is written anew, and may be before one has looked
        await asyncio.to_thread(forget_presence, world.ada)
        await asyncio.wait([offline], timeout=0.05)
    await offline
    await cleo.frame("presence", user=world.ada.pk, state="away")
    await ada.disconnect()
    await cleo.frame("presence", user=world.ada.pk, state="offline")


def forget_presence(user: User) -> None:
    try:
        Presence.objects.filter(user=user).delete()
    finally:
        connection.close()


async def test_a_process_that_lost_redis_listens_again(
    world: World, pair: list[LiveServer], redis: OwnRedis, room: int, come: Come
) -> None:
    here, there = pair
    ben, cleo = await come(world.ben, here, room), await come(world.cleo, there, room)
    await ben.post(room, "before")
    await cleo.message("before")
    assert await asyncio.to_thread(redis.lose_everything) >= 2

    async def say_until_heard() -> None:
        n = 0
        while not any(body.startswith("said") for body in cleo.bodies):
            n += 1
            await ben.post(room, f"said {n}")

    async with asyncio.timeout(PATIENCE):
        await say_until_heard()
    last = (await ben.post(room, "after"))["message"]["id"]
    assert (await cleo.message("after"))["id"] == last
    told = [message["id"] for message in cleo.messages]
    assert told == sorted({m["id"] for m in ben.messages}), "all of it, each once"


# What is being written, by a process that serves no sockets


async def begin_writing(world: World, room: int, seed: int = 0) -> Writer:
    def begin() -> Writer:
        return Writer(Room.objects.get(pk=room), world.ben, random.Random(seed))

    return await database.run(begin)


async def watching(writer: Writer, come: Come, at: list[LiveServer], *users: User) -> list[Watcher]:
    """Each of them in each of the processes."""

    def connecting_to(server: LiveServer) -> Callable[[User], Awaitable[Remote]]:
        return lambda user: come(user, server)

    watchers = [
        Watcher(user, writer.message.room_id, connecting_to(server), writer)
        for server in at
        for user in users
    ]
    for watcher in watchers:
        await watcher.come()
        await watcher.has_joined()
    return watchers


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[None]:
    """The threads in which things are written here let go of their connections."""
    yield
    await asyncio.to_thread(database.close)


@pytest.fixture
def heard(settings, redis: OwnRedis) -> None:
    """What is told here goes to where the pair listens."""
    layer = settings.CHANNEL_LAYERS["default"]
    there = {**layer["CONFIG"], "prefix": f"{settings.CHAT_REDIS_PREFIX}/{redis.number}"}
    settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {**there, "hosts": [redis.url]}}}


@pytest.mark.parametrize("seed", range(2))
async def test_text_is_the_same_in_both_processes(
    world: World,
    pair: list[LiveServer],
    room: int,
    come: Come,
    heard: None,
    pool: None,
    seed: int,
) -> None:
    writer = await begin_writing(world, room, seed)
    watchers = await watching(writer, come, pair, world.cleo, world.vic)
    for watcher in watchers:
        await watcher.holds(writer, "")
    for _ in range(10):
        await database.run(writer.tell)
    for watcher in watchers:
        await watcher.holds(writer, writer.text)
        assert watcher.deltas
    chance = random.Random(seed)
    for _ in range(30):
        await database.run(lambda: writer.step(by=world.ben))
        await chance.choice(watchers).step(chance)
        await asyncio.sleep(chance.choice([0, 0.01, 0.05]))
    await database.run(writer.checkpoint)
    for watcher in watchers:
        await watcher.holds_all(writer)
    await database.run(writer.finish)
    for watcher in watchers:
        await watcher.holds_all(writer)


async def test_text_of_which_no_process_hears_comes_from_the_database(
    world: World, deaf_pair: list[LiveServer], room: int, come: Come, pool: None
) -> None:
    writer = await begin_writing(world, room)
    watchers = await watching(writer, come, deaf_pair, world.cleo)
    for _ in range(2):
        await database.run(writer.tell)
        await database.run(writer.checkpoint)
        for watcher in watchers:
            await watcher.holds_all(writer)
    await database.run(writer.finish)
    for watcher in watchers:
        await watcher.holds_all(writer)


async def test_who_was_removed_elsewhere_hears_no_more_of_it(
    world: World, deaf_pair: list[LiveServer], room: int, come: Come, pool: None
) -> None:
    here, there = deaf_pair
    writer = await begin_writing(world, room)
    gus, cleo = await watching(writer, come, [there], world.gus, world.cleo)
    await database.run(writer.tell)
    await database.run(writer.checkpoint)
    for watcher in (gus, cleo):
        await watcher.holds(writer, writer.text)
    known = writer.text
    ben = await come(world.ben, here, room)
    await ben.call("DELETE", f"rooms/{room}/participants/{world.gus.pk}/", at=here)
    await database.run(writer.tell)
    await database.run(writer.checkpoint)
    await cleo.holds(writer, writer.text)
    await gus.until(lambda: not gus.is_in)
    assert gus.held[writer.pk].text == known
