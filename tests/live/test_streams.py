"""Messages that are written bit by bit: what watchers hold is always the beginning of the whole.

CHAT_TESTS_SEEDS=50 tries more lives than the few of the suite.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client as DjangoClient

from accounts import tokens
from accounts.models import Login, User
from live import arrival
from live import hub as hubs
from live.database import run
from live.foyer import Comer, Foyer
from live.hub import Hub
from live.stream import Stream
from messages import cursor
from messages.models import Message
from rooms.models import Room
from tests.live.client import PATIENCE, Client
from tests.live.writing import Watcher, Writer
from tests.process import wait_for
from tests.world import World

Step = Callable[[], None]

SEEDS = range(int(os.environ.get("CHAT_TESTS_SEEDS") or 4))
STEPS = 60


@pytest.fixture(autouse=True)
def quick_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("live.streams.INTERVAL", 0.02)
    monkeypatch.setattr("live.streams.QUIET", 0.1)
    monkeypatch.setattr("live.typesetting.TICK", 0.02)
    monkeypatch.setattr("live.typesetting.INTERVAL", 0.05)


@pytest.fixture
def lossy(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in six of the wakes, hand-overs and deltas of this process is lost."""
    chance, tell = random.Random(1), hubs.in_hub

    def perhaps(work: Callable[[Hub], None]) -> None:
        if chance.random() > 1 / 6:
            tell(work)

    monkeypatch.setattr(hubs, "in_hub", perhaps)


async def connect(user: User) -> Client:
    return await Client.of(user)


async def connect_page(user: User) -> Client:
    return await Client.of(user, render="html")


async def watching(world: World, writer: Writer, *users: User) -> list[Watcher]:
    watchers = [Watcher(user, writer.message.room_id, connect, writer) for user in users]
    for watcher in watchers:
        await watcher.come()
        await watcher.has_joined()
    return watchers


async def written(world: World, **how: object) -> Writer:
    return await run(lambda: Writer(world.team, world.parrot, random.Random(0), **how))


@pytest.mark.parametrize("seed", SEEDS)
async def test_everyone_holds_the_beginning_of_the_whole_and_at_last_all_of_it(
    world: World, hub: Hub, lossy: None, seed: int
) -> None:
    chance = random.Random(seed)
    writers = [
        await run(lambda: Writer(world.team, world.parrot, random.Random(seed))) for _ in range(2)
    ]
    users = [world.ben, world.cleo, world.vic, world.gus, world.ben, world.cleo]
    how = [connect, connect, connect, connect, connect_page, connect_page]
    watchers = [
        Watcher(user, world.team.pk, by, *writers) for user, by in zip(users, how, strict=True)
    ]
    for watcher in watchers:
        await watcher.come()
    done = asyncio.Event()

    async def write(writer: Writer) -> None:
        for _ in range(STEPS):
            await run(lambda: writer.step(by=world.ben))
            for _ in range(chance.randint(0, 4)):
                await run(lambda: None)

    async def wander(watcher: Watcher) -> None:
        while not done.is_set():
            await watcher.step(chance)
            for _ in range(chance.randint(1, 20)):
                await run(lambda: None)

    wandering = [asyncio.create_task(wander(watcher)) for watcher in watchers]
    await asyncio.gather(*(write(writer) for writer in writers))
    done.set()
    await asyncio.gather(*wandering)
    for writer in writers:
        await run(writer.checkpoint)
    for watcher in watchers:
        for writer in writers:
            await watcher.holds_all(writer)
    for writer in writers:
        await run(writer.finish)
    for watcher in watchers:
        for writer in writers:
            await watcher.holds_all(writer)
    assert sum(watcher.deltas for watcher in watchers) > STEPS


# What joins, catches up and is told again


async def test_a_newcomer_begins_where_its_join_ends(world: World, hub: Hub) -> None:
    writer = await written(world)
    (ben,) = await watching(world, writer, world.ben)
    await run(lambda: writer.tell(3))
    await run(writer.checkpoint)
    (cleo,) = await watching(world, writer, world.cleo)
    await cleo.holds(writer, writer.text)
    assert cleo.deltas == 0
    await run(writer.tell)
    for watcher in (ben, cleo):
        await watcher.holds(writer, writer.text)
    assert cleo.deltas == 1


