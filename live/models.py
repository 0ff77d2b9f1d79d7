from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models import User
from accounts.prepared import prepared


class Standing(NamedTuple):
    """Whether somebody is there, and since when."""

    state: str
    since: datetime


class PresenceQuerySet(models.QuerySet["Presence"]):
    def live(self, at: datetime | None = None) -> PresenceQuerySet:
        return self.filter(expires_at__gt=at or timezone.now())

    def expired(self) -> PresenceQuerySet:
        """Of processes that died without saying so."""
        return self.filter(expires_at__lte=timezone.now())

    def standing(self, users: Collection[int]) -> dict[int, Standing]:
        """How these users stand, over all processes. Who is nowhere is missing."""
        found: dict[int, Standing] = {}
        for user, state, since in _live(users=users, at=timezone.now()) if users else ():
            known = found.get(user)
            if known is None or (known.state, state) == ("away", "online"):
                found[user] = Standing(state, since)
        return found

    def hold(self, process: str, states: dict[int, str]) -> None:
        """Write how users stand in `process`, with a new lease."""
        now = timezone.now()
        self.bulk_create(
            [
                Presence(user_id=user, process=process, state=state, since=now, expires_at=_lease())
                for user, state in states.items()
            ],
            update_conflicts=True,
            unique_fields=["user", "process"],
            update_fields=["state", "since", "expires_at"],
        )

    def let_go(self) -> None:
        """They are not here any more; the day on which they were is kept."""
        users = list(self.values_list("user", flat=True))
        User.objects.filter(pk__in=users).update(seen_on=timezone.now().date())
        self.delete()

    def renew(self, process: str) -> int:
        """Returns how many are held."""
        return self.filter(process=process).update(expires_at=_lease())


def _lease() -> datetime:
    return timezone.now() + timedelta(seconds=settings.CHAT_PRESENCE_LEASE)


class Presence(models.Model):
    """That somebody has live sockets in one server process, for as long as its lease holds."""

    class State(models.TextChoices):
        ONLINE = "online"
        AWAY = "away"
        OFFLINE = "offline"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="presences", db_index=False
    )
    process = models.CharField(max_length=32, db_index=True)
    state = models.CharField(max_length=8, choices=State.choices)
    since = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    objects = PresenceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "process"], name="one_presence_a_process"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.state} in {self.process}"


@prepared("users", "at")
def _live(
    users: Collection[int], at: datetime
) -> models.QuerySet[Presence, tuple[int, str, datetime]]:
    found = Presence.objects.live(at).filter(user__in=users).order_by("since")
    return found.values_list("user", "state", "since")
