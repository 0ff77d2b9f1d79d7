"""What one person may cost the others: frames of bounded size, bounded work, so many sockets."""

import weakref

import pytest

from live import database, frames
from live.hub import Hub
from tests.live.client import PATIENCE, Client
from tests.process import wait_until
from tests.world import World

LONG = "long " * 3_000


async def test_long_messages_come_in_frames_of_their_own(world: World, hub: Hub) -> None:
    ben = await Client.of(world.ben, world.team.pk)
    cursor = (await ben.frame("joined"))["cursor"]
    await ben.disconnect()
    for _ in range(12):
        await database.run(world.say, world.team, world.cleo, LONG)
    back = await Client.of(world.ben, world.team.pk, cursor=cursor)
    await back.frame("synced")
    sizes = [len(str(frame)) for frame in back.of_type("messages")]
    assert len(sizes) > 1
    assert max(sizes) < 400_000
    assert len(back.bodies) == 12


async def test_a_join_tells_as_much_as_fits_and_that_there_is_more(world: World, hub: Hub) -> None:
    for _ in range(40):
        await database.run(world.say, world.team, world.cleo, LONG)
    ben = await Client.of(world.ben, world.team.pk)
    joined = await ben.frame("joined")
    assert joined["has_older"]
    assert 1 < len(joined["messages"]) < 40
    newest = await database.run(lambda: world.team.messages.order_by("-pk")[0].pk)
    assert joined["messages"][-1]["id"] == newest


class Text(str):
    """One of which can be seen whether anybody still has it."""


async def test_a_socket_that_idles_keeps_nothing_of_what_it_was_told(
    world: World, hub: Hub
) -> None:
    ben = await Client.of(world.ben)
    (socket,) = hub.sockets[world.ben.pk]
    told = Text(frames.write("pong", t="last"))
    kept = weakref.ref(told)
    socket.owe([told])
    del told
    await ben.frame("pong")
    await wait_until(lambda: kept() is None)


async def test_long_posts_use_up_the_rate_sooner(world: World, hub: Hub, settings: object) -> None:
    settings.CHAT_POST_RATE = 0.001
    ben = await Client.of(world.ben, world.team.pk)
    for n in range(12):
        await ben.send("post", room=world.team.pk, client_id=f"{n:032x}", body="x" * 16_000)
    await ben.error("rate_limited")


async def test_a_person_has_only_so_many_sockets(world: World, hub: Hub, settings: object) -> None:
    settings.CHAT_SOCKETS_PER_USER = 2
    first, second = await Client.of(world.ben), await Client.of(world.ben)
    third = await Client.of(world.ben)
    assert (await third.frame("bye"))["reason"] == "misbehaving"
    await first.settle()
    await second.disconnect()
    again = await Client.of(world.ben, world.team.pk)
    await again.frame("joined")


async def test_what_is_never_taken_does_not_pile_up_however_often_a_role_changes(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.usher.PATIENCE", PATIENCE)  # until the others have heard it all
    for _ in range(20):
        await database.run(world.say, world.team, world.cleo, LONG)
    slow = await Client.into(world.gus, world.team.pk)
    (socket,) = hub.sockets[world.gus.pk]
    quick = await Client.into(world.gus, world.team.pk)
    slow.reads.clear()
    for role in ("viewer", "member") * 6:
        await database.run(world.team.change_role, world.gus, role, by=world.ben)
        assert (await quick.frame("joined"))["me"]["role"] == role
    assert len(socket._queue) < 12
    slow.reads.set()
    await wait_until(lambda: len(slow.of_type("joined")) > 1)
    await slow.settle()
    assert [frame["me"]["role"] for frame in slow.of_type("joined")] == ["viewer", "member"]


async def test_who_takes_nothing_is_not_waited_for_to_start_over(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.usher.PATIENCE", 0.05)
    gus = await Client.into(world.gus, world.team.pk)
    (socket,) = hub.sockets[world.gus.pk]
    gus.reads.clear()
    await database.run(world.team.change_role, world.gus, "viewer", by=world.ben)
    await wait_until(lambda: socket._repaid is not None)
    await database.run(world.team.change_role, world.gus, "member", by=world.ben)
    await wait_until(lambda: socket.is_over)
    gus.reads.set()
    assert await gus.bye("too_slow") == 4008
