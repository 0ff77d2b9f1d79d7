"""What robots add to the socket: stopping one, and what a room tells of its robots."""

from __future__ import annotations

import pytest

from live.database import run
from live.hub import Hub
from messages.models import Message
from robots.models import Reply, Robot, RobotSeat
from tests.live.client import Client
from tests.world import World


@pytest.fixture
def echo(world: World) -> Robot:
    robot = Robot.objects.add("echo", "Echo", by=world.root, model="builtin/parrot")
    RobotSeat.objects.seat(robot, world.team, by=world.ben, title="Critic", persona="You doubt.")
    RobotSeat.objects.seat(robot, world.support, by=world.ada)
    return robot


def being_written(world: World) -> Message:
    question = world.say(world.team, world.cleo, "@echo hello")
    reply = Reply.objects.take(Reply.objects.get(question=question).pk, worker="w")
    assert reply is not None
    assert reply.message is not None
    return reply.message


async def test_a_frame_stops_a_robot(world: World, hub: Hub, echo: Robot) -> None:
    message = await run(being_written, world)
    ben = await Client.into(world.ben, world.team.pk)
    await ben.send("stop", room=world.team.pk, message=message.pk)
    await ben.settle()
    reply = await run(Reply.objects.select_related("stopped_by").get, message=message)
    assert reply.stopped_by == world.ben


async def test_what_may_not_be_stopped_is_told(world: World, hub: Hub, echo: Robot) -> None:
    message = await run(being_written, world)
    secret = await run(whispered, world, echo)
    said = await run(world.say, world.team, world.ben)
    room = world.team.pk
    ben, vic = [await Client.of(user) for user in (world.ben, world.vic)]
    await vic.send("stop", room=room, message=message.pk)
    await vic.error("forbidden", room=room)
    for user in (world.otto, world.root, world.carl):
        outside = await Client.of(user)
        await outside.send("stop", room=room, message=message.pk)
        await outside.error("not_found", room=room)
    for pk in (said.pk, secret.pk, 999_999_999):
        await ben.send("stop", room=room, message=pk)
        await ben.error("not_found", room=room)
    await ben.send("stop", room=world.public.pk, message=message.pk)
    await ben.error("not_found", room=world.public.pk)
    for wrong in ("1", None, True, 2**63):
        await ben.send("stop", room=room, message=wrong)
        await ben.error("invalid")
    assert not await run(Reply.objects.filter(stop_requested_at__isnull=False).exists)


async def test_an_answer_that_is_over_is_not_stopped(world: World, hub: Hub, echo: Robot) -> None:
    message = await run(being_written, world)
    await run(Reply.objects.filter(message=message).update, state=Reply.State.DONE)
    ben = await Client.of(world.ben)
    await ben.send("stop", room=world.team.pk, message=message.pk)
    await ben.error("reply_over", room=world.team.pk)


async def test_what_a_robot_becomes_in_a_room_is_told_there(
    world: World, hub: Hub, echo: Robot
) -> None:
    ben, vic = [await Client.into(user, world.team.pk) for user in (world.ben, world.vic)]
    seat = await run(RobotSeat.objects.select_related("participant__room").get, title="Critic")
    await run(seat.update, by=world.ben, persona="You judge.")  # nobody's business
    await run(seat.update, by=world.ben, title="Judge")
    for client in (ben, vic):
        frame = await client.frame("room")
        assert frame["people"] == {"added": [], "changed": [], "removed": []}
        (robot,) = frame["robots"]["changed"]
        assert (robot["handle"], robot["role"], robot["title"]) == ("echo", "robot", "Judge")
        await client.message("Ben made Echo “Judge” here.")
    await run(seat.update, by=world.ben, title="")
    (robot,) = (await vic.frame("room"))["robots"]["changed"]
    assert robot["title"] == ""
    await vic.message("Ben made Echo what it is elsewhere.")


async def test_what_a_robot_becomes_beside_a_customer_is_for_the_staff(
    world: World, hub: Hub, echo: Robot
) -> None:
    carl, ada = [await Client.into(user, world.support.pk) for user in (world.carl, world.ada)]
    seat = await run(RobotSeat.objects.select_related("participant__room").get, title="")
    await run(seat.update, by=world.ada, title="Judge")
    assert "robots" in await ada.frame("room")
    await run(world.say, world.support, world.ada, "after all")
    await carl.message("after all")
    assert carl.bodies == ["after all"]
    assert carl.of_type("room") == []


async def test_a_room_tells_what_its_robots_are(world: World, hub: Hub, echo: Robot) -> None:
    vic = await Client.into(world.vic, world.team.pk)
    told = {robot["handle"]: robot for robot in vic.joined["robots"]}
    public = {"title": "Critic", "trigger": "mention", "enabled": True}
    assert public.items() <= told["echo"].items()
    assert "trigger" not in told["parrot"], "there is nothing behind this one"
    assert "persona" not in told["echo"]
    carl = await Client.into(world.carl, world.support.pk)
    assert carl.joined["robots"] == []


def whispered(world: World, echo: Robot) -> Message:
    """What the robot answers between the two of them."""
    question = world.whisper(world.team, world.cleo, echo.user)
    message = Reply.objects.get(question=question).message
    assert message is not None
    return message
