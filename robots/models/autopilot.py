from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import Conflict, DomainError, Invalid, NotFound
from accounts.models import AuditEntry, User
from messages.models import Message
from robots import autopilot_card, charge, guard, summons, work
from robots.ending import WHY, Limits, Spent, Standing, State
from robots.models.autopilots import AutopilotManager
from robots.models.reply import Reply
from robots.models.robot import Robot
from robots.turns import STRATEGIES, TURNS_MAX, Name, Place, Strategy
from rooms.models import Room

if TYPE_CHECKING:
    from robots.models.replies import ReplyManager

GOAL_MAX = 2_000
"""Characters."""
TOKENS_MAX = 2**53 - 1
"""The largest number that JavaScript tells from its neighbours."""
LASTS_AT_MOST = timedelta(days=7)
DECIDES_WITHIN = timedelta(seconds=60)
"""How long a moderator may take; after twice as long it is asked again."""
RELATED = frozenset({"room", "started_by", "card", "moderator"})
"""Fields that nobody chooses, and nobody need check."""


class Choice(NamedTuple):
    """What a moderator has decided."""

    robot: Robot | None
    """Who is next; None ends the session."""
    reason: str


class Autopilot(models.Model):
    """A session in which robots take turns until it is done."""

    class Running(Conflict):
        code = "autopilot_running"
        message = "Robots are taking turns here already. Stop them first."

    class Over(Conflict):
        code = "autopilot_over"
        message = "This is over already."

    room = models.ForeignKey(Room, models.CASCADE, related_name="autopilots", db_index=False)
    strategy = models.CharField(max_length=16, choices=Name.choices)
    robots = models.JSONField(default=list, help_text="Ids, in the order of their turns.")
    goal = models.TextField(blank=True, max_length=GOAL_MAX)
    state = models.CharField(max_length=16, choices=State.choices, default=State.RUNNING)
    why = models.CharField(max_length=16, blank=True, help_text="It is paused or over.")
    why_message = models.TextField(blank=True)
    turns = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(TURNS_MAX)],
        help_text="Most that are taken.",
    )
    turns_taken = models.PositiveIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(TOKENS_MAX)],
        help_text="Most it may take, in and out; empty for no limit.",
    )
    cost = models.DecimalField(
        max_digits=12,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Most it may cost, in US dollars, where prices are known; empty for no limit.",
    )
    deadline = models.DateTimeField()
    moderator = models.ForeignKey(
        Robot, models.SET_NULL, null=True, blank=True, related_name="moderated"
    )
    moderator_tokens = models.PositiveBigIntegerField(default=0)
    moderator_cost = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    tokens_reserved = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Of its moderator’s budget, while that decides."
    )
    cost_reserved = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    reserved_until = models.DateTimeField(null=True, blank=True)
    asked = models.PositiveIntegerField(
        default=0, help_text="Times its moderator was asked: an answer to an earlier one is void."
    )
    heard = models.PositiveIntegerField(
        default=0, help_text="The last of these times that was answered: each answer counts once."
    )
    errors = models.PositiveSmallIntegerField(default=0, help_text="Turns that failed in a row.")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    card = models.OneToOneField(Message, models.CASCADE, null=True, related_name="autopilot")
    next_at = models.DateTimeField(
        null=True, blank=True, help_text="When the next turn begins; empty during one."
    )
    held_until = models.DateTimeField(null=True, blank=True, help_text="Somebody is typing.")
    created_at = models.DateTimeField(default=timezone.now)
    paused_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = AutopilotManager()
    replies: ReplyManager

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["room"],
                condition=Q(state__in=["running", "paused"]),
                name="one_autopilot_a_room",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["room", "id"]),
            models.Index(
                fields=["next_at"], condition=Q(state="running"), name="autopilots_running"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_strategy_display()} in room {self.room_id}"

    # Verbs of people

    @transaction.atomic
    def pause(self, *, by: User) -> None:
        """Begin no further turn. Pausing it again changes nothing.

        Raises NotFound, Forbidden, Autopilot.Over.
        """
        self._lock_for(by)
        if self.state == State.RUNNING:
            self._become("paused", by=by)
            AuditEntry.objects.record("autopilot.paused", on=self, by=by)

    @transaction.atomic
    def resume(self, *, by: User) -> None:
        """Go on; what it waited is given back to its time. Going on again changes nothing.

        Raises NotFound, Forbidden, Room.Closed, Autopilot.Over.
        """
        self._lock_for(by).must_be_open()
        if self.state == State.RUNNING:
            return
        now = timezone.now()
        self.deadline += now - (self.paused_at or now)
        self.state, self.why, self.why_message = State.RUNNING, "", ""
        self.paused_at = self.held_until = None
        self.errors = 0
        self._wait(timedelta(0))
        self._show()
        AuditEntry.objects.record("autopilot.resumed", on=self, by=by)

    @transaction.atomic
    def stop(self, *, by: User) -> None:
        """End it at once, and the turn that is being taken. Raises as `pause` does."""
        room = self._lock_for(by)
        self._become("stopped", by=by)
        AuditEntry.objects.record("autopilot.stopped", on=self, by=by)
        for reply in self.replies.unfinished():
            reply.room = room
            reply.interrupt(by=by)

    # Verbs of the room, which is locked

    def begin(
        self, robots: Sequence[Robot], *, turns: int | None, lasting: timedelta | None
    ) -> None:
        """Tell it, and have the first turn begin. Raises Invalid, with details by field."""
        self._set_up(robots, turns, lasting)
        self.next_at = timezone.now()
        self.save()
        self.card = autopilot_card.post(self)
        self.save(update_fields=["card"])
        AuditEntry.objects.record(
            "autopilot.started", on=self, by=self.started_by, after=self._audited()
        )
        work.tell_of_turn(self.pk)

    def give_way(self, message: Message) -> None:
        """Somebody has spoken: they see what becomes of it before the robots go on."""
        self._read(message.room)
        if self.state == State.RUNNING:
            self._become("spoken", by=message.author)

    def close(self, room: Room) -> None:
        """Its room is closed."""
        self._read(room)
        if not self.is_over:
            self._become("room_closed")

    def lose(self, users: Sequence[int], room: Room) -> None:
        """Robots of it have left the room: the others go on, if that is still what it was."""
        self._read(room)
        left = [robot.pk for robot in self.members if robot.user_id not in users]
        if self.is_over or left == self.robots:
            return
        is_led = self.moderator_id is None or self.moderator_id in left
        self.robots = left
        if len(left) < self.plan.least or not is_led:
            self._become("robot_left")
        else:
            self._show()

    def note_end(self, reply: Reply, *, is_at_goal: bool) -> None:
        """One of its turns has ended, and may say that the goal is reached."""
        room = reply.room
        self._read(room)
        if self.is_over or not room.is_open:
            self._show()  # what it took after all
            return
        self.errors = self.errors + 1 if reply.state == Reply.State.FAILED else 0
        is_stopped = reply.state == Reply.State.STOPPED and room.participant(reply.robot.user)
        if code := self._over(is_at_goal=is_at_goal and reply.state == Reply.State.DONE):
            self._become(code, reason=reply.error_message)
        elif self.state == State.RUNNING and is_stopped:
            self._become("interrupted", by=reply.stopped_by)
        else:
            self._wait(settings.CHAT_AUTOPILOT_PAUSE)
            self._show()

    # Verbs of the worker, each safe to be called twice and by two at once

    @transaction.atomic
    def advance(self) -> bool:
        """Begin the next turn, if it is due. True where the moderator is to be asked for it."""
        self._lock()
        if not self._is_due:
            return False
        if code := self._over():
            self._become(code)
        elif self.plan.is_moderated:
            self._count_unanswered()
            self.asked += 1
            self.next_at = timezone.now() + 2 * DECIDES_WITHIN
            self.save()
            return True
        else:
            self._take_turn(self._next_in_order())
        return False

    @transaction.atomic
    def reserve(self, tokens: int, cost: Decimal | None) -> bool:
        """Set aside what its moderator may take of its budget of this day, until it has decided.

        False where too little is left besides what is under way: then it is due, and asked again
        at the next sweep. False, too, where it was asked again meanwhile. Raises Robot.Spent.
        """
        mine = Autopilot.objects.running().filter(pk=self.pk, asked=self.asked)
        if self.moderator is None or not mine.select_for_update(no_key=True).first():
            return False
        if self.moderator.locked().has_free():
            until = timezone.now() + 2 * DECIDES_WITHIN
            mine.update(tokens_reserved=tokens, cost_reserved=cost, reserved_until=until)
            return True
        mine.update(next_at=timezone.now())
        return False

    @transaction.atomic
    def follow(self, asked: int, choice: Choice, spent: Spent) -> None:
        """Do what the moderator decided when it was `asked`, by its number. Void where much has
        changed since then.
        """
        if not self._hear(asked, spent):
            return
        if code := self._over():
            self._become(code)
        elif choice.robot is None:
            moderator = self.moderator.user if self.moderator else None
            self._become("ended", by=moderator, reason=choice.reason)
        elif self._is_due and choice.robot.pk in self.robots:
            self._take_turn(choice.robot)

    @transaction.atomic
    def do_without(self, asked: int, reason: str, spent: Spent) -> None:
        """The moderator decided nothing then, for a reason in words."""
        if self._hear(asked, spent):
            self._go_wrong(reason)

    # Questions

    @property
    def is_over(self) -> bool:
        return self.state not in (State.RUNNING, State.PAUSED)

    @property
    def members(self) -> list[Robot]:
        """Its robots, in their order."""
        found = Robot.objects.select_related("user").in_bulk(self.robots)
        return [found[pk] for pk in self.robots if pk in found]

    @property
    def speakers(self) -> list[Robot]:
        """Who may be next: nobody answers itself."""
        last = self.replies.order_by("-pk").values_list("robot", flat=True).first()
        return [robot for robot in self.members if robot.pk != last]

    @property
    def spent(self) -> Spent:
        taken = self.replies.aggregate(
            tokens_in=models.Sum("tokens_in", default=0),
            tokens_out=models.Sum("tokens_out", default=0),
            cost=models.Sum("cost"),
        )
        known = [cost for cost in (taken["cost"], self.moderator_cost) if cost is not None]
        tokens = taken["tokens_in"] + taken["tokens_out"] + self.moderator_tokens
        return Spent(tokens, sum(known, Decimal(0)) if known else None)

    @property
    def plan(self) -> Strategy:
        """The row of its strategy."""
        return STRATEGIES[self.strategy]

    @property
    def place(self) -> Place:
        """Where its next turn stands."""
        return Place(self.turns_taken, self.turns, len(self.robots))

    # What the verbs are made of

    @property
    def _is_due(self) -> bool:
        return bool(Autopilot.objects.due().filter(pk=self.pk).exists())

    def _set_up(
        self, robots: Sequence[Robot], turns: int | None, lasting: timedelta | None
    ) -> None:
        """As was asked for, or as is usual. Raises Invalid, with details by field."""
        self.robots = [robot.pk for robot in robots]
        self.turns = self.plan.turns(len(robots)) if turns is None else turns
        if self.plan.is_moderated and robots:
            self.moderator = robots[0]
        lasting = settings.CHAT_AUTOPILOT_LIFETIME if lasting is None else lasting
        self.deadline = timezone.now() + min(lasting, LASTS_AT_MOST)
        try:
            self.full_clean(exclude=RELATED, validate_constraints=False)
        except ValidationError as error:
            raise Invalid(details=error.message_dict) from error

    def clean(self) -> None:
        """What no single field can tell."""
        super().clean()
        fewest = self.plan.fewest_turns(len(self.robots))
        if self.turns < fewest:
            raise ValidationError({"turns": f"It takes {fewest} turns or more."})
        if not self.plan.least <= len(self.robots) <= self.plan.most:
            raise ValidationError({"robots": self.plan.sizes})
        here = Robot.objects.in_room(self.room).filter(pk__in=self.robots, enabled=True)
        if len(set(self.robots)) != len(self.robots) or here.count() != len(self.robots):
            raise ValidationError({"robots": "Name different robots that sit here and are on."})

    def _lock(self) -> Room:
        """Lock the room, then this, as they now are. Raises NotFound if the room was purged."""
        self._read(self.room.locked())
        return self.room

    def _read(self, room: Room) -> None:
        """As it now is, in its locked room; those who type wait for what is decided here."""
        self.refresh_from_db(from_queryset=Autopilot.objects.select_for_update(no_key=True))
        self.room = room

    def _lock_for(self, user: User) -> Room:
        """For somebody who may decide about it. Raises NotFound, Forbidden, Autopilot.Over."""
        room = self._lock()
        if not room.managed_by(user):  # as site admins do from outside, by the Django admin
            if not Autopilot.objects.visible_to(user).filter(pk=self.pk).exists():
                raise NotFound
            charge.must_be_in_charge(room, user)
        if self.is_over:
            raise self.Over
        return room

    def _over(self, *, is_at_goal: bool = False) -> str:
        """Why there is no further turn; empty where there is one."""
        at_goal = is_at_goal and bool(self.goal) and self.plan.ends_at_goal
        is_running = self.state == State.RUNNING
        limits = Limits(self.turns, self.tokens, self.cost, self.deadline)
        return limits.over(Standing(self.turns_taken, self.spent, self.errors, is_running, at_goal))

    def _hear(self, asked: int, spent: Spent) -> bool:
        """The moderator has answered that: count, once, what it took. Whether it still is its to
        decide.

        Where a later answer came first, nobody knows any more whether this one was counted: rather
        once too little than twice.
        """
        self._lock()
        if asked <= self.heard:  # it is tried again, though it had come through; or came too late
            return False
        self.heard = asked
        self.moderator_tokens += spent.tokens
        if spent.cost is not None:
            self.moderator_cost = (self.moderator_cost or Decimal(0)) + spent.cost
        if self.asked == asked:
            self.tokens_reserved = self.cost_reserved = self.reserved_until = None
        if self.moderator is not None:
            Reply.objects.tell_of_budget(self.moderator)
        still = self.asked == asked and self.state == State.RUNNING
        if still:
            self.next_at = timezone.now()
            self.save()
        else:
            self._show()
        return still

    def _count_unanswered(self) -> None:
        """Where who asked its moderator is gone: what was set aside counts as taken, and stands
        for the answer, should that come after all.
        """
        if self.tokens_reserved is None:
            return
        self.heard = self.asked
        self.moderator_tokens += self.tokens_reserved
        if self.cost_reserved is not None:
            self.moderator_cost = (self.moderator_cost or Decimal(0)) + self.cost_reserved
        self.tokens_reserved = self.cost_reserved = self.reserved_until = None

    def _next_in_order(self) -> Robot:
        """Where some have left, the order is another: still nobody answers itself."""
        at, members = self.plan.speaker(self.place), self.members
        may = {robot.pk for robot in self.speakers}
        return next(robot for robot in members[at:] + members[:at] if robot.pk in may)

    def _take_turn(self, robot: Robot) -> None:
        """Queue a robot's answer to what was said last."""
        turn = summons.by_session(self, robot)
        self.turns_taken += 1
        self.next_at = None
        self.save()
        try:
            with transaction.atomic():
                queued = Reply.objects.queue(guard.admit([turn]))
        except DomainError as error:
            self._go_wrong(error.message)
            return
        if not queued:
            self._go_wrong(f"{robot.user.name} has answered this already.")

    def _go_wrong(self, reason: str) -> None:
        """A turn could not even begin."""
        self.errors += 1
        if code := self._over():
            self._become(code, reason=reason)
        else:
            self._wait(settings.CHAT_AUTOPILOT_PAUSE)
            self._show()

    def _wait(self, pause: timedelta) -> None:
        """Have the next turn begin after a pause, if it is running."""
        if self.state == State.RUNNING:
            self.next_at = timezone.now() + pause
            work.tell_of_turn(self.pk, after=pause)

    def _become(self, code: str, *, by: User | None = None, reason: str = "") -> None:
        """Pause or end, for a reason of the table."""
        self.state, sentence = WHY[code]
        self.why, self.next_at = code, None
        name = by.name if by else "Somebody"
        self.why_message = sentence.format(by=name, reason=reason).strip()
        if self.is_over:
            self.ended_at = timezone.now()
        else:
            self.paused_at = timezone.now()
        self._show()

    def _show(self) -> None:
        """Save it, and have its card show how it stands."""
        self.save()
        if self.card is not None:
            self.card.room = self.room
            self.card.update_card(autopilot_card.data(self))

    def _audited(self) -> dict[str, Any]:
        limits = {
            "turns": self.turns,
            "tokens": self.tokens,
            "cost": autopilot_card.number(self.cost),
        }
        handles = [robot.user.handle for robot in self.members]
        return {"strategy": self.strategy, "robots": handles, "goal": self.goal, **limits}
