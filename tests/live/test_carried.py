"""What another process posted, and told of as it is: handed on without being read again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgpack
import pytest

from live import database, feed, hub, layer
from live.bulletin import CARRIED_BYTES, Bulletin
from live.hub import Hub
from live.listeners import _bulletin
from messages.audience import Reader
from messages.models import Message
from tests.live.client import Client
from tests.messages.files import upload
from tests.world import World


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is posted is posted by another process; what that one tells is kept here."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(layer, "is_shared", lambda: True)
    monkeypatch.setattr(
        layer, "publish_all", lambda messages: told.extend(map(over_the_wire, messages.values()))
    )
    return told


def over_the_wire(message: dict[str, Any]) -> dict[str, Any]:
    heard: dict[str, Any] = msgpack.unpackb(msgpack.packb(message), raw=False)
    return heard


def say_elsewhere(work: Callable[[], Any]) -> Any:
    """In a process whose hub is not ours."""
    ours, hub._current = hub._current, None
    try:
        return work()
    finally:
        hub._current = ours


def bulletin_of(*messages: Message) -> Bulletin:
    return _bulletin(messages[0].room_id, list(messages))


def heard(bulletin: Bulletin) -> Bulletin:
    carried = bulletin.carried()
    assert carried is not None
    return Bulletin.heard(over_the_wire({"carried": carried})["carried"])


def texts(bulletin: Bulletin, *, html: bool) -> list[Any]:
    frames = bulletin.frames(bulletin.whole, html=html)
    return [json.loads(frame)["messages"] for frame in frames]


@pytest.mark.parametrize("html", [True, False])
def test_it_is_told_in_the_same_words(world: World, html: bool) -> None:
    said = [world.say(world.team, world.ben, text) for text in ("**one**", "two, @cleo")]
    ours = bulletin_of(*said)
    theirs = heard(ours)
    assert texts(theirs, html=html) == texts(ours, html=html)
    assert (theirs.start, theirs.end) == (ours.start, ours.end)


def test_who_came_later_is_not_shown_it(world: World) -> None:
    bulletin = heard(bulletin_of(world.say(world.team, world.ben)))
    (message,) = bulletin.messages
    assert not bulletin.view_of(Reader(world.cleo.pk, "member", message.pk))
    assert bulletin.view_of(Reader(world.ben.pk, "member", message.pk)), "but who said it is"
    assert bulletin.view_of(Reader(world.cleo.pk, "member", message.pk - 1))


def test_only_what_everybody_may_see_whole_is_carried(world: World) -> None:
    first = world.say(world.team, world.ben)
    files = [upload(world.team, world.ben)]
    begun, note = [Message(room=world.team, author=world.ben, audience="everyone") for _ in "12"]
    begun.status, note.data = "streaming", {"event": "joined", "people": []}
    for message in (begun, note):
        message.revision, message.attached = 1, []
    for other in (
        world.whisper(world.team, world.ben, world.cleo),
        world.say(world.support, world.ada, audience="staff"),
        world.say(world.team, world.ben, "indeed", reply_to=first),
        first.share(by=world.ben, audience="everyone").message,
        world.say(world.team, world.ben, "look", attachments=files),
        world.say(world.team, world.ben, "x" * (CARRIED_BYTES // 2)),
        begun,
        note,
    ):
        assert bulletin_of(other).carried() is None
    assert bulletin_of(world.say(world.team, world.ben)).carried()


async def test_what_another_process_said_is_told_without_asking_the_database(
    world: World, hub: Hub, elsewhere: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    await cleo.settle()
    await database.run(say_elsewhere, lambda: world.say(world.team, world.ben, "from afar"))
    monkeypatch.setattr(feed, "read", never)
    for told in elsewhere:
        hub.hear(told)
    await cleo.message("from afar")


def never(*_: object) -> None:
    raise AssertionError


async def test_what_came_before_is_told_first(
    world: World, hub: Hub, elsewhere: list[dict[str, Any]]
) -> None:
    """The word of the first of two was lost."""
    cleo = await Client.into(world.cleo, world.team.pk)
    for text in ("lost", "found"):
        await database.run(say_elsewhere, lambda text=text: world.say(world.team, world.ben, text))
    hub.hear(elsewhere[-1])
    await cleo.message("found")
    assert cleo.bodies == ["lost", "found"]


async def test_who_was_shown_out_elsewhere_is_not_told(
    world: World, hub: Hub, elsewhere: list[dict[str, Any]]
) -> None:
    """All was handed on up to what comes, but by a roster that was read before he was."""
    gus = await Client.into(world.gus, world.team.pk)
    cleo = await Client.into(world.cleo, world.team.pk)
    await database.run(say_elsewhere, lambda: world.team.remove(world.gus, by=world.ben))
    await database.run(say_elsewhere, lambda: world.say(world.team, world.ben, "without gus"))
    (carried,) = elsewhere[-1]["carried"]
    hub.rooms[world.team.pk].mark = carried[1]
    hub.hear(elsewhere[-1])
    await cleo.message("without gus")
    await gus.frame("left")
    await gus.settle()
    assert "without gus" not in gus.bodies
