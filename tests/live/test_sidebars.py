"""Side-bars on the socket: what the room around one is told of it, and who sits in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from live import arrival, gathering, listeners
from live.database import run
from live.hub import Hub
from messages.models import Message
from rooms.models import Room
from tests.live.client import Client, Frame
from tests.live.clock import Clock
from tests.live.remote import Remote
from tests.live.server import ON_GROWN, LiveServer, environment, own_redis, servers
from tests.threads.beside import beside, look, private, seated, stub, stubs_of
from tests.world import World
from threads import frames, stubs
from threads.models import Sidebar

NEVER = "3600"


@pytest.fixture
def said(world: World) -> Message:
    """To all of the team."""
    return world.say(world.team, world.cleo, "shall we?")


@pytest.fixture
def talk(world: World, said: Message) -> Sidebar:
    """Open to all of the team; ben has opened it."""
    return beside(said, world.ben)


@pytest.fixture
def aside(world: World, said: Message) -> Sidebar:
    """Private to ben, who has opened it, and gus."""
    return private(said, world.ben, world.gus)


@pytest.fixture
def internal(world: World) -> Sidebar:
    """Open to the staff of the support room, beside what the customer asked."""
    return beside(world.say(world.support, world.carl, "where is it?"), world.ada)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told at most once a second is told sooner."""
    monkeypatch.setattr("live.activity.INTERVAL", 0.02)
    monkeypatch.setattr("live.presence.INTERVAL", 0.02)
    monkeypatch.setattr(frames, "INTERVAL", 0.02)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The pauses between two looks, as long as they are in life."""
    clock = Clock()
    monkeypatch.setattr(gathering, "asyncio", clock)
    monkeypatch.setattr(frames, "INTERVAL", 1.0)
    return clock


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Collection[int]]:
    """The looks that are taken at side-bars."""
    looks: list[Collection[int]] = []
    real = frames._look

    def noting(pks: Collection[int]) -> list[frames.Look]:
        looks.append(list(pks))
        return real(pks)

    monkeypatch.setattr(frames, "_look", noting)
    return looks


@pytest.fixture
def lose_wakes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on nothing is handed over and nobody is woken: only side-bars have news."""

    def lose() -> None:
        monkeypatch.setattr(listeners, "_wake", lambda *_: None)
        monkeypatch.setattr(listeners, "_announce", lambda *_: None)

    return lose


def reply(sidebar: Sidebar, by: User, body: str = "indeed", **how: Any) -> Message:
    return Room.objects.get(pk=sidebar.pk).messages.post(body, by=by, **how)


async def into(room: Room, *users: User) -> list[Client]:
    return [await Client.into(user, room.pk) for user in users]


async def told(client: Client, sidebar: Sidebar) -> Frame:
    """What the next `sidebar` frame shows of it."""
    frame = await client.frame("sidebar", anchor=sidebar.anchor_id)
    assert (frame["room"], frame["sidebar"]["id"]) == (sidebar.room.parent_id, sidebar.pk)
    return frame["sidebar"]


async def holds(client: Client, who: User, sidebar: Sidebar) -> Frame:
    """The frame that shows it as it now is; those before it are dropped."""
    while True:
        shown = await told(client, sidebar)
        if shown == await run(stub, who, sidebar):
            return shown


async def hears_nothing(client: Client) -> None:
    """Of side-bars, up to here."""
    await client.settle()
    assert client.of_type("sidebar") == []


# What `joined` tells


async def test_joined_tells_the_side_bars_one_may_know_of(
    world: World, talk: Sidebar, aside: Sidebar, internal: Sidebar, hub: Hub
) -> None:
    await run(reply, talk, world.ben)
    knowing = {"ben": [aside, talk], "gus": [aside, talk], "cleo": [talk], "vic": [talk]}
    for name, sidebars in knowing.items():
        user = world.people[name]
        (client,) = await into(world.team, user)
        expected = await run(stubs_of, user, world.team)
        assert client.joined["sidebars"] == list(expected.values())
        assert [one["id"] for one in client.joined["sidebars"]] == [one.pk for one in sidebars]
    for name, count in {"ada": 1, "sue": 1, "carl": 0, "dora": 0}.items():
        (client,) = await into(world.support, world.people[name])
        assert [one["id"] for one in client.joined["sidebars"]] == [internal.pk] * count