async def test_who_comes_between_two_checkpoints_is_told_what_lies_between(
    world: World, hub: Hub
) -> None:
    writer = await written(world)
    (ben,) = await watching(world, writer, world.ben)
    await run(lambda: writer.tell(3))
    await ben.holds(writer, writer.text)
    (cleo,) = await watching(world, writer, world.cleo)
    await cleo.holds(writer, writer.text)


async def test_catching_up_tells_what_is_being_written_though_nothing_has_changed(
    world: World, hub: Hub
) -> None:
    writer = await written(world)
    (ben,) = await watching(world, writer, world.ben)
    await ben.holds(writer, "")
    await ben.client.disconnect()
    await run(lambda: writer.tell(3))
    await run(writer.checkpoint)
    await ben.come(afresh=False)
    await ben.client.frame("synced")
    ben.take()
    assert ben.held[writer.pk].text == writer.text
    assert ben.held[writer.pk].version == 1


async def test_the_feed_of_the_api_tells_it_on_its_last_page(world: World, hub: Hub) -> None:
    writer = await written(world)
    room = world.team.pk
    since = await run(lambda: cursor.seal(room, Room.objects.get(pk=room).revision))
    for n in range(3):
        await run(world.say, world.team, world.ben, f"word {n}")
    await run(lambda: writer.tell(3))
    await run(writer.checkpoint)

    def page(since: str) -> dict[str, Any]:
        login = Login.objects.start(world.cleo, kind=Login.Kind.TOKEN)
        api = DjangoClient(headers={"Authorization": f"Bearer {tokens.issue(login)['access']}"})
        answer = api.get(f"/api/v1/rooms/{room}/messages/", {"cursor": since, "limit": 2})
        return answer.json()

    first = await run(page, since)
    assert [m["body"] for m in first["messages"]] == ["word 0", "word 1"]
    assert first["has_newer"]
    last = await run(page, first["cursor"])
    assert [m["body"] for m in last["messages"]] == [writer.text, "word 2"]
    assert not last["has_newer"]
    polled = await run(page, last["cursor"])
    assert [m["id"] for m in polled["messages"]] == [writer.pk]


async def test_an_older_one_follows_the_join_in_a_frame_of_its_own(world: World, hub: Hub) -> None:
    writer = await written(world)
    await run(lambda: [world.say(world.team, world.ben, f"word {n}") for n in range(50)])
    (cleo,) = await watching(world, writer, world.cleo)
    await run(writer.tell)
    await cleo.holds(writer, writer.text)
    (joined,) = cleo.client.of_type("joined")
    assert len(joined["messages"]) == 50
    assert writer.pk not in [message["id"] for message in joined["messages"]]


async def test_a_frame_that_shows_it_again_is_followed_by_what_that_lacks(
    world: World, hub: Hub
) -> None:
    writer = await written(world)
    ben, cleo = await watching(world, writer, world.ben, world.cleo)
    for watcher in (ben, cleo):
        await watcher.holds(writer, "")
    await run(lambda: writer.tell(5))
    await ben.holds(writer, writer.text)
    await run(writer.react, "👍", world.cleo)
    for watcher in (ben, cleo):
        await watcher.until(lambda watcher=watcher: watcher.of_version(writer, 2))
        await watcher.holds(writer, writer.text)
        last = watcher.client.of_type("messages", "delta")[-1]
        assert (last["type"], last["offset"]) == ("delta", 0), "no checkpoint was made yet"


async def test_what_was_lost_is_found_with_the_next_checkpoint(world: World, hub: Hub) -> None:
    writer = await written(world)
    (ben,) = await watching(world, writer, world.ben)
    await ben.holds(writer, "")
    await run(writer.write)
    await run(writer.tell)
    await ben.client.settle()
    assert ben.client.of_type("delta") == []
    await run(writer.checkpoint)
    await ben.holds(writer, writer.text)


async def test_the_last_word_is_found_though_nothing_follows_it(world: World, hub: Hub) -> None:
    writer = await written(world)
    (ben,) = await watching(world, writer, world.ben)
    await ben.holds(writer, "")
    await run(writer.write)
    await run(writer.checkpoint)
    await ben.holds(writer, writer.text)


