"""How an answer ended, and how that is put where it did not end well."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How writing an answer ended, as the worker knows it."""

    text: str
    """As people have seen it, and as it stays."""
    is_at_goal: bool = False
    """It said that the goal of its session is reached."""
    error: str = ""
    """A code of `robots.llm`'s table, or one of ours; empty where all went well."""
    sentence: str = ""
    """The error in words for the people in the room."""
    notice: str = ""
    """What they should know besides, in words."""
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: Decimal | None = None
    """In US dollars, as far as prices are known."""
    unpriced: bool = False
    """The price of some of it is unknown."""
    model: str = ""


SENTENCES = {
    "lost": "The worker that wrote this answer went away.",
    "restarted": "The server was restarted while this was written.",
    "disabled": "This robot is switched off.",
    "budget_spent": "This robot has used up what it may spend today.",
    "question_gone": "The question was deleted.",
    "not_for_all": "The question cannot be seen by everybody who would read the answer.",
    "not_here": "This robot is not in the room any more.",
    "room_closed": "The room is closed.",
    "unexpected": "Something went wrong inside the server. The operator finds it in the log.",
}
"""What goes wrong on our side of the gateway, for the people in the room."""
