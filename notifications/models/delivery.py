"""What is on its way to somebody outside of the page: a row for each person and way."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from live.models import Presence
from notifications import pauses
from notifications.models.notification import Notification

logger = logging.getLogger(__name__)

MARGIN = timedelta(seconds=30)
"""How much longer than needed what waits for somebody who is there is put off, so that not every
round writes it anew."""
GIVEN_UP_AFTER = timedelta(days=3)
TOLD_AT_ONCE = 200
GATHERED = 500
LEASE = timedelta(minutes=5)
"""Longer than a mail server may take; then another worker tries."""


class DeliveryManager(models.Manager["Delivery"]):
    def due(self, channel: str, *, after: timedelta) -> list[int]:
        """Put off what is for people who are there; return for whom something is due.

        What could not be sent for days is given up.
        """
        now, column = timezone.now(), f"{channel}_due"
        waiting = Notification.objects.filter(**{f"{column}__isnull": False})
        waiting.filter(created_at__lt=now - GIVEN_UP_AFTER).update(**{column: None})
        soon = waiting.filter(user__in=_present(), **{f"{column}__lt": now + after})
        soon.update(**{column: now + after + MARGIN})
        held = self.filter(channel=channel, lease_until__gt=now)
        due = waiting.filter(**{f"{column}__lte": now}).exclude(user__in=held.values("user"))
        users = due.order_by("user").values_list("user", flat=True).distinct()
        return list(users[:TOLD_AT_ONCE])

    def take(self, user: int, channel: str) -> Delivery | None:
        """Have this worker send what waits for `user`, if nobody is at it."""
        row, _ = self.get_or_create(user_id=user, channel=channel)
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        token = uuid4()
        if not self.filter(free, pk=row.pk).update(token=token, lease_until=now + LEASE):
            return None
        taken = self.select_related("user").get(pk=row.pk)
        return taken if taken.token == token else None


class Delivery(models.Model):
    """One person's mail, or pushes. Whoever holds its token sends; what a slower one says later is
    void.
    """

    class Channel(models.TextChoices):
        MAIL = "mail"
        PUSH = "push"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False
    )
    channel = models.CharField(max_length=8, choices=Channel.choices)
    token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="One after the other.")

    objects = DeliveryManager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "channel"], name="one_delivery_a_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.user_id}"

    def gather(self) -> list[Notification]:
        """All that waits."""
        waiting = Notification.objects.filter(user=self.user, **{f"{self._column}__isnull": False})
        return list(waiting.order_by("pk")[:GATHERED])

    def is_for_somebody_here(self) -> bool:
        """Whether they look at a page now."""
        return _present().filter(user=self.user).exists()

    @property
    def _column(self) -> str:
        return f"{self.channel}_due"

    @transaction.atomic
    def finish(self, rows: Collection[Notification], *, sent: bool) -> None:
        """These are done with. Where another has taken over, it is theirs to say."""
        done = {"sent_at": timezone.now(), "failures": 0} if sent else {}
        if self._let_go(until=None, **done):
            _these(rows).update(**{self._column: None})

    @transaction.atomic
    def postpone(self, rows: Collection[Notification], until: object) -> None:
        """Not now."""
        if self._let_go(until=None):
            _these(rows).update(**{self._column: until})

    def fail(self, problem: Exception) -> None:
        """Try again, a little later each time."""
        logger.warning("%s could not be sent: %s", self, type(problem).__name__)
        pause = pauses.after(self.failures + 1)
        self._let_go(until=timezone.now() + pause, failures=F("failures") + 1)

    def _let_go(self, *, until: object, **changes: object) -> bool:
        held = Delivery.objects.filter(pk=self.pk, token=self.token)
        return bool(held.update(token=None, lease_until=until, **changes))


def _present() -> models.QuerySet[Presence, Any]:
    """The users who look at a page now."""
    return Presence.objects.live().filter(state=Presence.State.ONLINE).values("user")


def _these(rows: Collection[Notification]) -> models.QuerySet[Notification]:
    these: models.QuerySet[Notification] = Notification.objects.filter(
        pk__in=[row.pk for row in rows]
    )
    return these
