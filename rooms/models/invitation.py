from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.errors import NotFound
from accounts.models import AuditEntry, User
from rooms.modes import Role

if TYPE_CHECKING:
    from rooms.models.participant import Participant
    from rooms.models.room import Room

LONGEST_LIFETIME = 366 * 24 * 3600
"""Seconds."""
MOST_USES = 1_000_000


def hashed(token: str) -> str:
    return sha256(token.encode()).hexdigest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def usable(self) -> InvitationQuerySet:
        left = Q(uses_left__isnull=True) | Q(uses_left__gt=0)
        return self.filter(left, revoked_at__isnull=True, expires_at__gt=timezone.now())

    def by_token(self, token: str) -> Invitation:
        """The usable invitation behind a link. Raises Invitation.Unusable."""
        invitation = self.usable().select_related("room").filter(token_hash=hashed(token)).first()
        if invitation is None:
            raise Invitation.Unusable
        return invitation

    @transaction.atomic
    def accept(self, token: str, *, user: User) -> Participant:
        """Enter the room a link leads to. Who is in it already stays as they are.

        Raises Invitation.Unusable, Room.Closed, Room.Full.
        """
        invitation = self.by_token(token)
        room = invitation.room.locked()
        seat = room.participant(user)
        if seat is not None:
            return seat
        invitation.take()
        return room.admit(user, role=invitation.role, invited_by=invitation.created_by)

    @transaction.atomic
    def accept_as_guest(self, token: str, *, name: str) -> Participant:
        """Make a guest called `name` and let them in.

        Raises Invitation.Unusable, Room.Closed, Room.Full.
        """
        invitation = self.by_token(token)
        room = invitation.room.locked()
        invitation.take()
        guest = User.objects.create_guest(name)
        return room.admit(guest, role=invitation.role, invited_by=invitation.created_by)


class Invitation(models.Model):
    """A link that lets people into a room until it expires, is used up or revoked."""

    class Unusable(NotFound):
        """Expired, revoked, used up or never there: the holder is not told which."""

        message = "This invitation is no longer valid. Ask for a new one."

    room = models.ForeignKey("rooms.Room", models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=16, choices=Role.choices)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    uses_left = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["room", "expires_at"])]

    def __str__(self) -> str:
        return f"Invitation to {self.room} as {self.role}"

    @classmethod
    def issue(
        cls, room: Room, *, by: User, role: str, expires_in: timedelta, uses: int | None
    ) -> tuple[Invitation, str]:
        """The new invitation and its token, which is kept nowhere else."""
        token = secrets.token_urlsafe(24)
        invitation = cls.objects.create(
            room=room,
            role=role,
            token_hash=hashed(token),
            created_by=by,
            expires_at=timezone.now() + expires_in,
            uses_left=uses,
        )
        return invitation, token

    def take(self) -> None:
        """Use it once, by one conditional statement. Raises Invitation.Unusable."""
        usable = type(self).objects.usable().filter(pk=self.pk)
        if not usable.update(uses_left=F("uses_left") - 1):
            raise self.Unusable

    @transaction.atomic
    def revoke(self, *, by: User) -> None:
        """End it. Revoking twice changes nothing. Raises Forbidden."""
        room = self.room.locked()
        room.must_be_managed_by(by)
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])
            AuditEntry.objects.record("invitation.revoked", on=self, by=by)
