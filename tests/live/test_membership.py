"""When someone's place in a room changes, their open sockets know at once, also if no wake came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError

from accounts.models import User
from accounts.roles import SiteRole
from live import arrival, listeners
from live.database import run
from live.hub import Hub
from messages.models import Message
from messages.posting import Draft
from rooms.models import Participant, Room
from tests.live.client import Client
from tests.world import PASSWORD, World

UUID = "0198f7a0-0000-7000-8000-000000000001"


@pytest.fixture
def lose_wakes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on, this process hears nothing of what is committed."""

    def lose() -> None:
        monkeypatch.setattr(listeners.hub, "in_hub", lambda work: None)
        monkeypatch.setattr(listeners.layer, "publish_all", lambda messages: None)

    return lose


@pytest.fixture
def lose_wakes_of_people(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on, changes of people wake nobody; what is said is handed over as ever."""
    return lambda: monkeypatch.setattr(listeners, "_wake", lambda *_: None)


async def starts_over(client: Client, room: Room) -> dict[str, Any]:
    """`reset` comes, and then `joined`, which is returned."""
    await client._wait(lambda: "joined" in [f["type"] for f in client.frames])
    kinds = [f["type"] for f in client.frames if f["type"] in ("reset", "joined")]
    assert kinds == ["reset", "joined"]
    assert (await client.frame("reset"))["room"] == room.pk
    return await client.frame("joined")


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [m["body"] for m in messages if m["kind"] == "text"]


async def comes_to_others(world: World, client: Client) -> None:
    """Something is said aloud, and this client has it."""
    await run(world.say, world.team, world.ben, "aloud")
    await client.message("aloud")


# Leaving


async def test_who_is_removed_is_told_and_hears_no_more(world: World, hub: Hub) -> None:
    cleo, gus = [await Client.into(user, world.team.pk) for user in (world.cleo, world.gus)]
    await run(world.team.remove, world.cleo, by=world.ben)
    assert (await cleo.frame("left"))["reason"] == "removed"
    await comes_to_others(world, gus)
    await cleo.settle()
    assert [f for f in cleo.frames if f["type"] != "presence"] == []
    await cleo.send("join", room=world.team.pk)
    await cleo.error("not_found", room=world.team.pk)
    await cleo.send("typing", room=world.team.pk)
    await cleo.error("not_found", room=world.team.pk)
    await cleo.send("post", room=world.team.pk, client_id=UUID, body="still here?")
    await cleo.error("not_found", room=world.team.pk, client_id=UUID)


async def test_who_leaves_is_told_on_every_socket(world: World, hub: Hub) -> None:
    first, second = [await Client.into(world.cleo, world.team.pk) for _ in range(2)]
    elsewhere = await Client.into(world.cleo, world.public.pk)
    await run(world.team.leave, by=world.cleo)
    for client in (first, second, elsewhere):
        left = await client.frame("left", room=world.team.pk)
        assert left["reason"] == "left"


async def test_the_other_rooms_of_who_is_removed_go_on(world: World, hub: Hub) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    await cleo.send("join", room=world.public.pk)
    await cleo.frame("joined")
    await run(world.team.remove, world.cleo, by=world.ben)
    await cleo.frame("left", room=world.team.pk)
    await run(world.say, world.public, world.ben, "in public")
    await cleo.message("in public")


async def test_who_was_removed_and_comes_back_may_join(world: World, hub: Hub) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    await run(world.team.remove, world.cleo, by=world.ben)
    await cleo.frame("left")
    await run(world.team.invite, world.cleo, by=world.ben)
    await cleo.send("join", room=world.team.pk)
    await cleo.frame("joined")
    await comes_to_others(world, cleo)


async def test_removal_is_noticed_without_its_wake(
    world: World, hub: Hub, lose_wakes: Callable[[], None]
) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    lose_wakes()
    await run(world.team.remove, world.cleo, by=world.ben)
    await run(world.say, world.team, world.ben, "behind her back")
    await hub.check_heads()
    await cleo.frame("left", room=world.team.pk)
    await cleo.settle()
    assert [f for f in cleo.frames if f["type"] != "presence"] == []


async def test_what_is_said_after_a_removal_is_never_handed_to_who_was_removed(
    world: World, hub: Hub, lose_wakes_of_people: Callable[[], None]
) -> None:
    """The hand-over tells of newer people than the hub knows: it asks who they are first."""
    cleo, gus = [await Client.into(user, world.team.pk) for user in (world.cleo, world.gus)]
    lose_wakes_of_people()
    await run(world.team.remove, world.cleo, by=world.ben)
    await comes_to_others(world, gus)
    await cleo.frame("left", room=world.team.pk)
    await cleo.settle()
    assert texts(cleo.messages) == []


async def test_what_is_said_in_the_batch_of_a_removal_is_kept_from_who_was_removed(
    world: World, hub: Hub
) -> None:
    cleo, gus = [await Client.into(user, world.team.pk) for user in (world.cleo, world.gus)]
    for _ in range(5):
        await run(world.team.remove, world.cleo, by=world.ben)
        await run(Message.objects.post_all, [Draft(room=world.team.pk, author=world.ben, body="x")])
        await cleo.frame("left", room=world.team.pk)
        await run(world.team.invite, world.cleo, by=world.ben)
        await cleo.send("join", room=world.team.pk)
        await cleo.frame("joined")
    await comes_to_others(world, gus)
    await cleo.message("aloud")
    assert texts(cleo.messages) == ["aloud"]


# Another role


async def test_a_new_role_starts_the_room_over(world: World, hub: Hub) -> None:
    cleo, gus = [await Client.into(user, world.team.pk) for user in (world.cleo, world.gus)]
    await run(world.team.change_role, world.cleo, "viewer", by=world.ben)
    joined = await starts_over(cleo, world.team)
    assert joined["me"]["role"] == "viewer"
    await comes_to_others(world, cleo)
    await gus.message("aloud")
    assert gus.of_type("reset", "joined") == []


async def test_a_new_role_starts_over_rooms_that_are_joined_alone(
    world: World, quick: None, hub: Hub
) -> None:
    cleo = await Client.into(world.cleo, world.public.pk)
    await run(world.team.change_role, world.cleo, "viewer", by=world.ben)
    await cleo.frame("activity", room=world.team.pk)
    await cleo.settle()
    assert [f for f in cleo.frames if f["type"] != "presence"] == []


async def test_who_becomes_staff_is_shown_the_notes(world: World, hub: Hub) -> None:
    ines = await run(User.objects.create_person, "ines", "Ines", PASSWORD)
    await run(world.support.invite, ines, by=world.ada)
    await run(ines.set_site_role, SiteRole.AGENT, by=world.root)
    await run(world.note, world.ada, "between us")
    client = await Client.into(ines, world.support.pk)
    assert texts(client.joined["messages"]) == []
    await run(world.support.change_role, ines, "agent", by=world.ada)
    joined = await starts_over(client, world.support)
    assert texts(joined["messages"]) == ["between us"]
    assert joined["robots"]
    await run(world.note, world.ada, "and you")
    await client.message("and you")
    await run(world.support.change_role, ines, "customer", by=world.ada)
    joined = await starts_over(client, world.support)
    assert texts(joined["messages"]) == []
    assert joined["robots"] == []
    client.frames.clear()
    await run(world.note, world.ada, "not you")
    await run(world.say, world.support, world.ada, "all of you")
    await client.message("all of you")
    assert texts(client.messages) == ["all of you"]


async def test_a_new_role_is_noticed_without_its_wake(
    world: World, hub: Hub, lose_wakes: Callable[[], None]
) -> None:
    ada, sue = [await Client.into(user, world.support.pk) for user in (world.ada, world.sue)]
    lose_wakes()
    await run(world.support.change_role, world.sue, "agent", by=world.ada)
    await hub.check_heads()
    assert (await starts_over(sue, world.support))["me"]["role"] == "agent"
    assert ada.of_type("reset") == []


async def test_a_note_is_never_handed_to_who_is_staff_no_more(
    world: World, hub: Hub, lose_wakes_of_people: Callable[[], None]
) -> None:
    await run(world.support.join, by=world.amy)
    amy, sue = [await Client.into(user, world.support.pk) for user in (world.amy, world.sue)]
    lose_wakes_of_people()
    await run(world.support.change_role, world.amy, "customer", by=world.ada)
    await run(world.note, world.ada, "between us")
    await sue.message("between us")
    assert (await starts_over(amy, world.support))["me"]["role"] == "customer"
    await run(world.say, world.support, world.ada, "aloud")
    await amy.message("aloud")
    assert texts(amy.messages) == ["aloud"]


async def test_a_socket_that_could_not_start_over_tries_again(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that does not answer at that moment must not leave it waiting for ever."""
    cleo = await Client.into(world.cleo, world.team.pk)
    monkeypatch.setattr("live.database.RETRY", 0.01)
    failures = iter([OperationalError, OperationalError])
    read = arrival.read_arrivals

    def failing(*args: Any, **kwargs: Any) -> Any:
        problem = next(failures, None)
        if problem is not None:
            raise problem("database is locked")
        return read(*args, **kwargs)

    monkeypatch.setattr(arrival, "read_arrivals", failing)
    await run(world.team.change_role, world.cleo, "viewer", by=world.ben)
    await starts_over(cleo, world.team)
    await comes_to_others(world, cleo)


# History


async def test_a_history_that_starts_elsewhere_starts_everybody_over(
    world: World, hub: Hub
) -> None:
    await run(world.say, world.team, world.ben, "before otto")
    await run(world.team.invite, world.otto, by=world.ben)
    otto = await Client.into(world.otto, world.team.pk)
    assert texts(otto.joined["messages"]) == ["before otto"]
    await run(world.team.update, by=world.ben, history="joined")
    joined = await starts_over(otto, world.team)
    assert texts(joined["messages"]) == []
    await run(world.team.update, by=world.ben, history="all")
    joined = await starts_over(otto, world.team)
    assert texts(joined["messages"]) == ["before otto"]


async def test_an_edit_of_what_was_said_before_one_came_is_not_told(world: World, hub: Hub) -> None:
    await run(world.team.update, by=world.ben, history="joined")
    before = await run(world.say, world.team, world.ben, "before otto")
    await run(world.team.invite, world.otto, by=world.ben)
    otto = await Client.into(world.otto, world.team.pk)
    await run(before.edit, "before otto, better", by=world.ben)
    await comes_to_others(world, otto)
    assert texts(otto.messages) == ["aloud"]


# Coming in


async def test_who_is_invited_while_online_hears_of_it_and_may_join(
    world: World, quick: None, hub: Hub
) -> None:
    otto = await Client.of(world.otto)
    await run(world.team.invite, world.otto, by=world.ben)
    await otto.frame("activity", room=world.team.pk)
    await otto.send("join", room=world.team.pk)
    await otto.frame("joined")
    await comes_to_others(world, otto)


async def test_who_is_put_into_a_new_room_hears_of_it(world: World, quick: None, hub: Hub) -> None:
    otto, cleo = [await Client.of(user) for user in (world.otto, world.cleo)]
    opening = partial(Room.objects.open, "Fresh", by=world.ben, people=[world.otto, world.cleo])
    room = await run(opening)
    for client in (otto, cleo):
        await client.frame("activity", room=room.pk)


async def test_being_invited_is_noticed_without_its_wake(
    world: World, quick: None, hub: Hub, lose_wakes: Callable[[], None]
) -> None:
    otto = await Client.of(world.otto)
    lose_wakes()
    await run(world.team.invite, world.otto, by=world.ben)
    await hub.check_heads()
    await otto.frame("activity", room=world.team.pk)


async def test_who_joins_by_themselves_may_be_heard_at_once(world: World, hub: Hub) -> None:
    otto = await Client.of(world.otto)
    cleo = await Client.into(world.cleo, world.public.pk)
    await run(world.public.join, by=world.otto)
    await otto.send("join", room=world.public.pk)
    await otto.frame("joined")
    await otto.post(world.public.pk, "hello")
    await cleo.message("hello")


async def test_what_was_said_while_wakes_were_lost_comes_with_the_next(
    world: World, hub: Hub, lose_wakes: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    with monkeypatch.context() as lost:
        lost.setattr(listeners.hub, "in_hub", lambda work: None)
        for n in range(3):
            await run(world.say, world.team, world.ben, f"line {n}")
    await comes_to_others(world, cleo)
    assert texts(cleo.messages) == ["line 0", "line 1", "line 2", "aloud"]


async def test_what_was_said_while_wakes_were_lost_comes_with_the_head_check(
    world: World, hub: Hub, lose_wakes: Callable[[], None]
) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    lose_wakes()
    await run(world.say, world.team, world.ben, "unheard")
    await hub.check_heads()
    await cleo.message("unheard")


async def test_a_person_who_goes_while_they_join_is_not_left_in_the_room(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are removed just after what they are told was read."""
    read = arrival.read_arrivals

    def read_and_remove(*args: Any, **kwargs: Any) -> Any:
        found = read(*args, **kwargs)
        if Participant.objects.filter(room=world.team, user=world.cleo).exists():
            world.team.remove(world.cleo, by=world.ben)
        return found

    gus = await Client.into(world.gus, world.team.pk)
    cleo = await Client.of(world.cleo)
    monkeypatch.setattr(arrival, "read_arrivals", read_and_remove)
    await cleo.send("join", room=world.team.pk)
    await cleo.settle()
    await comes_to_others(world, gus)
    await cleo.settle()
    assert texts(cleo.messages) == []
    assert cleo.frames[-1]["type"] in ("left", "error")


async def test_rooms_and_people_are_forgotten_with_the_last_socket(world: World, hub: Hub) -> None:
    ben, cleo = [await Client.into(user, world.team.pk) for user in (world.ben, world.cleo)]
    await run(world.team.invite, world.otto, by=world.ben)
    await ben.disconnect()
    await cleo.disconnect()
    assert hub.rooms == {}
    assert hub.sockets == {}


async def test_starting_over_while_joining_loses_nothing(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one was told last is never older than what one was told before."""
    read, was_read, go_on = arrival.read_arrivals, Event(), Event()

    def slow(*args: Any, **kwargs: Any) -> Any:
        found = read(*args, **kwargs)
        was_read.set()
        assert go_on.wait(10)
        return found

    gus, cleo = [await Client.into(user, world.team.pk) for user in (world.gus, world.cleo)]
    monkeypatch.setattr(arrival, "read_arrivals", slow)
    await run(world.team.change_role, world.cleo, "viewer", by=world.ben)
    assert await asyncio.to_thread(was_read.wait, 10)
    await cleo.send("join", room=world.team.pk)
    await run(world.say, world.team, world.ben, "meanwhile")
    await gus.message("meanwhile")
    go_on.set()
    await cleo._wait(lambda: len(cleo.of_type("joined")) == 2)
    await cleo.settle()
    last = max(n for n, frame in enumerate(cleo.frames) if frame["type"] == "joined")
    assert "meanwhile" in texts([m for f in cleo.frames[last:] for m in f.get("messages", ())])