async def test_joined_tells_those_opened_last(
    world: World, said: Message, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "TOLD", 2)
    sidebars = [(await run(beside, said, world.ben)).pk for _ in range(3)]
    (ben,) = await into(world.team, world.ben)
    assert [one["id"] for one in ben.joined["sidebars"]] == sidebars[:0:-1]


async def test_a_side_bar_has_none_of_its_own(world: World, talk: Sidebar, hub: Hub) -> None:
    (ben,) = await into(talk.room, world.ben)
    assert ben.joined["sidebars"] == []
    assert ben.joined["room"]["parent"] == world.team.pk


async def test_who_came_later_is_told_only_of_what_is_beside_what_they_may_see(
    world: World, talk: Sidebar, hub: Hub
) -> None:
    await run(world.team.update, history="joined", by=world.ben)
    await run(world.team.invite, world.otto, by=world.ben)
    otto, cleo = await into(world.team, world.otto, world.cleo)
    assert otto.joined["sidebars"] == []
    await run(reply, talk, world.ben)
    await holds(cleo, world.cleo, talk)
    await hears_nothing(otto)
    later = await run(beside, await run(world.say, world.team, world.ben, "anew"), world.ben)
    await holds(otto, world.otto, later)


# News


def rename(world: World, talk: Sidebar) -> None:
    talk.room.update(name="Which one", by=world.ben)


def delete(world: World, talk: Sidebar) -> None:
    talk.room.messages.get(body="indeed").remove(by=world.ben)


def close(world: World, talk: Sidebar) -> None:
    world.team.close(by=world.ben)


def conclude(world: World, talk: Sidebar) -> None:
    talk.conclude(by=world.ben, body="We shall.")


NEWS = {
    "somebody says something": lambda world, talk: reply(talk, world.ben),
    "somebody deletes it": delete,
    "somebody comes by": lambda world, talk: look(talk, world.gus),
    "somebody is named": lambda world, talk: reply(talk, world.ben, "what says @gus?"),
    "it is renamed": rename,
    "it is concluded": conclude,
    "the room around it is closed": close,
}


@pytest.mark.parametrize("happens", NEWS.values(), ids=NEWS.keys())
async def test_whoever_sits_around_it_is_told_its_news(
    world: World, talk: Sidebar, hub: Hub, happens: Callable[[World, Sidebar], object]
) -> None:
    here = {user: (await into(world.team, user))[0] for user in (world.ben, world.cleo, world.vic)}
    await run(reply, talk, world.ben)
    for client in here.values():
        before = await told(client, talk)
    await run(happens, world, talk)
    for user, client in here.items():
        assert await holds(client, user, talk) != before


async def test_it_is_told_when_it_is_opened_and_when_it_goes_on(
    world: World, said: Message, hub: Hub
) -> None:
    cleo, outside = await Client.into(world.cleo, world.team.pk), await Client.of(world.vic)
    talk = await run(beside, said, world.ben)
    assert (await holds(cleo, world.cleo, talk))["state"] == "active"
    await run(talk.conclude, by=world.ben)
    assert (await holds(cleo, world.cleo, talk))["concluded_at"]
    await run(lambda: Room.objects.get(pk=talk.pk).reopen(by=world.ben))
    shown = await holds(cleo, world.cleo, talk)
    assert (shown["state"], shown["concluded_at"]) == ("active", None)
    await hears_nothing(outside)  # it has not joined the room


async def test_a_burst_is_one_frame_a_second(
    world: World, talk: Sidebar, clock: Clock, hub: Hub
) -> None:
    (cleo,) = await into(world.team, world.cleo)
    await run(reply, talk, world.ben)
    assert (await told(cleo, talk))["replies"] == 1
    for _ in range(20):
        await run(reply, talk, world.ben)
    await hears_nothing(cleo)
    assert clock.pauses == [1.0]
    clock.ring()
    assert (await told(cleo, talk))["replies"] == 21
    await hears_nothing(cleo)


