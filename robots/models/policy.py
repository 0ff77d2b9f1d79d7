from __future__ import annotations

from django.db import models, transaction

from accounts.errors import Invalid
from accounts.models import AuditEntry, User
from robots.choices import Explained
from rooms.models import Room


class RobotPolicyManager(models.Manager["RobotPolicy"]):
    def of(self, room: Room) -> RobotPolicy:
        """What holds in a room; the default where nobody chose."""
        return self.filter(room=room).first() or RobotPolicy(room=room)


class RobotPolicy(models.Model):
    """What a room has chosen for the robots in it."""

    class WhenBusy(Explained):
        QUEUE = (
            "queue",
            "Questions are answered in the order they came",
            "Wait until it has answered",
        )
        INTERRUPT = "interrupt", "What it has written so far stays", "Interrupt it"
        REFUSE = "refuse", "Whoever wrote it may send it again later", "Refuse the message"

    room = models.OneToOneField(Room, models.CASCADE, primary_key=True, related_name="robot_policy")
    when_busy = models.CharField(
        max_length=16,
        choices=WhenBusy.choices,
        default=WhenBusy.QUEUE,
        help_text="What becomes of a question to a robot that is answering another.",
    )

    objects = RobotPolicyManager()

    class Meta:
        verbose_name_plural = "robot policies"

    def __str__(self) -> str:
        return f"robots in room {self.room_id}"

    @transaction.atomic
    def update(self, *, when_busy: str, by: User) -> None:
        """Raises Forbidden, Invalid."""
        self.room.locked().must_be_managed_by(by)
        if when_busy not in self.WhenBusy.values:
            options = ", ".join(self.WhenBusy.values)
            raise Invalid(details={"when_busy": [f"Choose one of {options}."]})
        before, self.when_busy = self.when_busy, when_busy
        self.save()
        AuditEntry.objects.record(
            "room.robot_policy",
            on=self.room,
            by=by,
            before={"when_busy": before},
            after={"when_busy": when_busy},
        )
