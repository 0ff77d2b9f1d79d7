"""What robots are told, for tests that look at it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from messages.models import Message
from robots import context, tokens
from robots.models import Reply, Robot, RobotSeat
from rooms.models import Room
from tests.robots.conftest import KEY_ENV
from tests.robots.provider import Provider
from tests.world import World, again


def seated(
    world: World, room: Room, handle: str = "muse", provider: Provider | None = None, **config: Any
) -> Robot:
    """A robot in a room; its model is asked at `provider`, by the robot's handle."""
    config.setdefault("model", f"openai/{handle}")
    if provider is not None:
        config |= {"api_base": provider.url, "key_env": KEY_ENV}
    robot = Robot.objects.add(handle, handle.title(), by=world.root, **config)
    RobotSeat.objects.seat(robot, room, by=world.system)
    return robot


def reply_to(question: Message, robot: Robot | None = None) -> Reply:
    replies = Reply.objects.with_all().filter(question=question)
    return replies.get(robot=robot) if robot else replies.get()


def prepare(reply: Reply | Message, **how: int) -> context.Prepared:
    """What is asked for this reply, or for the only one to this message. It fits, always."""
    if isinstance(reply, Message):
        reply = reply_to(reply)
    prepared = asyncio.run(context.prepare(reply, [], **how))
    window = min(reply.robot.context_window, how.get("window", reply.robot.context_window))
    sent = tokens.count_messages(prepared.call.messages)
    assert sent + (prepared.call.max_tokens or 0) <= window
    return prepared


def told(reply: Reply | Message, **how: int) -> list[tuple[str, str]]:
    """Roles and texts, after the system's."""
    system, *rest = prepare(reply, **how).call.messages
    assert system["role"] == "system"
    return [(message["role"], message["content"]) for message in rest]


def words(reply: Reply | Message, **how: int) -> str:
    """All of it."""
    return "\n".join(message["content"] for message in prepare(reply, **how).call.messages)


def system(reply: Reply | Message) -> str:
    return str(prepare(reply).call.messages[0]["content"])


def refusal(reply: Reply | Message) -> str:
    with pytest.raises(context.Unanswerable) as refused:
        prepare(reply)
    return refused.value.code


def answered(reply: Reply | Message, text: str = "Indeed.") -> Message:
    """As a worker would have."""
    from robots.outcome import Outcome

    if isinstance(reply, Message):
        reply = reply_to(reply)
    taken = Reply.objects.take(reply.pk, worker="w")
    assert taken is not None
    if taken.message is None:
        taken.show()
    assert taken.finish(Outcome(text=text))
    assert taken.message is not None
    return again(taken.message)
