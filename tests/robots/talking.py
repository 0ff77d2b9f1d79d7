"""Robots whose answers a test writes itself, in the place of workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from messages.models import Message
from robots.heard import Heard
from robots.models import Reply, Robot, RobotSeat
from robots.outcome import Outcome
from rooms.models import Room
from rooms.modes import Mode
from tests.world import World

Says = Callable[[Reply], str]


def seated(world: World, room: Room, *handles: str, **config: Any) -> list[Robot]:
    """Robots of these names, in a room."""
    by = world.ben if room.mode == Mode.TEAM else world.ada
    robots = []
    for handle in handles:
        robot = Robot.objects.add(
            handle, handle.title(), by=world.root, **{"model": "builtin/parrot", **config}
        )
        RobotSeat.objects.seat(robot, room, by=by)
        robots.append(robot)
    return robots


def answer(reply: Reply, text: str = "", **outcome: Any) -> Message:
    """Have a worker hear it, and write it."""
    taken = Reply.objects.take(reply.pk, worker="worker")
    assert taken is not None
    heard = Heard(is_turn=taken.is_turn)
    heard.add(text)
    heard.end()
    assert taken.finish(Outcome(text=heard.text, is_at_goal=heard.is_at_goal, **outcome))
    message: Message = Message.objects.get(pk=taken.message_id)
    return message


def talk(says: Says, *, most: int = 50) -> list[str]:
    """Write what is queued, and what is queued by that, until nothing is. Who spoke, in order."""
    spoken = []
    while reply := Reply.objects.unfinished().order_by("pk").first():
        answer(reply, says(reply))
        spoken.append(reply.robot.user.handle)
        assert len(spoken) < most, "They would go on forever."
    return spoken
