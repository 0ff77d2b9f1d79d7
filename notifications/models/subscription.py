"""A browser that may be told while no page of ours is open in it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.errors import Invalid
from notifications import pauses, push_service, webpush

if TYPE_CHECKING:
    from accounts.models import Login

MOST = 20
"""Of one person; the oldest make room."""
FAILURES_MAX = 20
GONE = (404, 410)
"""RFC 8030: what a push service answers for a subscription that is over. Anything else may be our
own fault, or that of something on the way.
"""


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def live(self) -> SubscriptionQuerySet:
        """Of sign-ins that are not over."""
        return self.filter(login__ended_at=None, login__expires_at__gt=timezone.now())

    def owed(self) -> SubscriptionQuerySet:
        """Those to be tried again now, the longest waiting first."""
        return self.live().filter(retry_at__lte=timezone.now()).order_by("retry_at")


class SubscriptionManager(models.Manager.from_queryset(SubscriptionQuerySet)):  # type: ignore[misc]
    @transaction.atomic
    def subscribe(self, login: Login, *, endpoint: str, p256dh: str, auth: str) -> Subscription:
        """Tell this browser, for as long as the login lasts. Doing so again changes its keys; who
        signs in as somebody else there takes it over. Raises Invalid, by field.
        """
        if not push_service.is_allowed(endpoint):
            raise Invalid(details={"endpoint": ["This is no address of a push service."]})
        _must_be_keys(p256dh, auth)
        subscription: Subscription
        subscription, _ = self.update_or_create(
            endpoint_hash=hashlib.sha256(endpoint.encode()).hexdigest(),
            defaults={
                "user": login.user,
                "login": login,
                "endpoint": endpoint,
                "p256dh": p256dh,
                "auth": auth,
                "agent": login.user_agent,
                "failures": 0,
                "owed_from": None,
                "retry_at": None,
            },
        )
        rows = self.filter(user=login.user).order_by("-created_at", "-pk")
        self.filter(pk__in=list(rows.values_list("pk", flat=True)[MOST:])).delete()
        return subscription


def _must_be_keys(p256dh: str, auth: str) -> None:
    try:
        webpush.encrypt(b"", receiver=webpush.decode(p256dh), secret=webpush.decode(auth))
        if len(webpush.decode(auth)) != 16:
            raise ValueError
    except ValueError as error:
        raise Invalid(details={"keys": ["These are no keys of a subscription."]}) from error


class Subscription(models.Model):
    """It ends with the login it was made in. Its address is a secret: who knows it can be told of
    by it, so it is found by its hash and never shown.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="push_subscriptions"
    )
    login = models.ForeignKey("accounts.Login", models.CASCADE, related_name="+")
    endpoint = models.TextField(editable=False)
    endpoint_hash = models.CharField(max_length=64, unique=True, editable=False)
    p256dh = models.CharField(max_length=100, editable=False)
    auth = models.CharField(max_length=30, editable=False)
    agent = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    failures = models.PositiveIntegerField(default=0, help_text="One after the other.")
    owed_from = models.BigIntegerField(
        null=True, editable=False, help_text="Id of the first notification that it did not take."
    )
    retry_at = models.DateTimeField(
        null=True, editable=False, help_text="When it is told of all from there on."
    )

    objects: ClassVar = SubscriptionManager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["retry_at"],
                condition=models.Q(retry_at__isnull=False),
                name="browsers_to_try_again",
            ),
        ]

    def __str__(self) -> str:
        return f"A browser of {self.user_id}"

    def send(self, content: bytes, *, urgency: str) -> bool:
        """Whether its push service took it. Is gone where that knows it no more. Raises
        push_service.Unreachable: try again later.
        """
        body = webpush.encrypt(
            content, receiver=webpush.decode(self.p256dh), secret=webpush.decode(self.auth)
        )
        headers = {
            "TTL": "86400",
            "Urgency": urgency,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": webpush.authorization(self.endpoint),
        }
        try:
            status = push_service.post(self.endpoint, body, headers)
        except push_service.Unreachable:
            self._note_failure()
            raise
        if status < 300:
            self._change(failures=0)
            return True
        if status in GONE:
            self.delete()
            return False
        self._note_failure()
        raise push_service.Unreachable(f"status {status}")

    def owe(self, notification: int) -> None:
        """It is still to be told of this one, and of all that came after."""
        if self.owed_from is None or notification < self.owed_from:
            self._change(owed_from=notification)

    def settle(self) -> None:
        """It has been told of all that there is."""
        if self.owed_from is not None or self.retry_at is not None:
            self._change(owed_from=None, retry_at=None)

    def is_owed(self, notification: int) -> bool:
        return self.owed_from is not None and notification >= self.owed_from

    @property
    def is_left_alone(self) -> bool:
        """Whether it is too early to try it again."""
        return self.retry_at is not None and self.retry_at > timezone.now()

    def _note_failure(self) -> None:
        failures = self.failures + 1
        if failures >= FAILURES_MAX:
            self.delete()
        else:
            self._change(failures=failures, retry_at=timezone.now() + pauses.after(failures))

    def _change(self, **fields: Any) -> None:
        """Nothing, where it is gone."""
        for name, value in fields.items():
            setattr(self, name, value)
        Subscription.objects.filter(pk=self.pk).update(**fields)