async def test_news_of_several_are_one_look(
    world: World, talk: Sidebar, aside: Sidebar, clock: Clock, hub: Hub, looks: list[Any]
) -> None:
    (ben,) = await into(world.team, world.ben)
    await run(reply, talk, world.ben)
    await told(ben, talk)
    for sidebar in (talk, aside, talk, aside):
        await run(reply, sidebar, world.ben)
    clock.ring()
    shown = [(await ben.frame("sidebar"))["sidebar"]["id"] for _ in range(2)]
    assert sorted(shown) == sorted([talk.pk, aside.pk])
    assert [sorted(pks) for pks in looks] == [[talk.pk], sorted([talk.pk, aside.pk])]


def silently(world: World, talk: Sidebar) -> dict[str, Callable[[], object]]:
    """What changes nothing that the room around it shows."""
    aloud, whisper = talk.room.messages.order_by("pk")
    return {
        "whisper": lambda: reply(talk, world.ben, "psst", audience="only", to=[world.cleo]),
        "reaction": lambda: whisper.react("👍", by=world.cleo),
        "edit": lambda: aloud.edit("indeed!", by=world.ben),
        "deletion of a whisper": lambda: whisper.remove(by=world.ben),
    }


@pytest.mark.parametrize("what", ["whisper", "reaction", "edit", "deletion of a whisper"])
async def test_what_changes_no_stub_sends_no_frame(
    world: World, talk: Sidebar, hub: Hub, looks: list[Any], what: str
) -> None:
    await run(look, talk, world.cleo)
    await run(reply, talk, world.ben)
    await run(reply, talk, world.ben, "psst", audience="only", to=[world.cleo])
    vic, ben = await into(world.team, world.vic, world.ben)
    await run((await run(silently, world, talk))[what])
    await ben.settle()
    await run(reply, talk, world.ben, "aloud")
    shown = await told(vic, talk)
    assert shown["replies"] == 2
    assert looks == [[talk.pk]]
    await hears_nothing(vic)


async def test_who_wrote_the_message_and_came_back_is_told_what_they_may_see(
    world: World, talk: Sidebar, hub: Hub
) -> None:
    await run(world.team.update, history="joined", by=world.ben)
    await run(reply, talk, world.ben)
    await run(world.team.leave, by=world.cleo)
    await run(world.team.invite, world.cleo, by=world.ben)
    cleo, vic = await into(world.team, world.cleo, world.vic)
    assert [one["replies"] for one in cleo.joined["sidebars"]] == [0]
    await run(reply, talk, world.ben)
    assert (await holds(cleo, world.cleo, talk))["replies"] == 1
    assert (await holds(vic, world.vic, talk))["replies"] == 2


# For whom


async def test_a_private_one_is_told_to_those_in_it_alone(
    world: World, aside: Sidebar, hub: Hub
) -> None:
    ben, gus, cleo = await into(world.team, world.ben, world.gus, world.cleo)
    await run(reply, aside, world.gus)
    await holds(ben, world.ben, aside)
    await holds(gus, world.gus, aside)
    await hears_nothing(cleo)

    await run(aside.room.invite, world.cleo, by=world.ben)
    await holds(cleo, world.cleo, aside)

    await run(aside.room.remove, world.cleo, by=world.ben)
    assert (await cleo.frame("left"))["room"] == aside.pk
    await holds(ben, world.ben, aside)
    await run(reply, aside, world.gus)
    await holds(ben, world.ben, aside)
    await hears_nothing(cleo)


async def test_customers_are_never_told(world: World, internal: Sidebar, hub: Hub) -> None:
    sue, carl, dora = await into(world.support, world.sue, world.carl, world.dora)
    await run(reply, internal, world.ada)
    await run(reply, internal, world.ada, "a note", audience="staff")
    assert (await holds(sue, world.sue, internal))["replies"] == 2
    await run(internal.conclude, by=world.ada, body="It is here.", audience="everyone")
    await holds(sue, world.sue, internal)
    await carl.message("It is here.")
    for client in (carl, dora):
        await hears_nothing(client)


