"""Why robots that take turns pause or end, how that is put, and the limits that end them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import models
from django.utils import timezone

ERRORS_MAX = 2
"""Turns in a row that may go wrong: then the session has failed."""


class State(models.TextChoices):
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class Why(NamedTuple):
    """What becomes of a session, and how that is put."""

    state: State
    sentence: str


WHY: Mapping[str, Why] = {
    "paused": Why(State.PAUSED, "{by} paused it."),
    "spoken": Why(State.PAUSED, "{by} wrote something."),
    "interrupted": Why(State.PAUSED, "{by} stopped a turn."),
    "goal": Why(State.DONE, "The goal is reached."),
    "turns": Why(State.DONE, "All turns have been taken."),
    "ended": Why(State.DONE, "{by} ended it. {reason}"),
    "stopped": Why(State.STOPPED, "{by} stopped it."),
    "tokens": Why(State.STOPPED, "Its tokens are used up."),
    "cost": Why(State.STOPPED, "Its money is used up."),
    "deadline": Why(State.STOPPED, "Its time is up."),
    "room_closed": Why(State.STOPPED, "The room was closed."),
    "robot_left": Why(State.STOPPED, "Robots that it needs have left the room."),
    "errors": Why(State.FAILED, "Two turns in a row went wrong. {reason}"),
}


class Spent(NamedTuple):
    """What a session, or its moderator, has taken."""

    tokens: int
    cost: Decimal | None
    """In US dollars; None where no price is known."""


class Standing(NamedTuple):
    """How far a session has come."""

    turns: int
    spent: Spent
    errors: int
    """Turns that went wrong in a row."""
    is_running: bool
    is_at_goal: bool
    """One of its robots, which may say so, says that its goal is reached."""


class Limits(NamedTuple):
    """What a session may take."""

    turns: int
    tokens: int | None
    cost: Decimal | None
    deadline: datetime

    def over(self, now: Standing) -> str:
        """Why there is no further turn, as a code of WHY; empty where there is one."""
        reasons = {
            "errors": now.errors >= ERRORS_MAX,
            "goal": now.is_at_goal,
            "turns": now.turns >= self.turns,
            "tokens": self.tokens is not None and now.spent.tokens >= self.tokens,
            "cost": self.cost is not None and (now.spent.cost or Decimal(0)) >= self.cost,
            "deadline": now.is_running and self.deadline <= timezone.now(),
        }
        return next((code for code, holds in reasons.items() if holds), "")
