"""How robots take turns: one row of a table a strategy, made of two mechanisms.

In the round each has its turn in order; where a session is moderated its first robot names who is
next. All else is who speaks when, and what they are told to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from robots.choices import Explained
from robots.goal import MARK

ROBOTS_MAX = 10
TURNS_MAX = 100


class Name(Explained):
    ROUND_ROBIN = (
        "round_robin",
        "Each speaks in turn; one that finds the goal reached ends it",
        "Round robin",
    )
    MODERATED = (
        "moderated",
        "The first names after each turn who is next, or ends it",
        "Moderated",
    )
    RELAY = (
        "relay",
        "Each takes up the work of the one before; the last finishes it",
        "Relay",
    )
    DEBATE = (
        "debate",
        "The first of three argues for it, the second against, the third judges",
        "Debate",
    )
    CONSENSUS = (
        "consensus",
        "All give their view, then the first brings it together",
        "Consensus",
    )


class Place(NamedTuple):
    """Where in a session a turn stands."""

    number: int
    """From 0."""
    turns: int
    robots: int

    @property
    def is_last(self) -> bool:
        return self.number == self.turns - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One row of the table."""

    sentence: str
    """What a session is, on its card: of `by`, all `robots`, the `first` and the `last`."""
    task: Callable[[Place], str]
    """What whoever has the turn is told to do."""
    turns: Callable[[int], int]
    """How many there are where nothing else is asked for, with so many robots."""
    fewest_turns: Callable[[int], int] = lambda robots: 1
    """With so many robots."""
    least: int = 2
    """Robots that it takes."""
    most: int = ROBOTS_MAX
    speaker: Callable[[Place], int] = lambda place: place.number % place.robots
    """Which of its robots has the turn, where there is no moderator."""
    is_moderated: bool = False
    ends_at_goal: bool = False
    """Whether any of its robots may say that the goal is reached."""

    @property
    def sizes(self) -> str:
        """How many robots it takes, in words."""
        most = self.most
        return (
            f"It takes {self.least} to {most} robots."
            if most > self.least
            else f"It takes {most} robots."
        )


def _round_robin(place: Place) -> str:
    return "Answer what was said last, and bring the conversation on."


def _moderated(place: Place) -> str:
    return "The moderator has given you the word. Answer what was said last, and bring it on."


def _relay(place: Place) -> str:
    if place.number == 0:
        return "You begin the work. The others go on from where you end: leave it in good order."
    if place.is_last:
        return "Take up the work as the one before you left it, and finish it. Show it whole."
    return "Take up the work as the one before you left it: keep what is good, and build on it."


def _debate(place: Place) -> str:
    if place.is_last:
        return "You are the judge. Weigh the arguments of both sides, and give your verdict."
    side = "against it" if place.number % 2 else "in favour of it"
    if place.number < 2:
        return f"You argue {side}, whatever you think yourself. Open with your best arguments."
    return f"You argue {side}, whatever you think yourself. Answer the other side’s arguments."


def _debater(place: Place) -> int:
    return 2 if place.is_last else place.number % 2


def _consensus(place: Place) -> str:
    if place.is_last:
        return "Bring together what all have said: what they agree on, and what is left open."
    return "Give your own view, and say where you agree with those before you and where not."


def _consenter(place: Place) -> int:
    return 0 if place.is_last else place.number % place.robots


def _as_set(robots: int) -> int:
    return int(settings.CHAT_AUTOPILOT_TURNS)


STRATEGIES: Mapping[str, Strategy] = {
    Name.ROUND_ROBIN: Strategy(
        sentence="{by} has {robots} take turns.",
        task=_round_robin,
        turns=_as_set,
        ends_at_goal=True,
    ),
    Name.MODERATED: Strategy(
        sentence="{by} has {robots} talk, moderated by {first}.",
        task=_moderated,
        turns=_as_set,
        is_moderated=True,
    ),
    Name.RELAY: Strategy(
        sentence="{by} has {robots} work one after the other.",
        task=_relay,
        turns=lambda robots: robots,
    ),
    Name.DEBATE: Strategy(
        sentence="{by} has {robots} debate; {last} judges.",
        task=_debate,
        turns=lambda robots: 7,
        fewest_turns=lambda robots: 3,
        least=3,
        most=3,
        speaker=_debater,
    ),
    Name.CONSENSUS: Strategy(
        sentence="{by} has {robots} look for what they agree on.",
        task=_consensus,
        turns=lambda robots: robots + 1,
        fewest_turns=lambda robots: robots + 1,
        speaker=_consenter,
    ),
}


def instruction(strategy: Strategy, place: Place, *, names: Sequence[str]) -> str:
    """What whoever has the turn is told besides its persona, whoever reads its answer."""
    return "\n".join(
        [
            f"You are taking turns with others: {', '.join(names)}.",
            f"This is turn {place.number + 1} of at most {place.turns}.",
            strategy.task(place),
            "Speak for yourself alone, and never write what the others would say.",
        ]
    )


def about(strategy: Strategy, goal: str) -> str:
    """What it is told of the goal, where all who read its answer may know that."""
    if not goal:
        return ""
    told = f"What it is about: {goal}"
    if strategy.ends_at_goal:
        told += f"\nOnce the goal is reached, write {MARK} alone on the last line."
    return told