@pytest.mark.parametrize("is_lost", [False, True], ids=["told", "every wake lost"])
async def test_who_was_removed_hears_no_more_of_it(
    world: World, talk: Sidebar, hub: Hub, lose_wakes: Callable[[], None], is_lost: bool
) -> None:
    await run(look, talk, world.gus)
    gus, cleo = await into(world.team, world.gus, world.cleo)
    if is_lost:
        lose_wakes()
    await run(world.team.remove, world.gus, by=world.ben)
    await run(reply, talk, world.ben)
    assert (await holds(cleo, world.cleo, talk))["people_count"] == 1
    assert (await gus.frame("left", room=world.team.pk))["reason"] == "removed"
    await hears_nothing(gus)


@pytest.mark.parametrize("is_lost", [False, True], ids=["told", "every wake lost"])
async def test_who_is_staff_no_more_hears_no_more_of_it(
    world: World, internal: Sidebar, hub: Hub, lose_wakes: Callable[[], None], is_lost: bool
) -> None:
    sue, ada = await into(world.support, world.sue, world.ada)
    if is_lost:
        lose_wakes()
    await run(world.support.change_role, world.sue, "customer", by=world.ada)
    await run(reply, internal, world.ada)
    await holds(ada, world.ada, internal)
    await sue.frame("reset", room=world.support.pk)
    assert (await sue.frame("joined"))["sidebars"] == []
    await hears_nothing(sue)


