"""Which sessions there are: who sees them, how they begin, which are due, which wait for people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import Invalid
from accounts.models import User
from accounts.prepared import prepared
from messages.audience import Audience
from messages.models import Message
from robots import charge, work
from robots.ending import State
from robots.models.reply import Reply
from robots.models.robot import Robot
from robots.turns import STRATEGIES
from rooms.models import Room
from rooms.modes import STAFF, Mode

if TYPE_CHECKING:
    from robots.models.autopilot import Autopilot


class AutopilotQuerySet(models.QuerySet["Autopilot"]):
    def visible_to(self, user: User) -> AutopilotQuerySet:
        """Those of one's rooms; in support rooms, for their staff."""
        seat = "room__participants__"
        shown = Q(room__mode=Mode.TEAM) | Q(**{f"{seat}role__in": [*STAFF]})
        return self.filter(Q(**{f"{seat}user": user}) & shown)

    def running(self) -> AutopilotQuerySet:
        return self.filter(state=State.RUNNING)

    def unfinished(self) -> AutopilotQuerySet:
        return self.filter(state__in=[State.RUNNING, State.PAUSED])

    def due(self) -> AutopilotQuerySet:
        """Those whose next turn may begin."""
        now = timezone.now()
        writing = Reply.objects.unfinished().filter(autopilot=models.OuterRef("pk"))
        free = Q(held_until=None) | Q(held_until__lte=now)
        come = Q(next_at=None) | Q(next_at__lte=now)
        return self.running().filter(free & come & ~models.Exists(writing))

    def hearing(self, audience: str) -> AutopilotQuerySet:
        """Those all of whose readers hear what is said to this audience."""
        if audience == Audience.EVERYONE:
            return self
        return self.filter(room__mode=Mode.SUPPORT)


class AutopilotManager(models.Manager.from_queryset(AutopilotQuerySet)):  # type: ignore[misc]
    @transaction.atomic
    def start(
        self,
        room: Room,
        *,
        by: User,
        strategy: str,
        robots: Sequence[Robot],
        goal: str = "",
        turns: int | None = None,
        tokens: int | None = None,
        cost: Decimal | None = None,
        lasting: timedelta | None = None,
    ) -> Autopilot:
        """Have robots of a room take turns, in this order, until a limit is reached.

        Raises NotFound, Forbidden, Room.Closed, Autopilot.Running, Invalid (by field).
        """
        room = room.locked()
        charge.must_be_in_charge(room, by)
        room.must_be_open()
        if self.unfinished().filter(room=room).exists():
            raise self.model.Running
        if strategy not in STRATEGIES:
            raise Invalid(details={"strategy": [f"Choose one of {', '.join(STRATEGIES)}."]})
        room.seat_around([robot.user_id for robot in robots])
        session: Autopilot = self.model(
            room=room, strategy=strategy, goal=goal.strip(), tokens=tokens, cost=cost, started_by=by
        )
        session.begin(robots, turns=turns, lasting=lasting)
        return session

    def pause_for(self, messages: Sequence[Message]) -> None:
        """People have spoken, in these locked rooms: robots that they see take turns wait."""
        heard = {message.room_id: message for message in messages if _is_heard(message)}
        for session in _running(self.model, rooms=heard) if heard else ():
            session.give_way(heard[session.room_id])

    def hold(self, room: int, audience: str) -> None:
        """Somebody is typing: the next turn waits, for a while."""
        typed_in = self.running().filter(room=room).hearing(audience)
        if typed_in.exists():  # a write is dear, and most rooms have no session
            until = timezone.now() + settings.CHAT_AUTOPILOT_TYPING_HOLD
            self.filter(pk__in=typed_in.values("pk")).update(held_until=until)

    def sweep(self) -> None:
        """Tell of those that are due, and of which word was lost."""
        for pk in self.due().values_list("pk", flat=True):
            work.tell_of_turn(pk)


@prepared("rooms")
def _running(sessions: type[Autopilot], rooms: Collection[int]) -> AutopilotQuerySet:
    running: AutopilotQuerySet = sessions.objects.running()
    return running.filter(room__in=rooms)


def _is_heard(message: Message) -> bool:
    """Whether all who see the turns of its room's session see this: the mirror of `hearing`."""
    return message.audience == Audience.EVERYONE or message.room.mode == Mode.SUPPORT
