"""What a robot is told before it answers: only what all readers of the answer may see.

SPEC's "context of a reply". What does not fit the window is left out, and said to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

from django.db import models
from django.utils import timezone

from accounts.prepared import first, prepared
from live import database
from messages.markdown import excerpt, render
from messages.models import Message
from robots import budget, librarian, llm, prompts, summons, transcript, turns
from robots.models import Reply, Robot, RobotSeat, Summary
from robots.prompts import DECLINE
from robots.recent import Recent
from robots.rolling import Rolling
from robots.scope import PEOPLE_TOLD, Scope
from robots.transcript import Line, Said
from robots.window import Window
from rooms.models import Participant
from threads.models import Sidebar

__all__ = ["DECLINE", "Prepared", "Unanswerable", "prepare"]

LEFT_OUT = Line("user", prompts.LEFT_OUT)
LEFT_OUT_BETWEEN = Line("user", prompts.LEFT_OUT_BETWEEN)


class Unanswerable(Exception):
    """There is a reason not to ask the model. `code` is one of `robots.outcome.SENTENCES`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What the model is asked for a reply."""

    call: llm.Call
    may_decline: bool
    """Whether it was told that it may answer DECLINE."""
    notice: str = ""
    """What the people in the room should know, in words."""


class _History(NamedTuple):
    lines: list[Line]
    whole: bool


class _Found(NamedTuple):
    prepared: Prepared
    rolling: Rolling | None
    """Where something had to be left out that could have been summarised."""

    @property
    def calls(self) -> list[llm.Call]:
        return [self.prepared.call, *([self.rolling.call] if self.rolling else [])]


async def prepare(reply: Reply, asked: list[llm.Answer], *, window: int | None = None) -> Prepared:
    """At most one summary is made. All is read again after that: it takes its time.

    `window` is a smaller one than the robot's own, in tokens. To `asked` is added what a model was
    asked meanwhile: it costs, whatever comes of the answer. Raises Unanswerable, and what
    `budget.reserve` does.
    """
    found = await database.run(_look, reply, window)
    if window is None:
        await budget.reserve(reply, reply.robot, found.calls)
    if found.rolling is None:
        return found.prepared
    if window is None:
        summing_up = llm.Answer(found.rolling.call)
        asked.append(summing_up)
        await found.rolling.keep(summing_up)
        found = await database.run(_look, reply, window)
    notice = prompts.NOT_SUMMARISED if found.rolling else ""
    return replace(found.prepared, notice=notice)


def _look(reply: Reply, window: int | None) -> _Found:
    context = _Context(reply, _seat_of(reply), window)
    return _Found(context.prepared(), context.rolling())


def _seat_of(reply: Reply) -> Participant:
    """Where its robot sits, with the room and the robot, in one go and as they now are."""
    seat = first(_seat(room=reply.room_id, user=reply.robot.user_id))
    if seat is None:
        raise Unanswerable("not_here")
    return seat


@prepared("room", "user")
def _seat(room: int, user: int) -> models.QuerySet[Participant]:
    found = Participant.objects.select_related(
        "room__parent", "user__robot", "robot_seat", "outer__robot_seat"
    )
    return found.filter(room=room, user=user)


class _Context:
    """Everything one reply is told, read from the database as it now stands."""

    def __init__(self, reply: Reply, seat: Participant, window: int | None) -> None:
        self.seat, self.robot, self.room = seat, seat.user.robot, seat.room
        self.reply = copy(reply)  # what it holds is of when it was taken, and its writer's
        self.reply.robot, self.reply.room = self.robot, self.room
        self._must_be_answerable()
        self.window, self.is_shortened = Window.of(self.robot, window), window is not None
        self.scope = Scope.at(seat, self.reply)
        self.question = self._question()

    def prepared(self) -> Prepared:
        return Prepared(call=self.call(self.lines()), may_decline=self.may_decline)

    def call(self, lines: list[Line]) -> llm.Call:
        robot = self.robot
        return llm.Call(
            model=robot.model,
            messages=[{"role": "system", "content": self.system}, *transcript.joined(lines)],
            temperature=robot.temperature,
            max_tokens=self.window.answer,
            api_base=robot.api_base,
            key_env=robot.key_env,
            fallbacks=tuple(robot.fallbacks),
            shortened=self.is_shortened,
            said=self._said,
            search=partial(librarian.passages, self.reply),
        )

    # Whether it may be answered at all

    def _must_be_answerable(self) -> None:
        if not self.robot.enabled or self.robot.retired_at:
            raise Unanswerable("disabled")
        if not self.room.is_open:
            raise Unanswerable("room_closed")
        if self.robot.is_spent:
            raise Unanswerable("budget_spent")

    def _question(self) -> Said:
        found = self._recent.question()
        if found is None:
            there = Message.objects.filter(pk=self.reply.question_id, deleted_at__isnull=True)
            raise Unanswerable("not_for_all" if there.exists() else "question_gone")
        return found

    @property
    def may_decline(self) -> bool:
        """Who was not asked alone need not speak."""
        return self.reply.is_quiet or summons.ALL in render(self.question.body).mentions

    # What it is told

    @cached_property
    def system(self) -> str:
        """At most half of what may be sent."""
        parts = [*self._who_it_is(), *self._what_is_asked(), *self._where_it_is()]
        return transcript.cut("\n\n".join(filter(None, parts)), self.window.most // 2)

    def _who_it_is(self) -> list[str]:
        seat = RobotSeat.objects.at(self.seat)
        title = f", {seat.title_here} here" if seat.title_here else ""
        me = f"{transcript.name_of(self.robot.user)}{title}"
        return [
            f"You are {me}, a robot in a chat of people and robots.",
            f"Today is {timezone.now():%A, %-d %B %Y} (UTC).",
            prompts.RULES,
            self._shortened(seat.persona_here),
            prompts.STYLES[seat.style_here],
        ]

    def _what_is_asked(self) -> list[str]:
        return [
            prompts.SEEN_BY[self.scope.audience],
            prompts.MAY_DECLINE if self.may_decline else "",
            self._shortened(self.reply.instruction),
            self._shortened(self._goal()),
        ]

    def _goal(self) -> str:
        """Of the session whose turn it is, where all readers may see the card that tells it."""
        session = self.reply.autopilot
        if session is None or (session.card_id or 0) <= self.scope.after:
            return ""
        return turns.about(session.plan, session.goal)

    def _where_it_is(self) -> list[str]:
        people = self.scope.people()
        names = [transcript.name_of(seat.user) for seat in people[:PEOPLE_TOLD]]
        more = ["and others"] if len(people) > PEOPLE_TOLD else []
        return [
            f"The room is called “{self.room.name}”." if self.room.name else "",
            self._shortened(self.room.description),
            self._shortened(f"Also here: {', '.join(names + more)}.") if names else "",
        ]

    def _shortened(self, text: str) -> str:
        return transcript.cut(text, self.window.most // 6)

    def lines(self) -> list[Line]:
        """What was said, as far as it fits, then the question."""
        return [*self._beside, *self._beginning(), *self._history.lines, *self._ending]

    @cached_property
    def _beside(self) -> list[Line]:
        """Of a side-bar: the message that it is about, where all readers may see that."""
        around = self.scope.around()
        if around is None:
            return []
        anchor = Sidebar.objects.values_list("anchor", flat=True).get(room=self.room)
        said = transcript.read_one(around.messages(), anchor)
        told = transcript.tell([said] if said else [], None, longest=self.window.most // 6)
        return [line._replace(text=f"{prompts.BESIDE}\n{line.text}") for line in told]

    def _beginning(self) -> list[Line]:
        """What stands for the messages that are not told word for word."""
        old, lines = self._old, []
        if old is None:
            return [] if self._history.whole else [LEFT_OUT]
        if not old.whole or old.after > self.scope.after:
            lines.append(LEFT_OUT)
        lines.append(Line("user", f"{prompts.RECORDED}\n{self._record}"))
        if not self._history.whole:
            lines.append(LEFT_OUT_BETWEEN)
        return lines

    @cached_property
    def _old(self) -> Summary | None:
        return None if self._is_builtin else Summary.objects.usable(self.scope)

    @cached_property
    def _record(self) -> str:
        """The summary; one made for a larger window is cut."""
        return transcript.cut(self._old.body, self.window.summary) if self._old else ""

    @cached_property
    def _history(self) -> _History:
        """What was said after what is summarised, as much of it as may be sent."""
        left = self.window.most - self._system_cost - sum(line.cost for line in self._ending)
        left -= LEFT_OUT.cost + LEFT_OUT_BETWEEN.cost
        left -= sum(line.cost for line in self._beside)
        if self._old:
            left -= Line("user", f"{prompts.RECORDED}\n{self._record}").cost
        lines = self._newest_first(self.robot, longest=self.window.verbatim)
        return _History(*transcript.fitting(lines, left))

    @cached_property
    def _system_cost(self) -> int:
        return Line("user", self.system).cost + transcript.OVERHEAD

    @cached_property
    def _ending(self) -> list[Line]:
        """The question, and where it is continued what there is of the answer."""
        left = self.window.most - self._system_cost
        if self._is_builtin or not self._said:
            return [self._asked(left * 3 // 4)]
        go_on = Line("user", prompts.GO_ON)
        left -= go_on.cost
        said = transcript.cut_away(self._said, left // 3)
        return [self._asked(left // 3), Line("assistant", said), go_on]

    @property
    def _said(self) -> str:
        """What there is of the answer."""
        return self.reply.message.body if self.reply.message else ""

    def _asked(self, longest: int) -> Line:
        (asked,) = transcript.tell([self.question], self.robot, longest=longest)
        quoted = self._quoted()
        if quoted is None:
            return asked
        said = transcript.unmistakable(excerpt(quoted.body))
        quote = f"[In answer to {quoted.speaker}: “{said}”]"
        return asked._replace(text=transcript.cut(f"{quote}\n{asked.text}", longest))

    def _quoted(self) -> Said | None:
        pk = self.question.reply_to
        if pk is None:
            return None
        return self._recent.find(pk) or transcript.read_one(self.scope.messages(), pk)

    # What is read of the room

    @cached_property
    def _recent(self) -> Recent:
        upto = self._old.upto if self._old else 0
        return Recent(self.scope, self.reply.question_id, after=upto)

    def _newest_first(
        self, listener: Robot | None, *, longest: int, before: int | None = None
    ) -> Iterator[Line]:
        """What was said besides the question and is not summarised, read as far as it is used."""
        others = (said for said in self._recent if said.pk != self.question.pk)
        older = (said for said in others if before is None or said.pk < before)
        return transcript.tell(older, listener, longest=longest)

    @property
    def _is_builtin(self) -> bool:
        return self.robot.model.startswith("builtin/")

    # How it is summarised

    def rolling(self) -> Rolling | None:
        """The summary that would make all of it fit, if it does not."""
        if self._history.whole or self._is_builtin:
            return None
        task = prompts.SUMMARISE.format(words=self.window.summary * 2 // 3)
        record = f"{prompts.RECORDED_SO_FAR}\n{self._record}" if self._old else ""
        left = self.window.summarised - sum(Line("user", text).cost for text in (task, record))
        left -= LEFT_OUT.cost + Line("user", prompts.SAID_SINCE).cost
        older = self._newest_first(None, longest=left // 2, before=self._last_to_summarise())
        # The newest of it first: where more has been said than one call takes, what is oldest is
        # left out for good, and it fits from the first answer on.
        lines, whole = transcript.fitting(older, left)
        if not lines:
            return None
        gap = [] if whole else [prompts.LEFT_OUT]
        said = [record, *gap, prompts.SAID_SINCE, *[line.text for line in lines]]
        return Rolling(
            summary=Summary.begun(self.scope, old=self._old, upto=lines[-1].pk, whole=whole),
            call=self._summarising(task, "\n\n".join(filter(None, said))),
            longest=self.window.summary,
        )

    def _last_to_summarise(self) -> int | None:
        """The message before which all may be: what comes after stays as it was said.

        What is being written will be heard later; a summary does not pass it by.
        """
        kept, _ = transcript.fitting(reversed(self._history.lines), self.window.verbatim)
        first = self.scope.being_written().aggregate(first=models.Min("pk"))["first"]
        return min([pk for pk in (first, kept[0].pk if kept else None) if pk], default=None)

    def _summarising(self, task: str, text: str) -> llm.Call:
        asked = self.call([Line("user", text)])
        told: list[llm.ChatMessage] = [{"role": "system", "content": task}, asked.messages[-1]]
        longest = self.window.summary
        return replace(asked, messages=told, max_tokens=longest, temperature=None, search=None)
