"""Joining a room: afresh, or from where one left off."""

from __future__ import annotations

import asyncio

import pytest
from django.db.models import F

from accounts.models import User
from live.bulletin import CHUNK
from live.database import run
from live.hub import Hub
from live.people import PEOPLE_TOLD
from messages import cursor
from messages.models import Message
from rooms.models import Participant, Room
from tests.live.client import Client, Frame
from tests.world import World, again

JOINED = {
    "type",
    "room",
    "me",
    "people",
    "participants_count",
    "robots",
    "sidebars",
    "reads",
    "messages",
    "has_older",
    "cursor",
}


def handles(people: list[Frame]) -> list[str]:
    return [person["handle"] for person in people]


def crowd(room: Room, number: int) -> list[User]:
    people = User.objects.bulk_create(
        User(handle=f"extra{n}", name=f"Extra {n}") for n in range(number)
    )
    Participant.objects.bulk_create(
        Participant(room=room, user=person, role="member") for person in people
    )
    return people


def chatter(world: World, number: int, room: Room | None = None) -> None:
    for n in range(number):
        world.say(room or world.team, world.ben, f"line {n}")


# Afresh


async def test_joined_tells_all_there_is_to_show(world: World, hub: Hub) -> None:
    client = await Client.into(world.cleo, world.team.pk)
    assert client.joined.keys() == JOINED
    assert client.joined["me"] == client.joined["room"]["me"]
    assert client.joined["me"]["role"] == "member"
    assert set(handles(client.joined["people"])) == {"ben", "cleo", "vic", "dee", world.gus.handle}
    assert handles(client.joined["robots"]) == ["parrot"]
    assert client.joined["participants_count"] == client.joined["room"]["participants_count"]


async def test_joined_brings_the_newest_fifty_ascending(world: World, hub: Hub) -> None:
    await run(chatter, world, 60)
    client = await Client.into(world.cleo, world.team.pk)
    told = client.joined["messages"]
    assert [message["body"] for message in told] == [f"line {n}" for n in range(10, 60)]
    assert [message["id"] for message in told] == sorted(message["id"] for message in told)
    assert client.joined["has_older"]


async def test_the_fifty_are_those_one_may_see(world: World, hub: Hub) -> None:
    await run(chatter, world, 3)
    for _ in range(55):
        await run(world.whisper, world.team, world.ben, world.cleo)
    client = await Client.into(world.gus, world.team.pk)
    bodies = [message["body"] for message in client.joined["messages"] if message["kind"] == "text"]
    assert bodies == ["line 0", "line 1", "line 2"]
    assert not client.joined["has_older"]


async def test_an_empty_room_has_nothing_older(world: World, hub: Hub) -> None:
    room = await run(Room.objects.open, "Fresh", by=world.ben)
    client = await Client.into(world.ben, room.pk)
    assert client.joined["messages"] == []
    assert not client.joined["has_older"]


async def test_fifty_of_the_longest_messages_are_no_reason_to_be_called_slow(
    world: World, hub: Hub, settings
) -> None:
    settings.CHAT_SOCKET_QUEUE_BYTES = 10_000
    await run(chatter, world, 50)
    client = await Client.into(world.ben, world.team.pk)
    await client.settle()
    assert len(client.joined["messages"]) == 50
    assert client.closed is None


async def test_of_a_crowd_a_hundred_are_told_me_owners_and_those_here_first(
    world: World, hub: Hub
) -> None:
    people = await run(crowd, world.team, 150)
    here = await Client.into(people[140], world.team.pk)
    client = await Client.into(people[149], world.team.pk)
    told = handles(client.joined["people"])
    assert len(told) + len(client.joined["robots"]) == PEOPLE_TOLD
    assert told[:2] == ["extra149", "ben"]
    assert "extra140" in told
    assert client.joined["participants_count"] == 156
    assert handles(client.joined["robots"]) == ["parrot"]
    assert here.closed is None


@pytest.mark.parametrize("name", ["carl", "dora"])
async def test_customers_are_shown_neither_supervisors_nor_robots(
    world: World, hub: Hub, name: str
) -> None:
    client = await Client.into(world.people[name], world.support.pk)
    told = {world.ada.handle, world.carl.handle, world.dora.handle}
    assert set(handles(client.joined["people"])) == told
    assert client.joined["robots"] == []
    assert client.joined["participants_count"] == 3


async def test_staff_are_shown_everybody(world: World, hub: Hub) -> None:
    client = await Client.into(world.ada, world.support.pk)
    told = {"ada", "sue", world.carl.handle, world.dora.handle}
    assert set(handles(client.joined["people"])) == told
    assert handles(client.joined["robots"]) == ["parrot"]
    assert client.joined["participants_count"] == 5


async def test_joining_twice_starts_over_and_doubles_nothing(world: World, hub: Hub) -> None:
    client = await Client.into(world.cleo, world.team.pk)
    await client.send("join", room=world.team.pk)
    await client.frame("joined")
    await client.post(world.team.pk, "once")
    await client.message("once")
    await client.settle()
    assert client.bodies == ["once"]


