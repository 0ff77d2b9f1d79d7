"""Who may not see a message sees no trace of it: their frames are the same with and without it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import User
from live.database import run
from live.hub import Hub
from messages.models import Message
from rooms.models import Room
from tests.live.client import Client, Frame
from tests.world import World, again

VARYING = {
    "cursor",
    "created_at",
    "edited_at",
    "deleted_at",
    "since",
    "presence",
    "session",
    "last_message_at",
}
"""What differs between any two runs."""


def alike(value: Any) -> Any:
    """Without what differs between any two runs."""
    if isinstance(value, dict):
        return {key: alike(inner) for key, inner in value.items() if key not in VARYING}
    if isinstance(value, list):
        return [alike(inner) for inner in value]
    return value


def numbered(frames: list[Frame]) -> list[Frame]:
    """Message ids as the order they first came in: ids of others' messages lie between any two."""
    order: dict[int, int] = {}
    for message in [m for f in frames for m in f.get("messages", ())]:
        order.setdefault(message["id"], len(order))
    told = [alike(frame) for frame in frames]
    for frame in told:
        for message in frame.get("messages", ()):
            message["id"] = order[message["id"]]
            if message["reply_to"]:
                message["reply_to"]["id"] = order[message["reply_to"]["id"]]
        if isinstance(frame.get("message"), int):
            frame["message"] = order[frame["message"]]
        for read in frame.get("reads", ()):
            read["message"] = order[read["message"]]
        if "me" in frame:
            frame["me"].pop("last_read")
            frame["room"]["me"].pop("last_read")
    return told


def spoken(frames: list[Frame]) -> list[Frame]:
    """Without presence, notifications and activity, which come when they come."""
    unasked = ("presence", "notification", "activity")
    return [frame for frame in frames if frame["type"] not in unasked]


class Story:
    """A room's life in view of a bystander, with something going on behind their back, or not."""

    def __init__(self, world: World, room: Room, bystander: User, one: User, other: User) -> None:
        self.world, self.room = world, room
        self.bystander, self.one, self.other = bystander, one, other

    async def told(self, *, secretly: bool) -> list[Frame]:
        """All frames of the bystander: a socket in the room, and one that came by a cursor."""
        watching = await Client.into(self.bystander, self.room.pk)
        one, other = [await Client.into(user, self.room.pk) for user in (self.one, self.other)]
        for body in ("first", "second", "third"):
            said = await run(self.world.say, self.room, self.one, body)
            await watching.message(body)
            if secretly:
                await self._secretly(one, other)
            await other.send("read", room=self.room.pk, message=said.pk)
            await other.settle()
            if secretly:
                await self._read_whispers(other)
        await run(self.world.say, self.room, self.one, "last")
        await watching.message("last")
        for client in (one, other, watching):
            await client.settle()
        back = await Client.of(self.bystander, self.room.pk, cursor=watching.joined["cursor"])
        await back.frame("synced")
        fresh = await Client.into(self.bystander, self.room.pk)
        frames = [*watching.frames, *back.frames, fresh.joined]
        for client in (watching, one, other, back, fresh):
            await client.disconnect()
        return frames

    async def _secretly(self, one: Client, other: Client) -> None:
        to = {"audience": "only", "to": [self.other.pk]}
        await one.send("typing", room=self.room.pk, **to)
        posted = await one.post(self.room.pk, "psst @everyone", **to)
        whisper = await run(Message.objects.get, pk=posted["message"]["id"])
        reply = await other.post(self.room.pk, "what?", reply_to=whisper.pk)
        assert reply["message"]["audience"] == "only"
        await run(whisper.edit, "psst!", by=self.one)
        await run((await run(again, whisper)).react, "👂", by=self.other)
        doomed = await one.post(self.room.pk, "forget it", **to)
        await run((await run(Message.objects.get, pk=doomed["message"]["id"])).remove, by=self.one)

    async def _read_whispers(self, other: Client) -> None:
        newest = await run(Message.objects.order_by("-pk").first)
        await other.send("read", room=self.room.pk, message=newest.pk)
        await other.settle()


async def opened(world: World, mode: str) -> Story:
    if mode == "team":
        room = await run(
            lambda: Room.objects.open("A", by=world.ben, people=[world.cleo, world.vic])
        )
        return Story(world, room, world.vic, world.ben, world.cleo)
    people = [world.sue, world.carl]
    room = await run(lambda: Room.objects.open("A", by=world.ada, mode="support", people=people))
    return Story(world, room, world.carl, world.ada, world.sue)


@pytest.mark.parametrize("mode", ["team", "support"])
async def test_a_bystander_is_told_the_same_with_and_without_whispers(
    world: World, hub: Hub, settings, mode: str
) -> None:
    settings.CHAT_THROTTLES = False
    plain, whispering = await opened(world, mode), await opened(world, mode)
    without = await plain.told(secretly=False)
    within = await whispering.told(secretly=True)
    plainly, secretly = numbered(spoken(without)), numbered(spoken(within))
    expected = json.dumps(plainly).replace(f'"room": {plain.room.pk}', '"room": 0')
    told = json.dumps(secretly).replace(f'"room": {whispering.room.pk}', '"room": 0')
    expected = expected.replace(f'"id": {plain.room.pk}, "name": "A"', '"id": 0, "name": "A"')
    told = told.replace(f'"id": {whispering.room.pk}, "name": "A"', '"id": 0, "name": "A"')
    assert json.loads(told) == json.loads(expected)
    assert "psst" not in told
    notified = {f["notification"]["excerpt"] for f in within if f["type"] == "notification"}
    assert notified <= {"first", "second", "third", "last"}
    counted = {(f["unread"], f["mentions"]) for f in within if f["type"] == "activity"}
    assert counted <= {(unread, 0) for unread in range(5)}
    assert [frame["type"] for frame in without].count("messages") >= 4


async def test_somebody_who_has_not_joined_is_told_the_same(
    world: World, quick: None, hub: Hub
) -> None:
    """Activity counts what one may see, and is not even told where nothing came to it."""
    gus = await Client.of(world.gus)
    cleo = await Client.into(world.cleo, world.team.pk)
    for _ in range(3):
        await run(world.whisper, world.team, world.ben, world.cleo, body="psst @everyone @gus")
    await cleo._wait(lambda: len(cleo.bodies) == 3)
    await run(world.say, world.team, world.ben, "aloud")
    await gus.frame("activity", room=world.team.pk, unread=1, mentions=0)
    assert gus.of_type("activity") == []
