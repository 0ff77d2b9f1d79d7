from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from django.db import models, transaction

from accounts.errors import Invalid, NotFound
from accounts.models import AuditEntry, User
from messages.audience import Audience
from messages.posting import post_note
from robots.models.robot import PERSONA_MAX, Robot, Style
from rooms.models import Participant, Room
from rooms.modes import Mode, Role
from rooms.signals import Event

TITLE_MAX = 80
LONGEST = {"persona": PERSONA_MAX, "title": TITLE_MAX}
"""Characters."""
OVERRIDES = (*LONGEST, "style")
AS_ELSEWHERE = ("", "As elsewhere")
STYLES_HERE = [AS_ELSEWHERE, *Style.choices]


class RobotSeatManager(models.Manager["RobotSeat"]):
    @transaction.atomic
    def seat(self, robot: Robot, room: Room, *, by: User, **overrides: str) -> RobotSeat:
        """Bring a robot into a room. Seating it again changes nothing.

        Raises Forbidden (who does not manage the room), Robot.Retired, Invalid, Room.Closed,
        Room.Full.
        """
        room.locked().must_be_managed_by(by)
        if robot.locked().retired_at:
            raise Robot.Retired
        participant = room.participant(robot.user)
        if participant is None:
            participant = room.admit(robot.user, role=Role.ROBOT, invited_by=by)
        seat, made = self.get_or_create(
            participant=participant, defaults=_checked({"robot": robot, **overrides})
        )
        if made and seat.title:
            seat._tell_title(room, by=by)  # that it came was told before it had one
        return seat

    def at(self, participant: Participant) -> RobotSeat:
        """Where a robot sits, without overrides where none were ever made.

        It asks for nothing that was read with the participant: `user__robot`, `robot_seat`.
        """
        robot = participant.user.robot
        robot.user = participant.user
        seat: RobotSeat = getattr(participant, "robot_seat", None) or RobotSeat()
        seat.participant, seat.robot = participant, robot
        return seat


class RobotSeat(models.Model):
    """How a robot differs in one room from what it is elsewhere. What is empty is as elsewhere: in
    a side-bar, as in the room around it.
    """

    participant = models.OneToOneField(
        Participant, models.CASCADE, primary_key=True, related_name="robot_seat"
    )
    robot = models.ForeignKey(Robot, models.CASCADE, related_name="seats")
    persona = models.TextField(blank=True, max_length=PERSONA_MAX)
    title = models.CharField(
        max_length=TITLE_MAX, blank=True, help_text="What it is here, to people."
    )
    style = models.CharField(max_length=16, choices=Style.choices, blank=True)

    objects = RobotSeatManager()

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.robot} in room {self.participant.room_id}"

    @transaction.atomic
    def update(self, *, by: User, **overrides: str) -> None:
        """Change what is different here. Raises Forbidden, Invalid (by field), NotFound."""
        room = self.participant.room.locked()
        room.must_be_managed_by(by)
        if not Participant.objects.filter(pk=self.participant_id).exists():
            raise NotFound
        with suppress(RobotSeat.DoesNotExist):  # nothing was ever different here
            self.refresh_from_db(fields=OVERRIDES)
        before = {name: getattr(self, name) for name in overrides if name in OVERRIDES}
        for name, value in _checked(overrides).items():
            setattr(self, name, value)
        self.save()
        if before.get("title", self.title) != self.title:
            self._tell_title(room, by=by)
        AuditEntry.objects.record(
            "robot.seat_changed", on=self, by=by, before=before, after=overrides
        )

    @transaction.atomic
    def remove(self, *, by: User) -> None:
        """Take it out of the room. Raises Forbidden, NotFound."""
        self.participant.room.remove(self.robot.user, by=by)

    # Questions

    @property
    def title_here(self) -> str:
        return self._here("title")

    @property
    def persona_here(self) -> str:
        return self._here("persona") or self.robot.persona

    @property
    def persona_set_in(self) -> int | None:
        """The room that `persona_here` was set for; None where it is the robot's own."""
        for seat in (self, self._around):
            if seat is not None and seat.persona:
                return seat.participant.room_id
        return None

    @property
    def style_here(self) -> str:
        return self._here("style") or self.robot.style

    # What the verbs are made of

    def _tell_title(self, room: Room, *, by: User) -> None:
        """By a note, as all that becomes of a room's people, to who is told of those."""
        user, title = self.robot.user, self.title_here
        told = {
            **user.public(),
            "role": Role.ROBOT,
            "title": title,
            "trigger": self.robot.trigger,
            "enabled": self.robot.enabled,
        }
        data = {
            "event": Event.UPDATED,
            "by": by.public(),
            "people": [],
            "changed": {},
            "robots": {"added": [], "changed": [told], "removed": []},
        }
        is_now = f"“{title}” here" if title else "what it is elsewhere"
        audience = Audience.EVERYONE if room.mode == Mode.TEAM else Audience.STAFF
        post_note(room, f"{by.name} made {user.name} {is_now}.", data, audience=audience)

    def _here(self, name: str) -> str:
        """What was set for this room; in a side-bar, where nothing was, for the one around it."""
        found: str = getattr(self, name) or getattr(self._around, name, "")
        return found

    @property
    def _around(self) -> RobotSeat | None:
        return getattr(self.participant.outer, "robot_seat", None)


def _checked(overrides: dict[str, Any]) -> dict[str, Any]:
    """Raises Invalid, with details by field."""
    wrong: dict[str, list[str]] = {}
    for name, longest in LONGEST.items():
        if len(overrides.get(name, "")) > longest:
            wrong[name] = [f"At most {longest} characters."]
    if overrides.get("style", "") not in ("", *Style.values):
        wrong["style"] = [f"Choose one of {', '.join(Style.values)}."]
    if wrong:
        raise Invalid(details=wrong)
    return overrides