async def test_one_socket_joins_many_rooms(world: World, hub: Hub) -> None:
    client = await Client.into(world.ben, world.team.pk)
    await client.send("join", room=world.public.pk)
    assert (await client.frame("joined"))["room"]["id"] == world.public.pk
    for room in (world.team, world.public):
        await run(world.say, room, world.cleo, f"in {room.name}")
        assert (await client.message(f"in {room.name}"))["room"] == room.pk


async def test_after_leaving_nothing_comes(world: World, quick: None, hub: Hub) -> None:
    client = await Client.into(world.cleo, world.team.pk)
    await client.send("leave", room=world.team.pk)
    await client.settle()
    await run(world.say, world.team, world.ben, "unheard")
    activity = await client.frame("activity", room=world.team.pk)
    assert activity["unread"] == 1
    await client.settle()
    assert client.bodies == []


async def test_leaving_what_one_has_not_joined_changes_nothing(world: World, hub: Hub) -> None:
    client = await Client.into(world.cleo, world.team.pk)
    for room in (world.public.pk, world.support.pk, 999_999):
        await client.send("leave", room=room)
    await client.settle()
    assert client.frames == []


async def test_a_room_one_may_not_see_is_not_joined(world: World, hub: Hub) -> None:
    client = await Client.into(world.vic, world.team.pk)
    for room in (world.support.pk, world.public.pk, 999_999):
        await client.send("join", room=room)
        assert not (await client.error("not_found", room=room))["retryable"]
    await run(world.say, world.support, world.ada, "secret")
    await run(world.say, world.team, world.ben, "aloud")
    await client.message("aloud")
    assert client.bodies == ["aloud"]


# From a cursor


async def catch_up(user: User, room: int, sealed: str) -> Client:
    client = await Client.of(user)
    await client.send("join", room=room, cursor=sealed)
    return client


async def test_a_cursor_brings_what_changed_in_the_order_of_changes(world: World, hub: Hub) -> None:
    first = await run(world.say, world.team, world.ben, "first")
    second = await run(world.say, world.team, world.ben, "second")
    sealed = (await Client.into(world.cleo, world.team.pk)).joined["cursor"]
    third = await run(world.say, world.team, world.ben, "third")
    await run((await run(again, first)).edit, "first, better", by=world.ben)
    await run((await run(again, second)).remove, by=world.ben)
    client = await catch_up(world.cleo, world.team.pk, sealed)
    synced = await client.frame("synced")
    assert synced.keys() == {"type", "room", "cursor"}
    assert [m["id"] for m in client.messages] == [third.pk, first.pk, second.pk]
    assert [m["body"] for m in client.messages] == ["third", "first, better", ""]
    assert client.messages[2]["deleted_at"]
    later = await catch_up(world.cleo, world.team.pk, synced["cursor"])
    await later.frame("synced")
    assert later.messages == []


async def test_every_cursor_of_a_frame_can_be_gone_on_from(world: World, hub: Hub) -> None:
    client = await Client.into(world.cleo, world.team.pk)
    for n in range(3):
        await run(world.say, world.team, world.ben, f"line {n}")
        await client.message(f"line {n}")
    for frame in client.of_type("messages"):
        later = await catch_up(world.cleo, world.team.pk, frame["cursor"])
        await later.frame("synced")
        known = int(frame["messages"][-1]["body"].removeprefix("line "))
        assert later.bodies == [f"line {n}" for n in range(known + 1, 3)]


async def test_what_was_missed_comes_in_chunks(world: World, hub: Hub) -> None:
    sealed = (await Client.into(world.cleo, world.team.pk)).joined["cursor"]
    await run(chatter, world, CHUNK + 3)
    client = await catch_up(world.cleo, world.team.pk, sealed)
    await client.frame("synced")
    sizes = [len(frame["messages"]) for frame in client.of_type("messages")]
    assert sizes == [CHUNK, 3]
    half = await catch_up(world.cleo, world.team.pk, client.of_type("messages")[0]["cursor"])
    await half.frame("synced")
    assert half.bodies == [f"line {n}" for n in range(CHUNK, CHUNK + 3)]


async def test_catching_up_with_much_is_no_reason_to_be_called_slow(
    world: World, hub: Hub, settings
) -> None:
    settings.CHAT_SOCKET_QUEUE_BYTES = 10_000
    sealed = (await Client.into(world.cleo, world.team.pk)).joined["cursor"]
    await run(chatter, world, 100)
    client = await catch_up(world.cleo, world.team.pk, sealed)
    await client.frame("synced")
    assert len(client.bodies) == 100
    assert client.closed is None


async def test_after_synced_it_goes_on_live(world: World, hub: Hub) -> None:
    sealed = (await Client.into(world.cleo, world.team.pk)).joined["cursor"]
    client = await catch_up(world.cleo, world.team.pk, sealed)
    await client.frame("synced")
    await run(world.say, world.team, world.ben, "live")
    await client.message("live")


