"""The loop guard: robots that answer each other come to an end, on every path.

What it counts is the talk an answer belongs to, what was said to the same people: hidden talk
neither uses up what the others have, nor shows in when they are stopped, nor gives them more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import groupby

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from messages.audience import Audience, fit_for
from messages.models import Message
from robots.models.hold import Hold
from robots.models.reply import Reply
from robots.summons import Summons
from rooms.models import Room

logger = logging.getLogger(__name__)

RECENT = 20
"""Answers of a robot among which its newest is looked for."""


def admit(summons: Sequence[Summons]) -> list[Summons]:
    """Those that may be queued. What is held back is told in the room, on a card.

    What people ask is free, and so are the turns of a session, which has limits of its own.
    Where the guard itself fails, robots summon nobody.
    """
    free = [one for one in summons if not one.depth]
    by_robots = [one for one in summons if one.depth]
    if not by_robots:
        return free
    try:
        with transaction.atomic():
            return free + _weigh(by_robots)
    except Exception:
        logger.exception("The loop guard failed. Robots were not let answer each other.")
        return free


def _weigh(summons: Sequence[Summons]) -> list[Summons]:
    admitted: list[Summons] = []
    for question, named in groupby(summons, key=lambda one: one.question):
        admitted += Talk(question).weigh(list(named))
    return admitted


class Talk:
    """What was said in a room to the same people as an answer."""

    def __init__(self, answer: Message) -> None:
        self.answer = answer
        self.room: Room = answer.room
        self.since = self._since()

    def weigh(self, summons: Sequence[Summons]) -> list[Summons]:
        """Those that may be queued; the others are held."""
        admitted: list[Summons] = []
        held: dict[str, list[Summons]] = {}
        for one in self._new(summons):
            reason = self._objection(one, len(admitted))
            if reason:
                held.setdefault(reason, []).append(one)
            else:
                admitted.append(one)
        if held:
            self._hold(held)
        return admitted

    # What is asked of each

    def _new(self, summons: Sequence[Summons]) -> list[Summons]:
        """Nobody is asked twice, and nobody asks itself."""
        asked = set(Reply.objects.filter(question=self.answer).values_list("robot", flat=True))
        return [
            one
            for one in summons
            if one.robot.pk not in asked and one.robot.user_id != self.answer.author_id
        ]

    def _objection(self, one: Summons, admitted: int) -> str:
        """Why it may not be queued; empty where it may."""
        if self._is_repeated:
            return "repeated"
        if one.depth > settings.CHAT_GUARD_DEPTH:
            return "depth"
        if self._answers_between(one.robot.user_id, self.answer.author_id) >= (
            settings.CHAT_GUARD_PAIR
        ):
            return "pair"
        if self._written + admitted >= settings.CHAT_GUARD_MESSAGES:
            return "messages"
        return ""

    @cached_property
    def _is_repeated(self) -> bool:
        """Whether its author said the same since a person last spoke."""
        recent = self._said.filter(author=self.answer.author, pk__gt=self.since)
        recent = recent.exclude(pk=self.answer.pk).order_by("-pk")
        bodies = recent.values_list("body", flat=True)[:RECENT]
        return _normal(self.answer.body) in {_normal(body) for body in bodies}

    def _answers_between(self, *users: int) -> int:
        """How often these two have answered each other lately."""
        answers = Reply.objects.filter(
            room=self.room,
            robot__user__in=users,
            question__in=self._said.filter(author__in=users, author__kind=User.Kind.ROBOT),
            question__gt=self._continued,
            autopilot=None,
            created_at__gt=timezone.now() - settings.CHAT_GUARD_PAIR_WINDOW,
        )
        return int(answers.exclude(robot__user=models.F("question__author")).count())

    @cached_property
    def _written(self) -> int:
        """Messages of robots since a person last spoke."""
        written = self._said.filter(pk__gt=self.since, author__kind=User.Kind.ROBOT)
        return int(written.count())

    # What is read

    def _since(self) -> int:
        """The newest message when a person last spoke, or let robots go on."""
        people = self._said.filter(kind=Message.Kind.TEXT)
        people = people.exclude(author__kind__in=[User.Kind.ROBOT, User.Kind.SYSTEM])
        spoken = people.aggregate(newest=models.Max("pk"))["newest"] or 0
        return max(int(spoken), self._continued)

    @cached_property
    def _continued(self) -> int:
        newest = self._holds.aggregate(newest=models.Max("released_upto"))["newest"]
        return int(newest or 0)

    @property
    def _said(self) -> models.QuerySet[Message]:
        found: models.QuerySet[Message] = Message.objects.filter(self._same, room=self.room)
        return found

    @property
    def _holds(self) -> models.QuerySet[Hold]:
        return Hold.objects.filter(room=self.room, card__in=self._said)

    @cached_property
    def _same(self) -> Q:
        answer = self.answer
        people: Iterable[int] = ()
        if answer.audience == Audience.ONLY:
            people = {*answer.to, answer.author_id}
        return fit_for(answer.audience, tuple(people), after=0) & Q(audience=answer.audience)

    # What is held

    def _hold(self, held: dict[str, list[Summons]]) -> None:
        """On one card, as long as nobody has spoken."""
        summons = [one for some in held.values() for one in some]
        waiting = Hold.objects.waiting(self.answer, after=self.since)
        if waiting is not None:
            waiting.add(summons)
            return
        reason = next(iter(held))
        Hold.objects.put(reason, self._sentence(reason, held[reason][0]), summons)

    def _sentence(self, reason: str, one: Summons) -> str:
        return SENTENCES[reason].format(
            author=self.answer.author.name,
            robot=one.robot.user.name,
            depth=settings.CHAT_GUARD_DEPTH,
            pair=settings.CHAT_GUARD_PAIR,
            minutes=round(settings.CHAT_GUARD_PAIR_WINDOW.total_seconds() / 60, 1),
            messages=settings.CHAT_GUARD_MESSAGES,
        )


SENTENCES = {
    "repeated": "{author} said the same again.",
    "depth": "Robots have answered each other {depth} times since a person asked.",
    "pair": "{author} and {robot} have answered each other {pair} times in {minutes:g} minutes.",
    "messages": "Robots have written {messages} messages since a person last wrote.",
}
"""What happened, for the people in the room."""


def _normal(text: str) -> str:
    return " ".join(text.casefold().split())
