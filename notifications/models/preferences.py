"""How somebody wants to be told, over all rooms. What they want of one room is in their seat."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from accounts.errors import Forbidden, Invalid
from accounts.prepared import first, prepared
from notifications.quiet import EVERY_DAY, QuietHours
from rooms.models import Participant

if TYPE_CHECKING:
    from accounts.models import User

WHICH_DAYS = "Name days of the week, each once: 0 is Monday, 6 is Sunday."
TOGETHER = "Say both when the quiet hours begin and when they end."


def every_day() -> list[int]:
    return list(EVERY_DAY)


def must_be_days(days: object) -> None:
    """Raise ValidationError unless these are different days of a week."""
    fits = isinstance(days, list) and all(type(day) is int for day in days)
    if not fits or sorted(set(days)) != sorted(days) or not set(days) <= set(EVERY_DAY):  # type: ignore[call-overload]
        raise ValidationError(WHICH_DAYS)


class PreferencesQuerySet(models.QuerySet["Preferences"]):
    def by_user(self, users: Collection[int]) -> dict[int, Preferences]:
        """Of those who have chosen anything, with their users."""
        rows = self.filter(user__in=users).select_related("user")
        return {row.user_id: row for row in rows}


class PreferencesManager(models.Manager.from_queryset(PreferencesQuerySet)):  # type: ignore[misc]
    def of(self, user: User) -> Preferences:
        """Theirs, or what holds until somebody chooses."""
        return first(_of(user=user.pk)) or Preferences(user=user)


class Preferences(models.Model):
    """One person's. There is a row once they have chosen something."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="notification_preferences",
    )
    level = models.CharField(
        max_length=16,
        choices=Participant.Notify.choices,
        blank=True,
        help_text="What rooms tell them of that they enter from now on; empty: as the site has it.",
    )
    browser = models.BooleanField(default=True, help_text="Shown by the browser, out of sight.")
    sounds = models.BooleanField(default=True)
    mail = models.BooleanField(default=True, help_text="While they are away.")
    push = models.BooleanField(default=True, help_text="While no page is open.")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    quiet_days = models.JSONField(default=every_day, blank=True, validators=[must_be_days])

    objects = PreferencesManager()

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"Preferences of {self.user_id}"

    @transaction.atomic
    def change(self, *, by: User, **changes: Any) -> None:
        """Choose differently; what is left out stays. Raises Invalid, by field, Forbidden."""
        if by.pk != self.user_id:
            raise Forbidden("Everybody chooses for themselves.")
        for field, value in changes.items():
            setattr(self, field, value)
        try:
            self.full_clean(validate_unique=False)
        except ValidationError as error:
            raise Invalid(details=error.message_dict) from error
        self.save()

    def clean(self) -> None:
        """Quiet hours have two ends. Of the days, no validator is asked of what is empty."""
        super().clean()
        if not self.quiet_days and self.quiet_days != []:
            raise ValidationError({"quiet_days": WHICH_DAYS})
        if (self.quiet_from is None) != (self.quiet_until is None):
            missing = "quiet_until" if self.quiet_until is None else "quiet_from"
            raise ValidationError({missing: TOGETHER})

    # Questions

    def quiet_end(self, now: datetime | None = None) -> datetime | None:
        """When the quiet hours that hold now are over; None where none do."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        hours = QuietHours(self.quiet_from, self.quiet_until, self.quiet_days, self.user.zone)
        return hours.end(now or timezone.now())


@prepared("user")
def _of(user: int) -> models.QuerySet[Preferences]:
    found: models.QuerySet[Preferences] = Preferences.objects.filter(user=user)
    return found
