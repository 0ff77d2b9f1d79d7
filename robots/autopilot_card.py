"""The card of a session: what it says, how the session stands, and the buttons that steer it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from accounts.models import User
from accounts.times import iso
from messages import cards
from messages.audience import Audience
from messages.models import Message
from messages.posting import post_note
from robots.ending import State
from rooms.modes import Mode

if TYPE_CHECKING:
    from robots.models.autopilot import Autopilot

CARD = "autopilot"
PAUSE, RESUME, STOP = "pause", "resume", "stop"


def post(session: Autopilot) -> Message:
    """In its locked room. In a support room the staff see what is for its robots."""
    in_team = session.room.mode == Mode.TEAM
    to = [] if in_team else [robot.user_id for robot in session.members]
    audience = Audience.EVERYONE if in_team else Audience.ONLY
    return post_note(session.room, _sentence(session), data(session), audience=audience, to=to)


def data(session: Autopilot) -> dict[str, Any]:
    """What the card holds, as its session now stands."""
    return {"card": CARD, "autopilot": shown(session), "actions": _actions(session)}


def shown(session: Autopilot) -> dict[str, Any]:
    """The session as PROTOCOL has it, on its card and in the API."""
    spent = session.spent
    why = {"code": session.why, "message": session.why_message} if session.why else None
    return {
        "id": session.pk,
        "strategy": session.strategy,
        "robots": [{"id": robot.pk, "user": robot.user.public()} for robot in session.members],
        "goal": session.goal,
        "state": session.state,
        "why": why,
        "turns": {"used": session.turns_taken, "limit": session.turns},
        "tokens": {"used": spent.tokens, "limit": session.tokens},
        "cost": {"used": number(spent.cost), "limit": number(session.cost)},
        "deadline": iso(session.deadline),
        "started_by": session.started_by and session.started_by.public(),
    }


def shown_to(user: User, session: Autopilot) -> dict[str, Any]:
    """The same, without the words about it where they are from before what `user` may see."""
    told = shown(session)
    if not Message.objects.visible_to(user).filter(pk=session.card_id).exists():
        told["goal"] = ""
        told["why"] = told["why"] and {**told["why"], "message": ""}
    return told


def number(amount: Decimal | None) -> float | None:
    """Money, as JSON has it."""
    return None if amount is None else float(amount)


def _sentence(session: Autopilot) -> str:
    """What the card says; for robots, the first thing they answer."""
    names = [robot.user.name for robot in session.members]
    said = session.plan.sentence.format(
        by=session.started_by.name if session.started_by else "Somebody",
        robots=f"{', '.join(names[:-1])} and {names[-1]}",
        first=names[0],
        last=names[-1],
    )
    return f"{said} The goal: {session.goal}" if session.goal else said


def _actions(session: Autopilot) -> list[dict[str, Any]]:
    if session.is_over:
        return []
    is_running = session.state == State.RUNNING
    first = cards.offer(PAUSE, "Pause") if is_running else cards.offer(RESUME, "Resume")
    return [first, cards.offer(STOP, "Stop")]
