from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.errors import Conflict
from accounts.models import User
from messages import cards
from messages.audience import Audience, Reader
from messages.models import Message
from messages.posting import post_note
from robots import charge
from robots.models.reply import Reply
from robots.models.robot import Robot
from robots.summons import Cause, Summons
from rooms.models import Room

CARD = "guard"
CONTINUE = "continue"


class HoldManager(models.Manager["Hold"]):
    def put(self, reason: str, sentence: str, summons: Sequence[Summons]) -> Hold:
        """Keep what is not to be answered now, and say so on a card, to who reads the answer.

        All `summons` are by one answer, in its locked room. `sentence` says what happened.
        """
        answer = summons[0].question
        hold = Hold(room=answer.room, reason=reason)
        robots = [one.robot.user for one in summons]
        names = " and ".join(robot.name for robot in robots)
        audience, to = _readers(answer)
        hold.card = post_note(
            answer.room,
            f"{sentence} {names} may answer once somebody presses Continue.",
            hold._told(robots),
            audience=audience,
            to=to,
        )
        hold.save()
        hold._keep(summons)
        return hold

    def waiting(self, answer: Message, *, after: int) -> Hold | None:
        """The newest that nobody has released, told after that message to who reads the answer."""
        audience, to = _readers(answer)
        told: Hold | None = (
            self.filter(room=answer.room, released_at=None, card__gt=after)
            .filter(card__audience=audience, card__to=sorted(to))
            .order_by("pk")
            .last()
        )
        return told


class Hold(models.Model):
    """Robots named by others, which the guard did not let answer until a person says so."""

    class Released(Conflict):
        code = "hold_released"
        message = "Somebody has let them go on already."

    room = models.ForeignKey(Room, models.CASCADE, related_name="robot_holds")
    card = models.OneToOneField(Message, models.CASCADE, related_name="robot_hold")
    reason = models.CharField(max_length=16, help_text="A rule of the guard.")
    created_at = models.DateTimeField(default=timezone.now)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)
    released_upto = models.BigIntegerField(
        null=True, blank=True, help_text="The room's newest message then: counting begins after it."
    )

    objects = HoldManager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["room", "released_at"])]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    # Verbs

    def add(self, summons: Sequence[Summons]) -> None:
        """Keep more of the same, in the locked room, on the same card."""
        self._keep(summons)
        self._show(summons[0].question.room)

    @transaction.atomic
    def release(self, *, by: User) -> None:
        """Have them answer, for the sake of `by`; the guard counts anew from here.

        Raises NotFound, Forbidden, Room.Closed, Hold.Released.
        """
        room = self.room.locked()
        self.refresh_from_db()
        self.room = room
        self.card.must_be_visible_to(by)
        charge.must_be_in_charge(room, by)
        room.must_be_open()
        if self.released_at:
            raise self.Released
        self.released_by, self.released_at, self.released_upto = by, timezone.now(), room.newest
        self.save()
        self._show(room)
        Reply.objects.queue(self._summons(room, by))

    # What the verbs are made of

    def _keep(self, summons: Sequence[Summons]) -> None:
        HeldSummons.objects.bulk_create(
            [HeldSummons(hold=self, robot=one.robot, question=one.question) for one in summons],
            ignore_conflicts=True,
        )

    def _show(self, room: Room) -> None:
        robots = User.objects.filter(robot__held__hold=self).order_by("pk").distinct()
        self.card.room = room
        self.card.update_card(self._told(robots))

    def _told(self, robots: Iterable[User]) -> dict[str, Any]:
        by = self.released_by
        why_not = f"{by.name} let them go on." if by else None
        return {
            "card": CARD,
            "guard": {
                "reason": self.reason,
                "robots": [robot.public() for robot in robots],
                "continued_by": by and by.public(),
            },
            "actions": [cards.offer(CONTINUE, "Continue", why_not=why_not)],
        }

    def _summons(self, room: Room, by: User) -> list[Summons]:
        """What was held back, as far as it still can be answered."""
        held = HeldSummons.objects.filter(hold=self)
        return [
            Summons(robot=one.robot, question=one.question, cause=Cause.NAMED, root=by)
            for one in held.select_related("robot__user", "question__author")
            if one.is_answerable(room)
        ]


class HeldSummons(models.Model):
    """One robot, and the message that named it."""

    hold = models.ForeignKey(Hold, models.CASCADE, related_name="summons", db_index=False)
    robot = models.ForeignKey(Robot, models.CASCADE, related_name="held")
    question = models.ForeignKey(Message, models.CASCADE, related_name="held_summons")

    class Meta:
        verbose_name_plural = "held summons"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hold", "robot", "question"], name="held_once"),
        ]

    def __str__(self) -> str:
        return f"{self.robot} on message {self.question_id}"

    def is_answerable(self, room: Room) -> bool:
        """Whether its robot still sits in the room, and sees what it is to answer."""
        self.question.room = room
        seat = room.participant(self.robot.user)
        return bool(seat and not self.question.deleted_at and Reader.of(seat).sees(self.question))


def _readers(answer: Message) -> tuple[str, list[int]]:
    """The audience of what is said about an answer: its own, with its author among them."""
    if answer.audience != Audience.ONLY:
        return answer.audience, []
    meant = {*answer.to, answer.author_id}
    here = answer.room.participants.filter(user__in=meant)
    return answer.audience, list(here.values_list("user", flat=True))
