"""Being signed in: one row per sign-in, whatever door it came through."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import origin, signals
from accounts.errors import Forbidden, TokenInvalid
from accounts.models.audit import AuditEntry
from accounts.prepared import prepared
from accounts.rows import QuickRows

if TYPE_CHECKING:
    from accounts.models.user import User

SESSION_LOGIN_KEY = "login"
KEPT_AFTER_END = dt.timedelta(days=30)


class LoginQuerySet(models.QuerySet["Login"]):
    def live(self, at: dt.datetime | None = None) -> LoginQuerySet:
        """Not ended, not expired (now, or by then), of an active user. Ask `is_live()` too: it
        knows passwords.
        """
        return self.filter(
            ended_at=None, expires_at__gt=at or timezone.now(), user__is_active=True
        ).select_related("user")

    def expired(self) -> LoginQuerySet:
        """Over for so long that nobody asks about them; the audit keeps their story."""
        long_ago = timezone.now() - KEPT_AFTER_END
        return self.filter(models.Q(ended_at__lt=long_ago) | models.Q(expires_at__lt=long_ago))

    def sweep(self, batch: int = 500) -> int:
        """Remove one batch of expired logins (and their tickets); return how many went."""
        ids = list(self.expired().values_list("pk", flat=True)[:batch])
        self.filter(pk__in=ids).delete()
        return len(ids)

    @transaction.atomic
    def end(self) -> list[int]:
        """End these now and announce it; ended ones stay as they are. Returns the ids."""
        doomed = list(self.filter(ended_at=None).select_for_update(of=("self",)))
        ids = [login.pk for login in doomed]
        if ids:
            Login.objects.filter(pk__in=ids).update(ended_at=timezone.now())
            users = sorted({login.user_id for login in doomed})
            signals.logins_ended.send(Login, logins=ids, users=users)
        return ids


class Claim(NamedTuple):
    """What something that we signed or keep says of who shows it: a login of this user."""

    login: int
    user: int
    ends_at: dt.datetime | None = None
    """When it is worth nothing any more, whatever becomes of the login."""

    @classmethod
    def of_session(cls, session: Mapping[str, Any]) -> Claim | None:
        login, user = session.get(SESSION_LOGIN_KEY), session.get(SESSION_KEY)
        return cls(int(login), int(user)) if login and user else None

    @classmethod
    def of_access_token(cls, raw: str | bytes) -> Claim:
        """Raises TokenInvalid."""
        from accounts import tokens

        claims = tokens.read_access(raw)
        return cls(claims.login, claims.user, claims.expires_at)

    def own(self, login: Login | None) -> Login | None:
        """A copy of that login, if it is the user's: others may show something else for it."""
        if login is None or login.user_id != self.user:
            return None
        own = copy(login)
        own.credential_ends_at = self.ends_at
        return own


class LoginManager(models.Manager.from_queryset(LoginQuerySet)):  # type: ignore[misc]
    @transaction.atomic
    def start(self, user: User, *, kind: Login.Kind) -> Login:
        """Sign `user` in. Raises Forbidden for robots, the system and the deactivated."""
        if not user.may_sign_in:
            raise Forbidden("This account cannot sign in.")
        here = origin.current()
        login: Login = self.create(
            user=user,
            kind=kind,
            auth_hash=user.get_session_auth_hash(),
            expires_at=timezone.now() + kind.lifetime(),
            address=here.address,
            user_agent=here.user_agent,
        )
        AuditEntry.objects.record(
            "login.started", on=user, by=user, after={"login": login.pk, "kind": kind.value}
        )
        return login

    def for_session(self, session: Mapping[str, Any]) -> Login | None:
        """The live login of a page's session, its user with it, in one query."""
        claim = Claim.of_session(session)
        return self.claimed([claim])[0] if claim else None

    def for_access_token(self, raw: str | bytes) -> Login:
        """The live login of an access token, its user with it, in one query.

        Its `credential_ends_at` is the token's end. Raises TokenInvalid.
        """
        (login,) = self.claimed([Claim.of_access_token(raw)])
        if login is None:
            raise TokenInvalid
        return login

    def claimed(self, claims: Sequence[Claim]) -> list[Login | None]:
        """The live login of each, its user with it, in one query; None where there is none."""
        live = self.live_among({claim.login for claim in claims})
        return [claim.own(live.get(claim.login)) for claim in claims]

    def live_among(self, ids: Collection[int]) -> dict[int, Login]:
        """The live ones of these logins by id, their users with them, in one query."""
        found = _live_logins(ids=ids, at=timezone.now()) if ids else ()
        return {login.pk: login for login in found if login.is_live()}


@prepared("ids", "at")
def _live_logins(ids: Collection[int], at: dt.datetime) -> models.QuerySet[Login]:
    found: LoginQuerySet = Login.objects.live(at).filter(pk__in=ids)
    return found


class Login(QuickRows):
    """One sign-in. Sessions, token pairs and tickets all hang on one, and end with it."""

    class Kind(models.TextChoices):
        SESSION = "session", "session"
        TOKEN = "token", "token pair"
        GUEST = "guest", "guest"

        def lifetime(self) -> dt.timedelta:
            """How long one lasts unless it is renewed."""
            lifetimes: dict[str, dt.timedelta] = {
                "session": settings.CHAT_SESSION_LIFETIME,
                "token": settings.CHAT_REFRESH_LIFETIME,
                "guest": settings.CHAT_GUEST_LIFETIME,
            }
            return lifetimes[self.value]

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="logins")
    kind = models.CharField(max_length=10, choices=Kind)
    auth_hash = models.CharField(max_length=128, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=origin.USER_AGENT_LENGTH, blank=True)

    objects = LoginManager()

    credential_ends_at: dt.datetime | None = None
    """Of what was shown for it: an access token ends sooner than its login."""

    class Meta:
        indexes = [
            models.Index(fields=["user", "ended_at"], name="login_user_ended"),
            models.Index(fields=["expires_at"], name="login_expires"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user} since {self.created_at:%Y-%m-%d %H:%M}"

    def as_it_is_now(self) -> Login | None:
        """The same login read again (it may have been renewed), or None if it is over."""
        login: Login | None = Login.objects.live().filter(pk=self.pk).first()
        return login if login is not None and login.is_live() else None

    def is_live(self) -> bool:
        """Not ended, not expired, its user active and with the password it began with."""
        return (
            self.ended_at is None
            and self.expires_at > timezone.now()
            and self.user.is_active
            and self._hash_holds()
        )

    def is_half_over(self) -> bool:
        """Time to renew it, if it is still used."""
        return self.expires_at - timezone.now() < self.Kind(self.kind).lifetime() / 2

    def _hash_holds(self) -> bool:
        hashes: Iterable[str] = (
            self.user.get_session_auth_hash(),
            *self.user.get_session_auth_fallback_hash(),
        )
        return any(constant_time_compare(self.auth_hash, known) for known in hashes)

    @transaction.atomic
    def end(self, *, by: User | None = None) -> None:
        """Sign out. Ending an ended login changes nothing."""
        if Login.objects.filter(pk=self.pk).end():
            AuditEntry.objects.record(
                "login.ended", on=self.user, by=by or self.user, before={"login": self.pk}
            )

    def renew(self) -> bool:
        """Let it last its whole lifetime from now on; False if it is over already."""
        self.expires_at = timezone.now() + self.Kind(self.kind).lifetime()
        renewed = Login.objects.live().filter(pk=self.pk).update(expires_at=self.expires_at)
        return bool(renewed)
