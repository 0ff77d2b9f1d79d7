from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import Conflict, DomainError, Forbidden
from accounts.models import AuditEntry, User
from accounts.prepared import prepared, reread
from accounts.roles import SiteRole
from messages.audience import Audience, Reader, heard_by_all
from messages.models import Message
from messages.posting import Draft, post_all
from robots import charge, signals, work
from robots.encoding import encode
from robots.models.policy import RobotPolicy
from robots.models.replies import ReplyManager, ReplyQuerySet
from robots.models.robot import Robot, midnight
from robots.outcome import SENTENCES, Outcome
from robots.summons import Cause
from rooms.models import Room
from rooms.modes import Mode


class Reply(models.Model):
    """A robot's answer to one message: who writes it, how far it is, and what it took."""

    class State(models.TextChoices):
        QUEUED = "queued"
        THINKING = "thinking"
        STREAMING = "streaming"
        DONE = "done"
        STOPPED = "stopped"
        FAILED = "failed"
        DECLINED = "declined"

    class Busy(Conflict):
        """The room refuses questions to a robot that is answering."""

        code = "robot_busy"
        message = "The robot is still answering. Wait until it is done, or stop it."
        retryable = True

    class NotForAll(Conflict):
        """Somebody who would read the answer does not hear the question."""

        code = "not_for_all"
        message = "The question cannot be seen by everybody who would read the answer."

    class NotOver(Conflict):
        code = "reply_not_over"
        message = "The robot is still writing this."

    class NotHere(Conflict):
        """Its robot has left the room."""

        code = "robot_not_here"
        message = SENTENCES["not_here"]

    class Over(Conflict):
        code = "reply_over"
        message = "The robot has finished this already."

    RUNNING: ClassVar = (State.THINKING, State.STREAMING)
    FINISHED: ClassVar = (State.DONE, State.DECLINED)
    OF_THE_DAY: ClassVar = ("started_at", "tokens_before", "cost_before")
    """By which it counts to a day."""

    robot = models.ForeignKey(Robot, models.CASCADE, related_name="replies", db_index=False)
    room = models.ForeignKey(Room, models.CASCADE, related_name="replies")
    question = models.ForeignKey(Message, models.CASCADE, related_name="answers")
    message = models.OneToOneField(
        Message, models.CASCADE, null=True, blank=True, related_name="answer_of"
    )
    cause = models.CharField(max_length=16, choices=Cause.choices)
    root = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    depth = models.PositiveSmallIntegerField(default=0)
    instruction = models.TextField(blank=True)
    autopilot = models.ForeignKey(
        "robots.Autopilot", models.SET_NULL, null=True, blank=True, related_name="replies"
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=1)
    worker = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    tokens_in = models.PositiveIntegerField(null=True, blank=True)
    tokens_out = models.PositiveIntegerField(null=True, blank=True)
    cost = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="US dollars, as far as prices are known: what budgets count.",
    )
    unpriced = models.BooleanField(
        default=False, help_text="Some of it has no known price: it cost more than is known."
    )
    tokens_reserved = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of its robot’s budget, while it is written."
    )
    cost_reserved = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    tokens_before = models.PositiveIntegerField(
        default=0, editable=False, help_text="Of those it took, what it took before this day."
    )
    cost_before = models.DecimalField(
        max_digits=12, decimal_places=6, default=Decimal(0), editable=False
    )
    model = models.CharField(max_length=200, blank=True, help_text="That answered.")
    ttft_ms = models.PositiveIntegerField(
        null=True, blank=True, help_text="From the question to the first word, in milliseconds."
    )
    error_code = models.CharField(max_length=32, blank=True)
    error_message = models.TextField(blank=True)
    notice = models.TextField(blank=True)
    earlier = models.TextField(
        blank=True,
        editable=False,
        help_text="What it said before it was begun anew, until it says something else.",
    )
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(
        default=timezone.now, editable=False, help_text="When workers were last told of it."
    )
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ReplyManager()

    class Meta:
        verbose_name_plural = "replies"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["robot", "question"], name="one_reply_a_question"),
            models.UniqueConstraint(
                fields=["robot", "room"],
                condition=Q(state__in=["thinking", "streaming"]),
                name="one_reply_at_a_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "room", "robot"]),
            models.Index(fields=["robot", "started_at"]),
        ]

    def __str__(self) -> str:
        return f"reply {self.pk}"

    # Verbs of people

    @transaction.atomic
    def stop(self, *, by: User) -> None:
        """Have it end where it is. Who writes it hears of it within a moment.

        Raises NotFound, Forbidden, Reply.Over.
        """
        self._reload_for(by)
        if self.is_over:
            raise self.Over
        self._write_down("reply.stopped", by=by)
        self.interrupt(by=by)

    @transaction.atomic
    def retry(self, *, by: User) -> None:
        """Have it written anew. What it said is kept until it says something else.

        Raises NotFound, Forbidden, Reply.NotOver, Room.Closed, and where it cannot be answered
        now, Message.Deleted, Reply.NotHere, Robot.Off, Robot.Retired, Robot.Spent.
        """
        self._again("", by=by)

    @transaction.atomic
    def go_on(self, *, by: User) -> None:
        """Have it written on from where it ended. Raises as `retry` does."""
        self._again(self.message.body if self.message else "", by=by)

    def _again(self, body: str, *, by: User) -> None:
        room = self._reload_for(by)
        self._must_be_theirs(by)
        room.must_be_open()
        if not self.is_over:
            raise self.NotOver
        self._must_be_answerable()
        self._write_down("reply.begun_again", by=by)
        self._begin_again(body, by=by)

    def ask_again(self, room: Room, *, by: User) -> None:
        """In the locked room: it said nothing, unseen, and is now chosen by somebody.

        Raises Robot.Off, Robot.Retired, Robot.Spent, Reply.NotHere, Reply.NotForAll.
        """
        self.room = self.question.room = room
        self._must_be_answerable()
        self.cause = Cause.CHOSEN
        self._begin_again("", by=by)
        self._begin_message()

    def _begin_again(self, body: str, *, by: User) -> None:
        said = self.message.body if self.message else ""
        self.earlier = "" if body else said or self.earlier
        self.attempt += 1
        self.state, self.queued_at, self.root = self.State.QUEUED, timezone.now(), by
        self.error_code = self.error_message = self.notice = self.worker = ""
        self.stopped_by = self.stop_requested_at = self.ended_at = self.lease_until = None
        self.tokens_reserved = self.cost_reserved = None
        self.depth = 0
        self.save()
        if self.message is not None:
            self.message.begin_again(body, encode(self), attempt=self.attempt)
        work.tell(self.pk)

    # Verbs of the worker: what comes of an earlier attempt, or of another worker, is void

    def begin(self, *, worker: str) -> bool:
        """Be written by `worker` from now on. False where it is not any more as it was read."""
        as_read = Reply.objects.filter(
            pk=self.pk, state=self.state, attempt=self.attempt, started_at=self.started_at
        )
        self._count_to_this_day()
        self.state, self.worker = self.State.THINKING, worker
        self.lease_until = timezone.now() + settings.CHAT_REPLY_LEASE
        changed = ("state", "worker", "lease_until", *self.OF_THE_DAY)
        return bool(as_read.update(**{name: getattr(self, name) for name in changed}))

    @transaction.atomic
    def reserve(self, tokens: int, cost: Decimal | None) -> bool:
        """Set aside what it may take of its robot's budget of this day, until it has ended.

        False where too little is left besides what is under way: then it waits in the queue, and
        is told of when something of that has ended. Raises Robot.Spent, Reply.Over (it is to be
        stopped), Reply.DoesNotExist (not ours to write any more).

        As `begin_streaming`, it takes no lock of the room.
        """
        ours = self._ours()
        held = ours.select_for_update(no_key=True).get()
        if held.stop_requested_at:
            raise self.Over
        robot = self.robot.locked()
        if not robot.has_free():
            ours.update(
                state=self.State.QUEUED, lease_until=None, tokens_reserved=None, cost_reserved=None
            )
            self.state = self.State.QUEUED
            transaction.on_commit(self.tell_state, robust=True)
            return False
        # It counts to the day on which it found enough, also where it was taken before midnight.
        held._count_to_this_day()
        held.tokens_reserved, held.cost_reserved = tokens, cost
        held.save(update_fields=["tokens_reserved", "cost_reserved", *self.OF_THE_DAY])
        Reply.objects.tell_first(robot)
        return True

    @transaction.atomic
    def show(self) -> Message | None:
        """Post the message of a reply that was quiet so far: its first word has come."""
        if not self._reload_running():
            return None
        if self.message is None:
            self._begin_message()
        return self.message

    def begin_streaming(self, *, ttft_ms: int) -> bool:
        """Note that its first word has come. False where it is not ours to write any more.

        It takes no lock of the room, and so holds none of its rows while it waits for another.
        """
        taken = self._ours().update(state=self.State.STREAMING, ttft_ms=ttft_ms, earlier="")
        if taken:
            self.state, self.ttft_ms, self.earlier = self.State.STREAMING, ttft_ms, ""
            self.tell_state()
        return bool(taken)

    def tell_state(self) -> None:
        """Have its message say how far it is, to who reads it from now on: it takes no revision."""
        self._being_written().update(data=encode(self))

    @transaction.atomic
    def finish(self, outcome: Outcome) -> bool:
        """End as the worker saw it end. False where it was not ours to write any more."""
        if not self._reload_running():
            return False
        if self.stop_requested_at:
            self._end(self.State.STOPPED, replace(outcome, error="", sentence=""))
        elif outcome.error:
            self._end(self.State.FAILED, outcome)
        else:
            self._end(self.State.DONE, outcome)
        return True

    @transaction.atomic
    def decline(self, outcome: Outcome) -> bool:
        """Have nothing to say. False where it was not ours to write any more."""
        if not self._reload_running():
            return False
        self._end(self.State.DECLINED, outcome)
        return True

    @transaction.atomic
    def put_back(self, outcome: Outcome) -> bool:
        """Have another worker write it: nothing of it was said yet, and this one ends.

        False where it was not ours to write any more.
        """
        if not self._reload_running():
            return False
        if self.stop_requested_at:
            self._end(self.State.STOPPED, outcome)
            return True
        self.state, self.lease_until = self.State.QUEUED, None
        self._charge(outcome)
        self.save()
        self.tell_state()
        work.tell(self.pk)
        return True

    @transaction.atomic
    def give_up(self) -> None:
        """Its worker is gone: keep what was kept of it."""
        self._lock()
        if self.state not in self.RUNNING or (self.lease_until or timezone.now()) > timezone.now():
            return
        if self.stop_requested_at:
            self._end(self.State.STOPPED, self._as_kept())
        else:
            self._end(self.State.FAILED, self._as_kept("lost"))

    # Verbs of the room

    def interrupt(self, *, by: User | None) -> None:
        """In the locked room: end it at once, or have its worker end it."""
        if self.is_over:
            return
        self.stopped_by, self.stop_requested_at = by, timezone.now()
        self.save(update_fields=["stopped_by", "stop_requested_at"])
        # Workers take it, or put it aside, without the room's lock; now its row is locked.
        self.refresh_from_db(
            fields=["state", "lease_until", "tokens_reserved", "cost_reserved", "earlier"]
        )
        if self.state == self.State.QUEUED or self.is_lost:
            self._end(self.State.STOPPED, self._as_kept())

    def give_way(self, when_busy: str, *, to: Message) -> None:
        """A newer question has come. One who may not see what is being written waits for it."""
        if when_busy == RobotPolicy.WhenBusy.QUEUE or not self.is_seen_by(to.author):
            return
        if when_busy == RobotPolicy.WhenBusy.REFUSE:
            raise self.Busy
        self.room = to.room
        self.interrupt(by=to.author)

    # Questions

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is shown before its first word, so that it may decline unseen."""
        return self.cause == Cause.ALWAYS

    @property
    def is_turn(self) -> bool:
        """Whether it may end with the mark that ends a session."""
        return self.cause == Cause.AUTOPILOT

    @property
    def is_over(self) -> bool:
        return self.state not in (self.State.QUEUED, *self.RUNNING)

    @property
    def is_lost(self) -> bool:
        return self.lease_until is not None and self.lease_until < timezone.now()

    def is_seen_by(self, user: User) -> bool:
        """By its message; before there is one, by those who will see it."""
        if self.message_id:
            return bool(Message.objects.visible_to(user).filter(pk=self.message_id).exists())
        seat = self.room.participant(user)
        audience, to = self.answer_to()
        return seat is not None and Reader.of(seat).hears(
            self.robot.user_id, audience, to, self.question_id
        )

    def answer_to(self) -> tuple[str, tuple[int, ...]]:
        """The audience of the answer and its `to`: never wider than the question's."""
        if self.question.audience == Audience.ONLY:
            meant = {*self.question.to, self.question.author_id} - {self.robot.user_id}
            here = self.room.participants.filter(user__in=meant).values_list("user", flat=True)
            return Audience.ONLY, tuple(here)
        in_support = self.room.mode == Mode.SUPPORT
        return Audience.STAFF if in_support else Audience.EVERYONE, ()

    def draft(self) -> Draft:
        """The message it is to be written in."""
        audience, to = self.answer_to()
        return Draft(
            room=self.room_id,
            author=self.robot.user,
            body="",
            audience=audience,
            to=to,
            reply_to=self.question_id,
            attempt=self.attempt,
            data=encode(self),
        )

    # What the verbs are made of

    def _count_to_this_day(self) -> None:
        """From now on. What it took before this day stays with the days before."""
        if self.started_at is not None and self.started_at < midnight():
            self.tokens_before = (self.tokens_in or 0) + (self.tokens_out or 0)
            self.cost_before = self.cost or Decimal(0)
        self.started_at = timezone.now()

    def _lock(self) -> Room:
        """Lock the room, then read this as it now is. Raises NotFound if the room was purged."""
        room = self.room.locked()
        reread(self, _with_all(pk=self.pk))
        self.room = self.question.room = room
        if self.message is not None:
            self.message.room = room
        return room

    def _reload_for(self, user: User) -> Room:
        """For somebody who may decide about it. Raises NotFound, Forbidden."""
        room = self._lock()
        if room.participant(user) is None and room.managed_by(user):
            return room  # from outside, as site admins do by the Django admin
        seat = room.seat_of(user)
        if self.message is not None:
            self.message.must_be_visible_to(user)
        else:
            self.question.must_be_visible_to(user)
        if not seat.may_write:
            raise Forbidden("You may read here, but not tell a robot what to do.")
        return room

    def _must_be_theirs(self, by: User) -> None:
        """To have it begun again: what is finished somebody may rest on. Raises Forbidden."""
        if self.room.participant(by) is None:
            return  # from outside, as above
        charge.must_be_in_charge(self.room, by)
        has_asked = by.pk in (self.root_id, self.question.author_id)
        sets_it_up = by.is_at_least(SiteRole.AGENT)
        if self.state in self.FINISHED and not (
            has_asked or sets_it_up or self.room.managed_by(by)
        ):
            raise Forbidden("What a robot has finished is for who asked to have begun again.")

    def _must_be_answerable(self) -> None:
        """Now. Raises Message.Deleted, Reply.NotHere, Robot.Off, Robot.Retired, Robot.Spent."""
        if self.question.deleted_at:
            raise Message.Deleted
        self.robot.must_be_ready()
        if self.room.participant(self.robot.user) is None:
            raise self.NotHere

    def _write_down(self, action: str, *, by: User) -> None:
        """In the audit, where nobody in the room can see whose doing it is."""
        if self.room.participant(by) is None:
            AuditEntry.objects.record(action, on=self, by=by)

    def _reload_running(self) -> bool:
        """Lock, and say whether it still is this worker's to write, in this attempt."""
        ours = self.attempt, self.worker
        self._lock()
        if self.state in self.RUNNING and (self.attempt, self.worker) == ours:
            return True
        self.attempt, self.worker = ours  # asked again, it is still not
        return False

    def _ours(self) -> ReplyQuerySet:
        """This, while it still is this worker's to write, in this attempt."""
        held: ReplyQuerySet = Reply.objects.held_by(self.worker)
        return held.filter(pk=self.pk, attempt=self.attempt)

    def _end(self, state: State, outcome: Outcome) -> None:
        """Over, in the locked room."""
        self.state, self.ended_at, self.lease_until = state, timezone.now(), None
        self.error_code, self.error_message = outcome.error, outcome.sentence
        self.notice = outcome.notice
        self._charge(outcome)
        text = outcome.text
        if state not in self.FINISHED:
            text = text or self.earlier  # nothing came of beginning it anew
        self.earlier = ""
        self.save()
        if self.message is None and state == self.State.FAILED:
            with suppress(DomainError):  # it may not be here any more
                self._begin_message()  # what went wrong is said, also by who was quiet
        if self.message is not None:
            self.message.room = self.room
            self.message.body = text
            self.message.finish(text, encode(self), status=STATUSES[state])
        signals.reply_ended.send(Reply, reply=self, is_at_goal=outcome.is_at_goal)
        self._tell_next()

    def _charge(self, outcome: Outcome) -> None:
        """Add what it took, to what earlier attempts took; nothing is set aside for it any more."""
        self.tokens_reserved = self.cost_reserved = None
        self.tokens_in = _sum(self.tokens_in, outcome.tokens_in)
        self.tokens_out = _sum(self.tokens_out, outcome.tokens_out)
        if outcome.cost is not None:
            self.cost = (self.cost or Decimal(0)) + outcome.cost
        self.unpriced = self.unpriced or outcome.unpriced
        self.model = outcome.model or self.model

    def _begin_message(self) -> None:
        """Raises Reply.NotForAll where people have come meanwhile who hear nothing from before."""
        audience, to = self.answer_to()
        if heard_by_all(self.room, audience, to, upto=self.room.newest + 1) >= self.question_id:
            raise self.NotForAll
        (posted,) = post_all([self.draft()], held=[self.room])
        self.message = posted.message
        self.save(update_fields=["message"])

    def _tell_next(self) -> None:
        """Who waited behind this one may begin."""
        waiting = Reply.objects.next_of(self.robot_id, self.room_id)
        if waiting is not None:
            work.tell(waiting.pk)
        Reply.objects.tell_of_budget(self.robot)

    def _as_kept(self, error: str = "") -> Outcome:
        """Where no worker tells: what is in the database, and all that was set aside as taken."""
        return Outcome(
            text=self.message.body if self.message else "",
            error=error,
            sentence=SENTENCES.get(error, ""),
            tokens_in=self.tokens_reserved,
            cost=self.cost_reserved,
        )

    def _being_written(self) -> models.QuerySet[Message]:
        """Its message, while it is in this attempt: asked in one statement with what is written."""
        being_written: models.QuerySet[Message] = Message.objects.filter(
            pk=self.message_id, attempt=self.attempt, status=Message.Status.STREAMING
        )
        return being_written


STATUSES = {
    Reply.State.DONE: Message.Status.COMPLETE,
    Reply.State.DECLINED: Message.Status.COMPLETE,
    Reply.State.STOPPED: Message.Status.STOPPED,
    Reply.State.FAILED: Message.Status.FAILED,
}


@prepared("pk")
def _with_all(pk: int) -> ReplyQuerySet:
    found: ReplyQuerySet = Reply.objects.filter(pk=pk)
    return found.with_all()


def _sum(known: int | None, more: int | None) -> int | None:
    return more if known is None else known + (more or 0)
