"""Apps above the socket add frames, parts of `joined`, and listen to who types."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import transaction

from accounts.errors import Forbidden
from accounts.models import User
from live import ephemeral, frames, protocol
from live.database import run
from live.frames import FRAMES, Field
from live.hub import Hub
from live.protocol import Viewer
from live.signals import typed
from messages.encoding import Encoded
from rooms.models import Participant, Room
from rooms.modes import Role
from tests.live.client import Client
from tests.world import World

Register = Callable[..., None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """As `protocol.takes` does, until the test is over."""

    def register(handler: protocol.Handler, kind: str, **fields: Field) -> None:
        monkeypatch.setitem(FRAMES, kind, {})
        monkeypatch.setitem(protocol._handlers, kind, handler)
        protocol.takes(kind, **fields)(handler)

    return register


async def test_a_registered_frame_is_read_and_done(
    world: World, hub: Hub, register: Register
) -> None:
    done: list[Any] = []

    def wave(user: User, room: int, message: int | None = None) -> None:
        done.append((user, room, message, threading.current_thread() is threading.main_thread()))

    register(wave, "wave", room=frames.ROOM, message=Field(int, "an id"))
    ben = await Client.into(world.ben, world.team.pk)
    await ben.send("wave", room=world.team.pk, message=None, unknown=1)
    await ben.settle()
    assert done == [(world.ben, world.team.pk, None, False)]


async def test_what_it_raises_is_told_and_the_socket_goes_on(
    world: World, hub: Hub, register: Register
) -> None:
    def forbid(user: User, room: int) -> None:
        raise Forbidden("Not with me.")

    def fail(user: User) -> None:
        raise RuntimeError

    register(forbid, "wave", room=frames.ROOM)
    register(fail, "wink")
    ben = await Client.into(world.ben, world.team.pk)
    await ben.send("wave", room=world.team.pk)
    assert (await ben.error("forbidden", room=world.team.pk))["message"] == "Not with me."
    await ben.send("wave", room="here")
    await ben.error("invalid")
    await ben.send("wink")
    await ben.error("unavailable")
    await ben.settle()


async def test_registered_frames_count_as_others_do(
    world: World, hub: Hub, register: Register, settings: Any
) -> None:
    settings.CHAT_CALL_RATE, settings.CHAT_CALL_BURST = 1, 3
    register(lambda user: None, "wave")
    ben = await Client.of(world.ben)
    for _ in range(4):
        await ben.send("wave")
    await ben.error("rate_limited")


def test_frames_of_live_itself_cannot_be_taken_over() -> None:
    with pytest.raises(ValueError):
        protocol.takes("post")(lambda user: None)


async def test_a_part_of_joined_is_made_by_who_registered_it(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(protocol._parts, "robots", None)

    @protocol.tells("robots")
    def titled(viewers: Sequence[Viewer]) -> list[list[Encoded]]:
        return [
            [{**one, "title": title_for(seat)} for one in people if one["role"] == Role.ROBOT]
            for seat, people in viewers
        ]

    def title_for(seat: Participant) -> str:
        return f"{seat.user.name}’s own, in {seat.room.name}"

    ben = await Client.into(world.ben, world.team.pk)
    (parrot,) = ben.joined["robots"]
    assert (parrot["handle"], parrot["title"]) == ("parrot", "Ben’s own, in Team")
    carl = await Client.into(world.carl, world.support.pk)
    assert carl.joined["robots"] == []


async def test_robots_that_come_and_go_are_told_as_robots(world: World, hub: Hub) -> None:
    ben = await Client.into(world.ben, world.team.pk)
    echo = await run(User.objects.create_robot, "echo", "Echo")
    await run(seat_robot, world.team, echo, world.ben)
    frame = await ben.frame("room")
    assert frame["people"] == {"added": [], "changed": [], "removed": []}
    assert [robot["handle"] for robot in frame["robots"]["added"]] == ["echo"]
    await run(world.team.remove, echo, by=world.ben)
    frame = await ben.frame("room")
    assert frame["robots"] == {"added": [], "changed": [], "removed": [echo.pk]}
    assert frame["people"]["removed"] == []


async def test_people_who_come_are_no_news_of_robots(world: World, hub: Hub) -> None:
    ben = await Client.into(world.ben, world.team.pk)
    await run(world.team.invite, world.otto, by=world.ben)
    assert "robots" not in await ben.frame("room")


async def test_customers_are_told_of_no_robots(world: World, hub: Hub) -> None:
    carl, ada = [await Client.into(user, world.support.pk) for user in (world.carl, world.ada)]
    echo = await run(User.objects.create_robot, "echo", "Echo")
    await run(seat_robot, world.support, echo, world.ada)
    await run(world.support.remove, echo, by=world.ada)
    for _ in range(2):
        assert "robots" in await ada.frame("room")
    await run(world.say, world.support, world.ada, "after all")
    await carl.message("after all")
    assert carl.bodies == ["after all"]
    assert carl.of_type("room") == []


@transaction.atomic
def seat_robot(room: Room, robot: User, by: User) -> None:
    room.locked().admit(robot, role=Role.ROBOT, invited_by=by)


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    """What `typed` announced."""
    heard: list[dict[str, Any]] = []

    def hear(room: int, user: int, audience: str, to: list[int], **_: object) -> None:
        assert threading.current_thread() is not threading.main_thread()
        heard.append({"room": room, "user": user, "audience": audience, "to": to})

    typed.connect(hear)
    yield heard
    typed.disconnect(hear)


async def test_who_types_is_announced_now_and_then(
    world: World, hub: Hub, heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    room = world.team.pk
    ben, cleo = [await Client.into(user, room) for user in (world.ben, world.cleo)]
    for client in (ben, cleo, ben):
        await client.send("typing", room=room)
        await client.settle()
    await announced(heard, 1)
    await ben.send("typing", room=room, audience="only", to=[world.cleo.pk])
    await announced(heard, 2)
    assert heard == [
        {"room": room, "user": world.ben.pk, "audience": "everyone", "to": []},
        {"room": room, "user": world.ben.pk, "audience": "only", "to": [world.cleo.pk]},
    ]
    monkeypatch.setattr(ephemeral, "TYPING_ANNOUNCED", 0.0)
    await cleo.send("typing", room=room)
    await announced(heard, 3)
    assert heard[-1]["user"] == world.cleo.pk


async def test_who_may_not_write_types_nothing(
    world: World, hub: Hub, heard: list[dict[str, Any]]
) -> None:
    vic = await Client.into(world.vic, world.team.pk)
    await vic.send("typing", room=world.team.pk)
    await vic.error("forbidden")
    await run(lambda: None)
    assert heard == []


async def announced(heard: list[dict[str, Any]], number: int) -> None:
    """So much was announced: what the pool was given before is done by then."""
    for _ in range(1000):
        if len(heard) >= number:
            return
        await run(lambda: None)
    raise AssertionError(heard)