async def test_what_is_said_while_one_catches_up_comes_once(world: World, hub: Hub) -> None:
    clients = [await Client.of(world.cleo) for _ in range(5)]
    saying = asyncio.gather(
        *(run(world.say, world.team, world.ben, f"line {n}") for n in range(20))
    )
    for client in clients:
        await client.send("join", room=world.team.pk)
    await saying
    await run(world.say, world.team, world.ben, "last")
    for client in clients:
        await client.message("last")
        joined = await client.frame("joined")
        assert len(client.bodies) == len({*client.bodies})
        told = {m["body"] for m in joined["messages"] if m["kind"] == "text"}
        assert len(told | {*client.bodies}) == 21


async def starts_over(user: User, room: int, sealed: str) -> bool:
    """Whether this cursor is answered by `reset` and then `joined`."""
    client = await catch_up(user, room, sealed)
    await client.settle()
    kinds = [f["type"] for f in client.of_type("reset", "joined", "messages", "synced")]
    assert kinds == ["reset", "joined"] or kinds[-1:] == ["synced"]
    return kinds[0] == "reset"


async def test_too_far_behind_one_starts_over(world: World, hub: Hub, settings) -> None:
    settings.CHAT_CATCH_UP_MAX = 5
    sealed = (await Client.into(world.cleo, world.team.pk)).joined["cursor"]
    await run(chatter, world, 5)
    assert not await starts_over(world.cleo, world.team.pk, sealed)
    await run(chatter, world, 1)
    assert await starts_over(world.cleo, world.team.pk, sealed)


async def test_only_what_one_may_see_counts_as_being_behind(
    world: World, hub: Hub, settings
) -> None:
    settings.CHAT_CATCH_UP_MAX = 2
    sealed = (await Client.into(world.gus, world.team.pk)).joined["cursor"]
    for _ in range(5):
        await run(world.whisper, world.team, world.ben, world.cleo)
    assert not await starts_over(world.gus, world.team.pk, sealed)


@pytest.mark.parametrize(
    "sealed", ["x", "made-up", "=", "ü", "A" * 59 + "=", "A" * 5000, "\n", "0"]
)
async def test_an_unreadable_cursor_starts_over(world: World, hub: Hub, sealed: str) -> None:
    assert await starts_over(world.cleo, world.team.pk, sealed)


async def test_an_empty_cursor_starts_over(world: World, hub: Hub) -> None:
    assert await starts_over(world.cleo, world.team.pk, "")


async def test_the_cursor_of_another_room_starts_over(world: World, hub: Hub) -> None:
    foreign = (await Client.into(world.cleo, world.public.pk)).joined["cursor"]
    assert await starts_over(world.cleo, world.team.pk, foreign)


async def test_a_cursor_from_the_future_starts_over(world: World, hub: Hub) -> None:
    """A database restored from yesterday's copy."""
    ahead = cursor.seal(world.team.pk, 10_000)
    assert await starts_over(world.cleo, world.team.pk, ahead)


async def test_a_cursor_from_before_what_one_may_see_changed_starts_over(
    world: World, hub: Hub
) -> None:
    sealed = (await Client.into(world.cleo, world.team.pk)).joined["cursor"]
    await run(world.team.change_role, world.cleo, "viewer", by=world.ben)
    assert await starts_over(world.cleo, world.team.pk, sealed)


async def test_the_cursor_of_somebody_who_left_and_came_back_starts_over(
    world: World, hub: Hub
) -> None:
    sealed = (await Client.into(world.cleo, world.team.pk)).joined["cursor"]
    await run(world.team.remove, world.cleo, by=world.ben)
    await run(world.team.invite, world.cleo, by=world.ben)
    assert await starts_over(world.cleo, world.team.pk, sealed)


async def test_the_people_of_others_do_not_start_one_over(world: World, hub: Hub) -> None:
    sealed = (await Client.into(world.cleo, world.team.pk)).joined["cursor"]
    await run(world.team.change_role, world.vic, "member", by=world.ben)
    assert not await starts_over(world.cleo, world.team.pk, sealed)


async def test_a_cursor_tells_nothing(world: World, hub: Hub) -> None:
    """Two for the same place cannot be told apart, so that nobody counts what was whispered."""
    first = (await Client.into(world.gus, world.team.pk)).joined["cursor"]
    second = (await Client.into(world.gus, world.team.pk)).joined["cursor"]
    assert first != second
    assert len(first) == len(second)


async def test_unread_is_told_of_the_room(world: World, hub: Hub) -> None:
    await run(Participant.objects.filter(user=world.cleo).update, last_read=F("last_read"))
    await run(world.say, world.team, world.ben, "hello @cleo")
    await run(world.say, world.team, world.ben, "and all")
    client = await Client.into(world.cleo, world.team.pk)
    room = client.joined["room"]
    assert (room["unread"], room["mentions"]) == (2, 1)
    newest = await run(Message.objects.order_by("-pk").first)
    await client.send("read", room=world.team.pk, message=newest.pk)
    await client.settle()
    client = await Client.into(world.cleo, world.team.pk)
    assert (client.joined["room"]["unread"], client.joined["room"]["mentions"]) == (0, 0)
