"""Who is to answer: asked of every message as it is posted, and of every answer as it ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models

from accounts.models import User
from accounts.prepared import prepared
from messages.audience import Audience, Reader
from messages.models import Message
from robots import turns
from rooms.models import Participant
from rooms.modes import Role

if TYPE_CHECKING:
    from robots.models import Autopilot, Reply, Robot

ALL = "robots"
"""The handle that names every robot of the room."""

SPEAKERS = (User.Kind.PERSON, User.Kind.GUEST, User.Kind.CUSTOMER)


class Cause(models.TextChoices):
    """Why a robot answers a message."""

    NAMED = "named", "It was mentioned, or the message was put to it alone"
    DIRECT = "direct", "It is its direct room"
    ALWAYS = "always", "It answers whatever people write"
    CHOSEN = "chosen", "Somebody chose it"
    AUTOPILOT = "autopilot", "Its turn has come"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summons:
    """That `robot` is to answer `question`, for the sake of `root`, the human at the beginning."""

    robot: Robot
    question: Message
    cause: Cause
    root: User | None
    depth: int = 0
    """How many robots have answered each other since `root` spoke."""
    instruction: str = ""
    """What it is told besides, for this answer alone."""
    autopilot: Autopilot | None = None


def by_people(messages: Iterable[Message]) -> tuple[list[Summons], list[Message]]:
    """Whom new messages of people call, and those of them that were said where robots are.

    Shares call nobody.
    """
    spoken = [message for message in messages if _is_said_by_somebody(message)]
    seats = _robots_in({message.room_id for message in spoken})
    found = []
    for question in spoken:
        for seat in seats[question.room_id]:
            cause = _cause(question, seat)
            if cause is not None:
                robot = seat.user.robot
                found.append(
                    Summons(robot=robot, question=question, cause=cause, root=question.author)
                )
    return found, [message for message in spoken if seats[message.room_id]]


def by_robot(answer: Message) -> list[Summons]:
    """Whom a robot's finished answer names. During autopilot it is the session that decides."""
    if answer.status != Message.Status.COMPLETE or not answer.named:
        return []
    said: Reply | None = getattr(answer, "answer_of", None)
    if said is None or said.autopilot_id:
        return []
    return [
        Summons(
            robot=seat.user.robot,
            question=answer,
            cause=Cause.NAMED,
            root=said.root,
            depth=said.depth + 1,
        )
        for seat in _robots_in({answer.room_id})[answer.room_id]
        if _is_named(answer, seat.user.robot) and _hears(answer, seat)
    ]


def by_session(session: Autopilot, robot: Robot) -> Summons:
    """The next turn of a session: it answers what was said last; its card, before anything was."""
    names = [f"{member.user.name} (@{member.user.handle})" for member in session.members]
    return Summons(
        robot=robot,
        question=_said_last(session),
        cause=Cause.AUTOPILOT,
        root=session.started_by,
        instruction=turns.instruction(session.plan, session.place, names=names),
        autopilot=session,
    )


def _said_last(session: Autopilot) -> Message:
    said = session.replies.filter(message__isnull=False, message__deleted_at__isnull=True)
    last = said.order_by("-pk").first()
    shown = session.card_id if last is None else last.message_id
    found: Message = Message.objects.select_related("author").get(pk=shown)
    found.room = session.room
    return found


def _is_said_by_somebody(message: Message) -> bool:
    return message.kind == Message.Kind.TEXT and message.author.kind in SPEAKERS


def _robots_in(rooms: set[int]) -> dict[int, list[Participant]]:
    seats: dict[int, list[Participant]] = defaultdict(list)
    for seat in _robot_seats(rooms) if rooms else ():
        seat.user.robot.user = seat.user
        seats[seat.room_id].append(seat)
    return seats


@prepared("rooms")
def _robot_seats(rooms: Collection[int]) -> models.QuerySet[Participant]:
    return (
        Participant.objects.filter(room__in=rooms, role=Role.ROBOT, user__is_active=True)
        .filter(user__robot__retired_at__isnull=True, user__robot__isnull=False)
        .select_related("user__robot")
        .order_by("pk")
    )


def _cause(question: Message, seat: Participant) -> Cause | None:
    robot: Robot = seat.user.robot
    if question.shared_from_id or not _hears(question, seat):
        return None
    if question.room.is_direct:
        return Cause.DIRECT
    is_meant = robot.user_id in question.to or _is_named(question, robot)
    if is_meant and question.author_role != Role.CUSTOMER:
        return Cause.NAMED
    if robot.trigger == robot.Trigger.ALWAYS and robot.enabled and not _is_whisper(question):
        return Cause.ALWAYS
    return None


def _is_named(message: Message, robot: Robot) -> bool:
    if message.author_id == robot.user_id or robot.trigger == robot.Trigger.MANUAL:
        return False
    return robot.user.handle in message.named or ALL in message.named


def _is_whisper(message: Message) -> bool:
    return message.audience == Audience.ONLY


def _hears(message: Message, seat: Participant) -> bool:
    seat.room = message.room
    return Reader.of(seat).sees(message)
