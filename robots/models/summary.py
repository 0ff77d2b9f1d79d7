from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import Forbidden
from accounts.models import AuditEntry, User
from accounts.prepared import first, prepared
from messages.audience import Audience
from messages.models import Message
from robots import tokens
from robots.models.robot import Robot
from rooms.models import Participant, Room

if TYPE_CHECKING:
    from robots.scope import Scope


class SummaryQuerySet(models.QuerySet["Summary"]):
    def resting_on(self, messages: Iterable[Message]) -> SummaryQuerySet:
        """Those that may hold something of one of these messages, all of one room."""
        held = Q(pk__in=[])
        for message in messages:
            told = Q(room=message.room_id, after__lt=message.pk, upto__gte=message.pk)
            if message.audience != Audience.EVERYONE:
                told &= ~Q(audience=Audience.EVERYONE)
            held |= told
        return self.filter(held, stale=False)

    def outdate(self) -> None:
        """Forget what they say, at once: they are made anew, never out of this."""
        self.update(stale=True, body="", tokens=0)


class SummaryManager(models.Manager.from_queryset(SummaryQuerySet)):  # type: ignore[misc]
    @transaction.atomic
    def forget(self, pks: Iterable[int], *, by: User) -> None:
        """Have these made anew from the messages, once they are needed."""
        chosen = self.filter(pk__in=pks).order_by("pk")
        for summary in chosen.select_for_update(no_key=True):
            AuditEntry.objects.record("summary.forgotten", on=summary, by=by)
        chosen.outdate()

    def usable(self, scope: Scope) -> Summary | None:
        """What may be told of the beginning: it rests on nothing that a reader cannot hear."""
        return first(_fresh(room=scope.room.pk, key=scope.key, after=scope.after))

    def readable(self, room: Room, *, by: User, audience: str = "") -> list[Summary]:
        """For who manages the room: those whose every message they may see, newest first.

        Raises NotFound, Forbidden.
        """
        seat = room.seat_of(by)
        if not seat.manages:
            raise Forbidden("Only those who manage this room can read what robots are told of it.")
        found = self.filter(room=room, stale=False).order_by("-made_at")
        found = found.select_related("robot__user")
        if audience:
            found = found.filter(audience=audience)
        return [summary for summary in found if summary.is_readable_by(seat)]


class Summary(models.Model):
    """What robots are told of the beginning of a long conversation, for answers of one audience.

    It rests only on what every reader of such an answer may see, and goes when any of it changes.
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="summaries")
    robot = models.ForeignKey(
        Robot,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose answers alone it is for; none where it rests on what everyone sees.",
    )
    audience = models.CharField(max_length=8, choices=Audience.choices, help_text="Of the answers.")
    to = models.JSONField(default=list, blank=True)
    key = models.CharField(max_length=80, editable=False)
    after = models.BigIntegerField(help_text="It rests on messages after this id …")
    upto = models.BigIntegerField(help_text="… up to this one.")
    whole = models.BooleanField(help_text="Whether none between them was left out.")
    revision = models.BigIntegerField(help_text="The room's, before the messages were read.")
    body = models.TextField(blank=True)
    tokens = models.PositiveIntegerField(default=0)
    model = models.CharField(max_length=200, blank=True, help_text="That wrote it.")
    made_at = models.DateTimeField(default=timezone.now)
    stale = models.BooleanField(
        default=False, help_text="Something it rested on was edited or deleted."
    )

    objects = SummaryManager()

    class Meta:
        verbose_name_plural = "summaries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["room", "key"], name="one_summary_an_audience"),
        ]

    def __str__(self) -> str:
        return f"room {self.room_id} for {self.key}"

    @classmethod
    def begun(cls, scope: Scope, *, old: Summary | None, upto: int, whole: bool) -> Summary:
        """One that rolls `old` on, or begins anew; its words are still to be written."""
        return cls(
            room=scope.room,
            robot=None if scope.audience == Audience.EVERYONE else scope.robot,
            audience=scope.audience,
            to=list(scope.to),
            key=scope.key,
            after=old.after if old else scope.after,
            upto=upto,
            whole=whole and (old is None or old.whole),
            revision=scope.room.revision,
        )

    # Verbs

    @transaction.atomic
    def keep(self, body: str, *, model: str) -> bool:
        """Take the place of the one before it. False where what it rests on has changed meanwhile.

        Raises NotFound if the room was purged.
        """
        self.room.locked()
        if self._has_changed_beneath():
            return False
        before = Summary.objects.filter(room=self.room, key=self.key).first()
        if before is not None and before._says_more_than(self):
            return True
        self.pk = before.pk if before else None
        self.body, self.tokens, self.model = body, tokens.count(body), model
        self.made_at = timezone.now()
        self.save()
        return True

    # Questions

    def is_readable_by(self, seat: Participant) -> bool:
        """Whether someone of the room may see everything it rests on."""
        if seat.room.history == Room.History.JOINED and self.after < seat.history_from:
            return False
        is_meant = seat.is_staff or seat.user_id in self.to
        return self.audience == Audience.EVERYONE or is_meant

    # What the verbs are made of

    def _has_changed_beneath(self) -> bool:
        """Whether a message was edited, deleted or else touched since they were read."""
        touched = Message.objects.filter(room=self.room, revision__gt=self.revision)
        return bool(touched.filter(pk__gt=self.after, pk__lte=self.upto).exists())

    def _says_more_than(self, other: Summary) -> bool:
        """Somebody else was quicker, for the same readers."""
        return not self.stale and self.after >= other.after and self.upto >= other.upto


@prepared("room", "key", "after")
def _fresh(room: int, key: str, after: int) -> SummaryQuerySet:
    fresh: SummaryQuerySet = Summary.objects.filter(room=room, key=key, stale=False)
    return fresh.filter(after__gte=after)
