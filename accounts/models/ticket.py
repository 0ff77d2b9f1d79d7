"""A way to the socket for clients that cannot send a header."""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.errors import NotAuthenticated, TokenInvalid
from accounts.models.login import Login


class TicketQuerySet(models.QuerySet["Ticket"]):
    def expired(self) -> TicketQuerySet:
        """Those that open nothing any more."""
        return self.filter(expires_at__lte=timezone.now())

    def sweep(self, batch: int = 500) -> int:
        """Remove one batch of expired tickets; return how many went."""
        ids = list(self.expired().values_list("pk", flat=True)[:batch])
        self.filter(pk__in=ids).delete()
        return len(ids)


class TicketManager(models.Manager.from_queryset(TicketQuerySet)):  # type: ignore[misc]
    def issue(self, login: Login) -> str:
        """A fresh ticket of `login`. Only its hash is kept: this is the one time it is seen."""
        token = secrets.token_urlsafe(32)
        expires_at = timezone.now() + settings.CHAT_TICKET_LIFETIME
        self.create(token_hash=hashed(token), login=login, expires_at=expires_at)
        return token

    @transaction.atomic
    def take(self, token: str) -> Login:
        """Use a ticket up and return its login, with its user.

        Raises NotAuthenticated if it is unknown, used, too old, or its login is over.
        """
        ticket = self.filter(token_hash=hashed(token))
        if not ticket.filter(taken_at=None, expires_at__gt=timezone.now()).update(
            taken_at=timezone.now()
        ):
            raise TokenInvalid("This ticket is not valid any more.")
        login: Login = ticket.select_related("login__user").get().login
        if not login.is_live():
            raise NotAuthenticated
        return login


class Ticket(models.Model):
    """Good once, for half a minute, for whom its login belongs to."""

    token_hash = models.CharField(max_length=64, unique=True)
    login = models.ForeignKey(Login, on_delete=models.CASCADE, related_name="tickets")
    expires_at = models.DateTimeField(db_index=True)
    taken_at = models.DateTimeField(null=True, blank=True)

    objects = TicketManager()

    def __str__(self) -> str:
        return f"ticket of {self.login}"


def hashed(token: str) -> str:
    """What is stored of a token. It is random and long, so a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
