"""What one person may cost the others: frames of bounded size, bounded work, so many sockets."""

from live import database
from live.hub import Hub
from tests.live.client import Client
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


async def test_long_posts_use_up_the_rate_sooner(world: World, hub: Hub) -> None:
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