async def test_an_end_of_which_no_wake_told_is_found(
    world: World, hub: Hub, unheard: Callable[[Step], None]
) -> None:
    writer = await written(world)
    (ben,) = await watching(world, writer, world.ben)
    await run(writer.tell)
    await run(unheard, writer.finish)
    await ben.holds_all(writer)


async def test_begun_again_it_starts_from_what_its_frame_shows(world: World, hub: Hub) -> None:
    writer = await written(world)
    ben, cleo = await watching(world, writer, world.ben, world.cleo)
    await run(lambda: writer.tell(3))
    first = await run(writer.write)
    await run(writer.finish, "failed")
    await run(writer.begin_again, "")
    await run(writer.publish, first)  # late: of the attempt before
    await run(lambda: writer.tell(2))
    for watcher in (ben, cleo):
        await watcher.holds(writer, writer.text)
    await run(writer.finish, "stopped")
    await run(writer.begin_again, writer.text)
    await run(writer.tell)
    await run(writer.finish)
    for watcher in (ben, cleo):
        await watcher.holds_all(writer)


@pytest.fixture
def meanwhile(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Callable[[User, list[Step]], None]:
    """Have things happen while a join of somebody is read: after its revision, before its rows.

    Each step is handed on before the next one happens.
    """

    def meanwhile(user: User, steps: list[Step]) -> None:
        def late(comers: Sequence[Comer], **how: Any) -> Foyer:
            for room in [comer.room for comer in comers if comer.seat.user_id == user.pk]:
                while steps:
                    steps.pop(0)()
                    now = Room.objects.get(pk=room.pk).revision
                    wait_for(lambda now=now, pk=room.pk: not steps or hub.rooms[pk].mark == now)
            return Foyer(comers, **how)

        monkeypatch.setattr(arrival, "Foyer", late)

    return meanwhile


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> Callable[[Step], None]:
    """Do something of which no wake tells."""

    def unheard(step: Step) -> None:
        with monkeypatch.context() as lost:
            lost.setattr(hubs, "in_hub", lambda work: None)
            step()

    return unheard


async def test_a_frame_that_is_older_than_the_join_before_it_changes_nothing(
    world: World,
    hub: Hub,
    meanwhile: Callable[[User, list[Step]], None],
    unheard: Callable[[Step], None],
) -> None:
    writer = await written(world)
    await watching(world, writer, world.ben)

    def go_on() -> None:
        writer.tell(3)
        writer.checkpoint()
        unheard(lambda: writer.react("🎉", world.ben))

    meanwhile(world.cleo, [lambda: writer.react("👍", world.ben), go_on])
    (cleo,) = await watching(world, writer, world.cleo)
    await cleo.until(lambda: cleo.of_version(writer, 2) and cleo.of_version(writer, 3))
    await run(writer.tell)
    await cleo.holds(writer, writer.text)


async def test_what_a_join_told_as_ended_is_not_written_on(
    world: World,
    hub: Hub,
    meanwhile: Callable[[User, list[Step]], None],
    unheard: Callable[[Step], None],
) -> None:
    writer = await written(world)
    (ben,) = await watching(world, writer, world.ben)
    await run(lambda: writer.tell(3))
    await ben.holds(writer, writer.text)
    steps = [lambda: writer.react("👍", world.ben), lambda: unheard(writer.finish)]
    meanwhile(world.cleo, steps)
    (cleo,) = await watching(world, writer, world.cleo)
    await cleo.until(lambda: cleo.of_version(writer, 2))
    for watcher in (ben, cleo):
        await watcher.holds_all(writer)
    assert cleo.deltas == 0


async def test_it_is_shown_as_it_was_posted_whatever_its_writer_makes_of_it(
    world: World, hub: Hub, meanwhile: Callable[[User, list[Step]], None]
) -> None:
    """Writers go on with the very object that waits to be handed on."""
    begun: list[Message] = []

    def begin() -> None:
        begun.append(Writer(world.team, world.parrot, random.Random(0)).message)

    def go_on() -> None:
        begun[0].body, begun[0].status = "All of it", "complete"

    meanwhile(world.cleo, [begin, go_on])
    cleo = await Client.into(world.cleo, world.team.pk)
    await cleo.settle()
    told = [(m["body"], m["status"]) for m in cleo.messages if m["id"] == begun[0].pk]
    assert told == [("", "streaming")], "and `joined` told it before"
    assert cleo.joined["messages"][-1]["id"] == begun[0].pk


async def test_a_slow_client_is_told_later_in_one_piece(world: World, hub: Hub, settings) -> None:
    settings.CHAT_SOCKET_QUEUE_BYTES = 4_000
    writer = await written(world)
    ben, slow = await watching(world, writer, world.ben, world.cleo)
    for watcher in (ben, slow):
        await watcher.holds(writer, "")
    slow.client.reads.clear()
    for _ in range(200):
        await run(writer.tell)
    await ben.holds(writer, writer.text)
    slow.client.reads.set()
    await slow.client.settle()
    await run(writer.tell)
    await slow.holds(writer, writer.text)
    assert slow.deltas < 100 < ben.deltas
    assert slow.client.closed is None


# Who hears it


@pytest.mark.parametrize(
    ("room", "how", "heard_by"),
    [
        ("team", {}, "ben cleo vic gus"),
        ("team", {"audience": "only", "to": ["cleo"]}, "cleo"),
        ("team", {"audience": "only", "to": ["vic", "gus"]}, "vic gus"),
        ("support", {}, "ada sue"),
        ("support", {"audience": "only", "to": ["sue"]}, "ada sue"),
    ],
)
async def test_only_who_may_see_it_hears_of_it(
    world: World, hub: Hub, room: str, how: dict[str, Any], heard_by: str
) -> None:
    if "to" in how:
        how = {**how, "to": tuple(world.people[name].pk for name in how["to"])}
    place = world.rooms[room]
    writer = await run(lambda: Writer(place, world.parrot, random.Random(0), **how))
    names = "ben cleo vic gus" if room == "team" else "ada sue carl dora"
    watchers = {
        name: Watcher(world.people[name], place.pk, connect, writer) for name in names.split()
    }
    for watcher in watchers.values():
        await watcher.come()
    await run(lambda: writer.tell(3))
    for name in heard_by.split():
        await watchers[name].holds(writer, writer.text)
    for watcher in watchers.values():
        await watcher.client.settle()
        watcher.take()
    assert {name for name, watcher in watchers.items() if watcher.deltas} == set(heard_by.split())
    assert {n for n, w in watchers.items() if writer.pk in w.held} == set(heard_by.split())


@pytest.mark.parametrize("lost", [False, True], ids=["told", "wake lost"])
async def test_who_is_removed_hears_no_more(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    writer = await written(world)
    ben, gus = await watching(world, writer, world.ben, world.gus)
    await run(writer.tell)
    for watcher in (ben, gus):
        await watcher.holds(writer, writer.text)
    with monkeypatch.context() as losing:
        if lost:
            losing.setattr(hubs, "in_hub", lambda work: None)
        await run(world.team.remove, world.gus, by=world.ben)
    known = writer.text
    await run(writer.tell)
    await ben.holds(writer, writer.text)
    await gus.until(lambda: not gus.is_in)
    await gus.client.settle()
    gus.take()
    assert gus.held[writer.pk].text == known


async def test_who_may_not_see_it_any_more_starts_over_without_it(world: World, hub: Hub) -> None:
    writer = await written(world)
    await run(world.team.invite, world.otto, by=world.ben)
    ben, otto = await watching(world, writer, world.ben, world.otto)
    await run(writer.tell)
    await otto.holds(writer, writer.text)
    await run(world.team.update, by=world.ben, history="joined")
    await run(writer.tell)
    await ben.holds(writer, writer.text)
    await otto.until(lambda: len(otto.client.of_type("joined")) == 2)
    await run(writer.tell)
    await ben.holds(writer, writer.text)
    await otto.client.settle()
    otto.take()
    assert writer.pk not in otto.held


async def test_the_roster_is_asked_of_every_delta(world: World, hub: Hub) -> None:
    """Whatever a seat was shown before."""
    writer = await run(
        lambda: Writer(
            world.team, world.parrot, random.Random(0), audience="only", to=(world.cleo.pk,)
        )
    )
    (cleo,) = await watching(world, writer, world.cleo)
    await run(writer.tell)
    await cleo.holds(writer, writer.text)
    room = hub.rooms[world.team.pk]
    listener = room.roster[world.cleo.pk]
    nobody = replace(listener.reader, history_from=writer.pk)
    room.roster[world.cleo.pk] = replace(listener, reader=nobody)
    await run(writer.tell)
    await cleo.client.settle()
    cleo.take()
    assert cleo.deltas == 1


async def test_a_deleted_one_is_heard_of_no_more(world: World, hub: Hub) -> None:
    writer = await written(world)
    (ben,) = await watching(world, writer, world.ben)
    await run(writer.tell)
    await ben.holds(writer, writer.text)
    await run(lambda: Message.objects.get(pk=writer.pk).remove(by=world.ben))
    await run(writer.tell)
    await ben.holds(writer, "")
    await run(writer.tell)
    await ben.client.settle()
    ben.take()
    assert ben.held[writer.pk].text == ""


async def test_who_left_the_room_on_this_socket_hears_nothing(world: World, hub: Hub) -> None:
    writer = await written(world)
    (ben,) = await watching(world, writer, world.ben)
    await ben.holds(writer, "")
    await ben.client.send("leave", room=world.team.pk)
    await ben.client.settle()
    await run(writer.tell)
    await ben.client.settle()
    assert ben.client.of_type("delta") == []


# Pages


async def test_pages_are_shown_how_it_looks(world: World, hub: Hub) -> None:
    writer = await written(world)
    page = Watcher(world.ben, world.team.pk, connect_page, writer)
    await page.come()
    (plain,) = await watching(world, writer, world.cleo)
    await page.holds(writer, "")
    writer.text = writer.wholes[1] = "**bold** and `cod"
    await run(writer.checkpoint)
    await page.holds(writer, writer.text)
    await plain.holds(writer, writer.text)
    (frame,) = [await page.client.frame("delta", offset=len(writer.text), text="")]
    assert frame["html"] == "<p><strong>bold</strong> and `cod</p>\n"
    assert all("html" not in frame for frame in plain.client.of_type("delta"))


async def test_pages_that_come_later_see_how_it_looks_by_then(world: World, hub: Hub) -> None:
    writer = await written(world)
    writer.text = writer.wholes[1] = "**bold**"
    await run(writer.checkpoint)
    page = Watcher(world.ben, world.team.pk, connect_page, writer)
    await page.come()
    await page.holds(writer, writer.text)
    message = next(m for m in page.client.messages if m["id"] == writer.pk)
    assert message["html"] == "<p><strong>bold</strong></p>\n"
    assert "<strong>bold</strong>" in message["article"]


# What it costs


async def test_streams_are_forgotten(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.streams.UNWATCHED", 0.05)
    writers = [await written(world) for _ in range(3)]
    (ben,) = await watching(world, writers[0], world.ben)
    for writer in writers:
        ben.writers[writer.pk] = writer
        await run(writer.tell)
        await ben.holds(writer, writer.text)
    await run(writers[0].finish)
    late = await run(writers[0].write)
    await ben.until(lambda: ben.held[writers[0].pk].status == "complete")
    await run(writers[0].publish, late)
    await forgotten(hub, {writers[1].pk, writers[2].pk})
    await ben.client.disconnect()
    await forgotten(hub, set())
    await run(writers[1].tell)
    await run(lambda: None)
    assert list(hub.streams) == []


async def forgotten(hub: Hub, kept: set[int]) -> None:
    async with asyncio.timeout(PATIENCE):
        while {stream.message for stream in hub.streams} != kept:
            await run(lambda: None)


async def test_a_delta_is_encoded_once_for_all(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await written(world)
    watchers = await watching(world, writer, *[world.ben, world.cleo, world.gus] * 5)
    for watcher in watchers:
        await watcher.holds(writer, "")
    encoded: list[int] = []
    write = Stream.write

    def counting(self: Stream, start: int, **more: str) -> str:
        encoded.append(start)
        return write(self, start, **more)

    monkeypatch.setattr(Stream, "write", counting)
    for _ in range(3):
        await run(writer.tell)
        for watcher in watchers:
            await watcher.holds(writer, writer.text)
    assert len(encoded) == 3