async def test_who_is_removed_while_it_is_read_is_not_told(
    world: World,
    talk: Sidebar,
    hub: Hub,
    lose_wakes: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gus, cleo = await into(world.team, world.gus, world.cleo)
    happened: list[bool] = []

    def encode(*args: Any, **kwargs: Any) -> list[stubs.Stub]:
        if not happened:
            happened.append(True)
            world.team.remove(world.gus, by=world.ben)
            reply(talk, world.ben, "without gus")
        return stubs.encode(*args, **kwargs)

    monkeypatch.setattr(frames, "stubs", SimpleNamespace(encode=encode))
    lose_wakes()
    await run(reply, talk, world.ben)
    assert (await told(cleo, talk))["replies"] == 2
    await gus.frame("left")
    await hears_nothing(gus)


async def test_who_is_taken_out_of_a_private_one_while_it_is_read_is_not_told(
    world: World, aside: Sidebar, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    gus, ben = await into(world.team, world.gus, world.ben)
    happened: list[bool] = []

    def encode(*args: Any, **kwargs: Any) -> list[stubs.Stub]:
        if not happened:
            happened.append(True)
            aside.room.remove(world.gus, by=world.ben)
            reply(aside, world.ben, "without gus")
        return stubs.encode(*args, **kwargs)

    monkeypatch.setattr(frames, "stubs", SimpleNamespace(encode=encode))
    await run(reply, aside, world.ben)
    await holds(ben, world.ben, aside)
    await gus.frame("left")
    await hears_nothing(gus)


async def test_who_was_shown_out_of_a_private_one_before_it_was_told_is_not_told(
    world: World, aside: Sidebar, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    gus, ben = await into(world.team, world.gus, world.ben)
    happened: list[bool] = []
    shown_out = threading.Event()

    def look(pks: Collection[int], real: Callable[..., Any] = frames._look) -> Any:
        looks = real(pks)
        if not happened:
            happened.append(True)
            aside.room.remove(world.gus, by=world.ben)
            shown_out.wait(60)
        return looks

    monkeypatch.setattr(frames, "_look", look)
    await run(reply, aside, world.ben)
    await gus.frame("left")
    shown_out.set()
    await holds(ben, world.ben, aside)
    await hears_nothing(gus)


# Whatever happens on the way


async def test_who_is_just_joining_holds_the_newest(
    world: World, talk: Sidebar, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, go_on = asyncio.Event(), threading.Event()
    loop, real = asyncio.get_running_loop(), arrival.read_arrivals

    def slowly(asked: Sequence[arrival.Asked], **how: Any) -> list[arrival.Arrival | Exception]:
        came = real(asked, **how)
        if any(one.user == world.cleo for one in asked):
            loop.call_soon_threadsafe(read.set)
            go_on.wait(60)
        return came

    monkeypatch.setattr(arrival, "read_arrivals", slowly)
    (ben,) = await into(world.team, world.ben)
    cleo = await Client.of(world.cleo)
    await cleo.send("join", room=world.team.pk)
    await read.wait()
    await run(reply, talk, world.ben)
    await told(ben, talk)
    go_on.set()
    await cleo._wait(lambda: cleo.of_type("joined") and cleo.of_type("sidebar"))
    joined, news = cleo.of_type("joined", "sidebar")
    assert [one["replies"] for one in joined["sidebars"]] == [0]
    assert news["sidebar"]["replies"] == 1


async def test_what_could_not_be_read_is_told_later(
    world: World, talk: Sidebar, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cleo,) = await into(world.team, world.cleo)
    failures = [OperationalError("locked"), RuntimeError("a fault")]
    real = frames._look

    def failing(pks: Collection[int]) -> list[frames.Look]:
        if failures:
            raise failures.pop()
        return real(pks)

    monkeypatch.setattr(frames, "_look", failing)
    await run(reply, talk, world.ben)
    assert (await told(cleo, talk))["replies"] == 1
    assert failures == []


async def test_the_board_ends_with_the_hub(
    world: World, talk: Sidebar, clock: Clock, hub: Hub
) -> None:
    (cleo,) = await into(world.team, world.cleo)
    await run(reply, talk, world.ben)
    await told(cleo, talk)
    await cleo.settle()
    assert clock.pausing
    await hub.stop()
    assert not clock.pausing


async def test_nobody_is_asked_for_where_nobody_sits(
    world: World, talk: Sidebar, hub: Hub, looks: list[Any]
) -> None:
    cleo = await Client.of(world.cleo)
    await run(reply, talk, world.ben)
    await cleo.settle()
    await cleo.send("join", room=world.team.pk)
    await cleo.frame("joined")
    assert looks == []


def test_a_look_costs_the_same_however_many_are_there(world: World, talk: Sidebar) -> None:
    world.team.update(history="joined", by=world.ben)

    def queries(sidebars: Collection[int]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(frames._look(sidebars)) == len(sidebars)
        return len(captured)

    reply(talk, world.ben)
    few = queries([talk.pk])
    for n in range(20):
        world.team.invite(User.objects.create_person(f"p{n}", f"P {n}", None), by=world.ben)
        world.say(world.team, world.ben)
    more = [beside(world.say(world.team, world.ben), world.ben, access=a).pk for a in ACCESS * 5]
    reply(talk, world.ben)
    assert queries([talk.pk]) == few
    assert queries([talk.pk, *more]) <= few + 1  # who is in the private ones


ACCESS = ["open", "private"]


# Within one


async def test_whoever_joins_an_open_one_takes_a_seat(
    world: World, talk: Sidebar, hub: Hub
) -> None:
    (ben,) = await into(world.team, world.ben)
    cleo, vic = await into(talk.room, world.cleo, world.vic)
    assert (cleo.joined["me"]["role"], vic.joined["me"]["role"]) == ("member", "viewer")
    assert cleo.joined["room"]["visibility"] == "open"
    assert await run(seated, talk) == {"ben": "owner", "cleo": "member", "vic": "viewer"}
    assert (await holds(ben, world.ben, talk))["people_count"] == 3
    await run(reply, talk, world.ben, "welcome")
    await cleo.message("welcome")
    await vic.message("welcome")
    await vic.send("post", room=talk.pk, client_id=UUID, body="may I?")
    await vic.error("forbidden", client_id=UUID)


UUID = "0198f7a0-0000-7000-8000-000000000002"


async def test_who_may_not_come_by_is_told_it_is_not_there(
    world: World, talk: Sidebar, aside: Sidebar, internal: Sidebar, hub: Hub
) -> None:
    for user, sidebar in (
        (world.otto, talk),
        (world.ada, talk),
        (world.cleo, aside),
        (world.carl, internal),
        (world.amy, internal),
    ):
        client = await Client.of(user)
        await client.send("join", room=sidebar.pk)
        await client.error("not_found", room=sidebar.pk)
        await client.send("post", room=sidebar.pk, client_id=UUID, body="hello?")
        await client.error("not_found", client_id=UUID)
        await client.send("typing", room=sidebar.pk)
        await client.error("not_found", room=sidebar.pk)
        assert user.handle not in await run(seated, sidebar)


async def test_one_posts_without_having_joined(world: World, talk: Sidebar, hub: Hub) -> None:
    ben, around = await Client.into(world.ben, talk.pk), await Client.into(world.vic, world.team.pk)
    cleo = await Client.of(world.cleo)
    assert (await cleo.post(talk.pk, "may I come in?"))["message"]["author"]["role"] == "member"
    await ben.message("may I come in?")
    assert (await holds(around, world.vic, talk))["last"]["author"]["handle"] == "cleo"
    await run(reply, talk, world.ben, "do")
    await cleo.frame("activity", room=talk.pk, unread=1)
    await cleo.send("join", room=talk.pk)
    joined = await cleo.frame("joined")
    assert [m["body"] for m in joined["messages"]] == ["may I come in?", "do"]


async def test_activity_is_told_where_one_has_a_seat(world: World, talk: Sidebar, hub: Hub) -> None:
    await run(look, talk, world.cleo)
    cleo, vic, gus = [await Client.of(user) for user in (world.cleo, world.vic, world.gus)]
    await run(reply, talk, world.ben)
    await cleo.frame("activity", room=talk.pk, unread=1, mentions=0)
    await run(reply, talk, world.ben, "what says @vic?")
    await vic.frame("activity", room=talk.pk, unread=1, mentions=1)
    await run(world.say, world.team, world.ben, "aloud")
    await gus.frame("activity", room=world.team.pk)
    assert [frame for frame in gus.frames if frame.get("room") == talk.pk] == []


async def test_typing_reading_and_presence_are_told_within(
    world: World, talk: Sidebar, quick: None, hub: Hub
) -> None:
    (vic,) = await into(world.team, world.vic)
    (ben,) = await into(talk.room, world.ben)
    await vic.frame("presence", user=world.ben.pk, state="online")
    (cleo,) = await into(talk.room, world.cleo)
    people = {one["handle"]: one["presence"] for one in cleo.joined["people"]}
    assert people["ben"] == "online"

    await cleo.send("typing", room=talk.pk)
    assert (await ben.frame("typing"))["room"] == talk.pk
    said = (await ben.post(talk.pk, "read me"))["message"]["id"]
    await cleo.message("read me")
    await cleo.send("read", room=talk.pk, message=said)
    assert (await ben.frame("read", user=world.cleo.pk))["message"] == said
    await cleo.send("presence", state="away")
    await ben.frame("presence", user=world.cleo.pk, state="away")
    await vic.settle()
    assert vic.of_type("typing", "read") == []


async def test_one_catches_up_with_a_cursor(world: World, talk: Sidebar, hub: Hub) -> None:
    (cleo,) = await into(talk.room, world.cleo)
    await cleo.send("leave", room=talk.pk)
    await run(reply, talk, world.ben, "missed")
    await cleo.send("join", room=talk.pk, cursor=cleo.joined["cursor"])
    await cleo.frame("synced", room=talk.pk)
    assert cleo.bodies == ["missed"]


@pytest.mark.parametrize("is_lost", [False, True], ids=["told", "every wake lost"])
async def test_another_role_around_it_starts_both_over(
    world: World, talk: Sidebar, hub: Hub, lose_wakes: Callable[[], None], is_lost: bool
) -> None:
    (vic,) = await into(world.team, world.vic)
    await vic.send("join", room=talk.pk)
    cursor = (await vic.frame("joined"))["cursor"]
    if is_lost:
        lose_wakes()
    await run(world.team.change_role, world.vic, "member", by=world.ben)
    if is_lost:
        await hub.check_heads()
    for room in (world.team.pk, talk.pk):
        await vic.frame("reset", room=room)
    for _ in range(2):
        assert (await vic.frame("joined"))["me"]["role"] == "member"
    (again,) = await into(world.team, world.vic)
    await again.send("join", room=talk.pk, cursor=cursor)
    await again.frame("reset", room=talk.pk)


@pytest.mark.parametrize("is_lost", [False, True], ids=["told", "every wake lost"])
async def test_who_leaves_the_room_around_it_is_shown_out_of_both(
    world: World, talk: Sidebar, hub: Hub, lose_wakes: Callable[[], None], is_lost: bool
) -> None:
    (cleo,) = await into(world.team, world.cleo)
    await cleo.send("join", room=talk.pk)
    await cleo.frame("joined")
    if is_lost:
        lose_wakes()
    await run(world.team.remove, world.cleo, by=world.ben)
    await run(reply, talk, world.ben, "without cleo")
    if is_lost:
        await hub.check_heads()
    for room in (world.team.pk, talk.pk):
        assert (await cleo.frame("left", room=room))["reason"] == "removed"
    await cleo.settle()
    assert "without cleo" not in cleo.bodies
    await cleo.send("join", room=talk.pk)
    await cleo.error("not_found")


# In two processes

Come = Callable[..., Awaitable[Remote]]


@pytest.fixture
def pair(world: World, tmp_path: Path) -> Iterator[list[LiveServer]]:
    """Two that hear of each other through Redis alone: no head check comes to help."""
    with own_redis() as redis:
        one = environment(tmp_path, REDIS_URL=redis.url, CHAT_HEAD_CHECK_INTERVAL=NEVER)
        with servers(one, one) as pair:
            yield pair


@ON_GROWN
async def test_two_processes_tell_of_one_side_bar(
    world: World, said: Message, pair: list[LiveServer]
) -> None:
    here, there = pair
    ben = await Remote.at(here, world.ben, world.team.pk)
    gus, cleo, vic = [
        await Remote.at(there, user, world.team.pk) for user in (world.gus, world.cleo, world.vic)
    ]
    open_ = partial(ben.call, "POST", f"messages/{said.pk}/sidebars/", at=here)
    talk, aside = await open_(), await open_(access="private", invite=[world.gus.pk])
    for client, shown in ((cleo, talk), (gus, talk), (gus, aside)):
        assert (await sidebar_frame(client, shown))["replies"] == 0

    await cleo.send("join", room=talk["id"])
    await cleo.frame("joined")
    assert (await sidebar_frame(ben, talk, people_count=2))["people_count"] == 2
    await ben.post(talk["id"], "hello over there")
    await cleo.message("hello over there")
    assert (await sidebar_frame(gus, talk, replies=1))["last"]["author"]["handle"] == "ben"
    await gus.post(talk["id"], "hello over here")
    await cleo.message("hello over here")
    await sidebar_frame(ben, talk, replies=2)

    await ben.send("join", room=talk["id"])
    await ben.frame("joined")
    await cleo.send("typing", room=talk["id"])
    assert (await ben.frame("typing"))["user"] == world.cleo.pk

    people = f"rooms/{world.team.pk}/participants/"
    await ben.call("PATCH", f"{people}{world.vic.pk}/", at=here, role="member")
    await vic.frame("reset", room=world.team.pk)
    assert [one["id"] for one in (await vic.frame("joined"))["sidebars"]] == [talk["id"]]
    await ben.call("DELETE", f"{people}{world.gus.pk}/", at=here)
    await ben.post(aside["id"], "without gus")
    await sidebar_frame(ben, aside, replies=1)
    await gus.frame("left", room=world.team.pk)
    await ben.call("POST", f"sidebars/{talk['id']}/conclude/", at=there, client_id=UUID)
    await sidebar_frame(cleo, talk, state="closed")
    await gus.settle()
    for frame in gus.of_type("sidebar"):
        assert not (is_of(frame, aside) and frame["sidebar"]["replies"])
        assert frame["sidebar"]["state"] == "active"
    for client in (cleo, vic):
        assert [one for one in client.of_type("sidebar") if is_of(one, aside)] == []
    for client in (ben, gus, cleo, vic):
        await client.disconnect()


def is_of(frame: Frame, sidebar: Frame) -> bool:
    return frame["sidebar"]["id"] == sidebar["id"]


async def sidebar_frame(client: Client, sidebar: Frame, **shown: Any) -> Frame:
    """What the first frame shows of a side-bar that shows it like this."""

    def found() -> Frame | None:
        frames = [frame for frame in client.of_type("sidebar") if is_of(frame, sidebar)]
        return next((one for one in frames if shown.items() <= one["sidebar"].items()), None)

    frame = await client._wait(found)
    client.frames.remove(frame)
    return frame["sidebar"]
