"""Which answers wait, which begin, and which have lost their worker."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error, IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import DomainError, Invalid, NotFound
from accounts.models import User
from accounts.prepared import first, prepared
from messages.audience import Reader
from messages.models import Message
from messages.posting import post_all
from robots import charge, work
from robots.models.policy import RobotPolicy
from robots.models.robot import Robot
from robots.summons import Cause, Summons
from rooms.models import Room

if TYPE_CHECKING:
    from robots.models.reply import Reply

logger = logging.getLogger(__name__)

SWEPT_AT_ONCE = 200
"""Replies told of again in one go: without workers, word of them must not fill the broker."""


class ReplyQuerySet(models.QuerySet["Reply"]):
    def running(self) -> ReplyQuerySet:
        return self.filter(state__in=self.model.RUNNING)

    def unfinished(self) -> ReplyQuerySet:
        return self.filter(state__in=[self.model.State.QUEUED, *self.model.RUNNING])

    def ready(self) -> ReplyQuerySet:
        """Those that may begin: a robot answers one question of a room at a time, in order."""
        others = self.model.objects.filter(
            robot=models.OuterRef("robot"), room=models.OuterRef("room")
        )
        older = Q(state=self.model.State.QUEUED, pk__lt=models.OuterRef("pk"))
        before = others.filter(Q(state__in=self.model.RUNNING) | older)
        return self.filter(~models.Exists(before), state=self.model.State.QUEUED)

    def lost(self) -> ReplyQuerySet:
        """Those whose worker has not been heard of for as long as a lease lasts."""
        return self.running().filter(lease_until__lt=timezone.now())

    def overlooked(self) -> ReplyQuerySet:
        """Those that may begin, and that no worker has taken for a while."""
        since = timezone.now() - settings.CHAT_REPLY_SWEEP_INTERVAL
        return self.ready().filter(queued_at__lt=since)

    def held_by(self, worker: str) -> ReplyQuerySet:
        return self.running().filter(worker=worker)

    def with_all(self) -> ReplyQuerySet:
        """With what a worker needs to write them."""
        return self.select_related(
            "robot__user", "room", "question__author", "message", "root", "autopilot"
        )

    def concerning(self, messages: Iterable[int]) -> ReplyQuerySet:
        """Those that answer one of these messages, or are written in one."""
        pks = list(messages)
        return self.filter(Q(question__in=pks) | Q(message__in=pks))


class ReplyManager(models.Manager.from_queryset(ReplyQuerySet)):  # type: ignore[misc]
    def queue(self, summons: Sequence[Summons]) -> list[Reply]:
        """Write down who is to answer, in the transaction and under the locks of the questions.

        Who was asked already is not asked again. Raises Reply.Busy where the room wants that.
        """
        if not summons:
            return []
        asked = self._asked(summons)
        new = [s for s in summons if (s.robot.pk, s.question.pk) not in asked]
        if not new:
            return []
        self._make_way(new)
        replies = [
            self.model(
                robot=s.robot,
                room=s.question.room,
                question=s.question,
                cause=s.cause,
                root=s.root,
                depth=s.depth,
                instruction=s.instruction,
                autopilot=s.autopilot,
            )
            for s in new
        ]
        self.bulk_create(replies)
        self._begin_messages([reply for reply in replies if not reply.is_quiet])
        for reply in replies:
            work.tell(reply.pk)
        return replies

    @transaction.atomic
    def ask(self, question: Message, robots: Collection[Robot], *, by: User) -> list[Reply]:
        """Have robots of the room answer a message because `by` chose them, even those that are
        not named. Who was asked it already is asked again only where it said nothing, unseen.

        Raises NotFound, Forbidden, Room.Closed, Message.Deleted, Invalid (`details["robots"]`, or
        no message to answer), Reply.Busy; and where one cannot say now what it left unsaid,
        Robot.Off, Robot.Retired, Robot.Spent, Reply.NotForAll.
        """
        room = question.room.locked()
        charge.must_be_in_charge(room, by)
        room.must_be_open()
        question = self._answerable(question, room, by)
        room.seat_around([robot.user_id for robot in robots])
        _must_hear(question, robots)
        chosen = [
            Summons(robot=robot, question=question, cause=Cause.CHOSEN, root=by) for robot in robots
        ]
        again = self._left_unsaid(question, robots)
        unsaid = {reply.robot_id for reply in again}
        self._make_way([one for one in chosen if one.robot.pk in unsaid])
        for reply in again:
            reply.ask_again(room, by=by)
        return [*again, *self.queue(chosen)]  # what people ask is free of the guard

    def take(self, pk: int, *, worker: str) -> Reply | None:
        """Have `worker` write this reply, if it is its turn and nobody else does.

        What fails of this has not happened: it may be tried again.
        """
        try:
            with transaction.atomic():
                reply = first(_ready(self.model, pk=pk))
                if reply is None or not reply.begin(worker=worker):
                    return None
                # Who deletes its message holds that, and waits for the reply.
                transaction.on_commit(reply.tell_state, robust=True)
                return reply
        except IntegrityError:  # another question of the room was taken at the same moment
            return None

    @transaction.atomic
    def renew(self, pks: Iterable[int], *, worker: str) -> None:
        """Say that `worker` is still writing these. What is locked is left for the next time."""
        held = self.held_by(worker).filter(pk__in=pks)
        free = held.select_for_update(skip_locked=True, no_key=True).values("pk")
        self.filter(pk__in=free).update(lease_until=timezone.now() + settings.CHAT_REPLY_LEASE)

    def sweep(self) -> None:
        """End what lost its worker, and tell again of what no worker took."""
        for reply in self.with_all().lost():
            try:
                reply.give_up()
            except (Error, DomainError):  # it is found again next time
                logger.exception("Reply %s could not be given up.", reply.pk)
        for pk in self._longest_untold():
            work.tell(pk)

    @transaction.atomic
    def _longest_untold(self) -> list[int]:
        """Of those that no worker took, the next to be told of: in turns, lest what no worker can
        take keep all that is younger from being heard of. What is locked is left for next time.
        """
        overlooked = self.overlooked().order_by("told_at", "pk").values("pk")[:SWEPT_AT_ONCE]
        free = self.filter(pk__in=overlooked).select_for_update(skip_locked=True, no_key=True)
        found = list(free.values_list("pk", flat=True))
        self.filter(pk__in=found).update(told_at=timezone.now())
        return found

    def next_of(self, robot: int, room: int) -> Reply | None:
        return first(_waiting(self.model, robot=robot, room=room))

    def tell_of_budget(self, robot: Robot) -> None:
        """Something that took of its budget ends: who waited for that may find enough now.

        It is told after commit, lest robots be locked in any order by who ends several.
        """
        if robot.has_budget:
            # Django asks what fails there for a name, and partials have none.
            transaction.on_commit(lambda: self._tell_waiting(robot), robust=True)

    @transaction.atomic
    def _tell_waiting(self, robot: Robot) -> None:
        self.tell_first(robot.locked())

    def tell_first(self, robot: Robot) -> None:
        """Of those that may begin; once it has, it tells the next.

        The robot is locked: who found too little left before is queued by now.
        """
        oldest = self.ready().filter(robot=robot).order_by("pk").first()
        if oldest is not None:
            work.tell(oldest.pk)

    # What asking and queueing are made of

    def _answerable(self, question: Message, room: Room, by: User) -> Message:
        """As it now is, in the locked room."""
        visible = Message.objects.visible_to(by).filter(pk=question.pk).select_related("author")
        found: Message | None = visible.first()
        if found is None:
            raise NotFound
        found.room = room
        if found.deleted_at:
            raise Message.Deleted
        if found.kind != Message.Kind.TEXT or found.status == Message.Status.STREAMING:
            raise Invalid("Only what somebody has said can be answered.")
        return found

    def _left_unsaid(self, question: Message, robots: Collection[Robot]) -> list[Reply]:
        """Of these robots: who declined, was stopped or failed, and nobody saw a message of it. Of
        those that failed, one could not be shown to all who would have read it.
        """
        over = self.with_all().filter(question=question, ended_at__isnull=False)
        return list(over.filter(robot__in=robots, message=None).order_by("pk"))

    def _asked(self, summons: Sequence[Summons]) -> set[tuple[int, int]]:
        return set(_asked(self.model, questions={s.question.pk for s in summons}))

    def _make_way(self, summons: Sequence[Summons]) -> None:
        """What the rooms want to become of answers that are being written to other questions."""
        robots = {s.robot.pk for s in summons}
        rooms = {s.question.room_id for s in summons}
        busy: dict[tuple[int, int], list[Reply]] = defaultdict(list)
        for reply in _unfinished(self.model, robots=robots, rooms=rooms):
            busy[reply.robot_id, reply.room_id].append(reply)
        if not busy:
            return
        policies = RobotPolicy.objects.in_bulk(rooms)
        for one in summons:
            policy = policies.get(one.question.room_id)
            if policy is None or one.depth or one.autopilot or one.cause == Cause.ALWAYS:
                continue  # it was not put to the robot
            for reply in busy[one.robot.pk, one.question.room_id]:
                reply.give_way(policy.when_busy, to=one.question)

    def _begin_messages(self, replies: Sequence[Reply]) -> None:
        """People see at once who is going to answer."""
        held = {reply.room_id: reply.room for reply in replies}
        drafts = [reply.draft() for reply in replies]
        posted = post_all(drafts, held=held.values()) if drafts else []
        for reply, result in zip(replies, posted, strict=True):
            reply.message = result.message
        self.bulk_update(replies, ["message"])


@prepared("pk")
def _ready(replies: type[Reply], pk: int) -> ReplyQuerySet:
    found: ReplyQuerySet = replies.objects.ready().filter(pk=pk).with_all()
    return found


@prepared("robot", "room")
def _waiting(replies: type[Reply], robot: int, room: int) -> ReplyQuerySet:
    queued: ReplyQuerySet = replies.objects.filter(robot=robot, room=room)
    return queued.filter(state=replies.State.QUEUED).order_by("pk")[:1]


@prepared("questions")
def _asked(
    replies: type[Reply], questions: Collection[int]
) -> models.QuerySet[Reply, tuple[int, int]]:
    asked: ReplyQuerySet = replies.objects.filter(question__in=questions)
    return asked.values_list("robot", "question")


@prepared("robots", "rooms")
def _unfinished(
    replies: type[Reply], robots: Collection[int], rooms: Collection[int]
) -> ReplyQuerySet:
    unfinished: ReplyQuerySet = replies.objects.unfinished()
    return unfinished.filter(robot__in=robots, room__in=rooms)


def _must_hear(question: Message, robots: Iterable[Robot]) -> None:
    """Raises Invalid unless each of the robots is in the room, hears this and can answer."""
    here = question.room.participants.filter(user__in=[robot.user_id for robot in robots])
    hearing = set()
    for seat in here:
        seat.room = question.room
        if Reader.of(seat).sees(question) and seat.user_id != question.author_id:
            hearing.add(seat.user_id)
    deaf = [robot.user.name for robot in robots if robot.user_id not in hearing]
    idle = [robot.user.name for robot in robots if not robot.enabled]
    wrong = [f"{name} does not hear this, or said it." for name in deaf]
    wrong += [f"{name} is switched off." for name in idle]
    if wrong:
        raise Invalid(details={"robots": wrong})
