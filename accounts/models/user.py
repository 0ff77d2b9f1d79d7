"""Everybody who can be in a room: people, guests, customers, robots, and the system itself."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, TypedDict
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import ProhibitNullCharactersValidator, RegexValidator
from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import pictures, signals, time_zones
from accounts import status as statuses
from accounts.errors import Conflict, Forbidden, Invalid
from accounts.models.audit import AuditEntry
from accounts.models.login import Login
from accounts.roles import LADDER, SiteRole
from accounts.rows import QuickRows
from accounts.status import Status

NAME_MAX = 80
"""Characters."""

RESERVED_HANDLES = frozenset({"here", "everyone", "robots", "system"})
PROFILE = ("handle", "name", "email", "time_zone")
HANDLE = RegexValidator(
    r"\A[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?\Z",
    "A handle has 1 to 32 of a-z, 0-9, dot, hyphen and underscore, "
    "and begins and ends with a letter or digit.",
)


class PublicUser(TypedDict):
    """What everybody who meets a user may know of them."""

    id: int
    handle: str
    name: str
    kind: str
    avatar: str | None


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        """Handles are lower-case; people type them as they like."""
        return self.get(handle=(username or "").lower())

    @transaction.atomic
    def create_person(
        self,
        handle: str,
        name: str,
        password: str | None,
        role: SiteRole = SiteRole.MEMBER,
        *,
        email: str | None = None,
        by: User | None = None,
    ) -> User:
        """Add somebody with a password and a site role. Raises Invalid, with details by field."""
        user = self._create(User.Kind.PERSON, handle, name, password=password, email=email)
        user._take_role(role)
        AuditEntry.objects.record(
            "user.created", on=user, by=by, after={"kind": user.kind, "role": role.value}
        )
        return user

    def create_superuser(
        self, handle: str, password: str | None = None, *, name: str = "", email: str | None = None
    ) -> User:
        """Add a site admin whom no permission stops: `manage.py createsuperuser`."""
        user = self.create_person(handle, name or handle, password, SiteRole.ADMIN, email=email)
        user.is_superuser = True
        user.save(update_fields=["is_superuser"])
        return user

    def create_guest(self, name: str) -> User:
        """Add somebody who came by an invite link, with nothing but a name."""
        return self._create(User.Kind.GUEST, self._invented("guest"), name)

    def create_customer(self, name: str, *, email: str | None = None) -> User:
        """Add somebody who came through a support door."""
        return self._create(User.Kind.CUSTOMER, self._invented("customer"), name, email=email)

    def create_robot(self, handle: str, name: str) -> User:
        """Add the user that a robot speaks as."""
        return self._create(User.Kind.ROBOT, handle, name)

    def system(self) -> User:
        """The one user that speaks for the system."""
        user, _ = self.get_or_create(
            handle="system",
            defaults={"name": "System", "kind": User.Kind.SYSTEM, "password": "!"},
        )
        return user

    def status_over(self) -> models.QuerySet[User]:
        """Those whose status has ended, and is yet to be taken away."""
        return self.filter(status_until__lte=timezone.now())

    def sweep_statuses(self, most: int = 500) -> int:
        """Take away what has ended, and say so; `most` at a time. Returns how many."""
        over = list(self.status_over()[:most])
        for user in over:
            user.end_status()
        return len(over)

    def _create(
        self,
        kind: User.Kind,
        handle: str,
        name: str,
        *,
        password: str | None = None,
        email: str | None = None,
    ) -> User:
        user = self.model(kind=kind, handle=handle, name=name, email=email or None)
        user.set_password(password)
        user.save_checked()
        return user

    @staticmethod
    def _invented(prefix: str) -> str:
        return f"{prefix}-{secrets.token_hex(5)}"


class User(QuickRows, AbstractBaseUser, PermissionsMixin):
    """Somebody. What they may do on the site is their site role; in a room, their room role."""

    class Kind(models.TextChoices):
        PERSON = "person", "person"
        GUEST = "guest", "guest"
        CUSTOMER = "customer", "customer"
        ROBOT = "robot", "robot"
        SYSTEM = "system", "system"

    class LastAdmin(Conflict):
        """A site keeps at least one active admin."""

        code = "last_admin"
        message = "This is the last admin of the site."

    class WrongPassword(Invalid):
        """The current password was not given right."""

        message = "That is not your current password."

    handle = models.CharField(
        max_length=32,
        unique=True,
        validators=[HANDLE],
        error_messages={"unique": "This handle is taken."},
    )
    name = models.CharField(max_length=NAME_MAX, validators=[ProhibitNullCharactersValidator()])
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PERSON)
    email = models.EmailField(
        null=True,
        blank=True,
        unique=True,
        error_messages={"unique": "This address is used by somebody else."},
    )
    avatar = models.FileField(upload_to=pictures.path_for, blank=True)
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        validators=[time_zones.must_be_known],
        help_text="Shown to people you share rooms with, and used for quiet hours "
        "and times in mail.",
    )
    status_emoji = models.CharField(max_length=16, blank=True)
    status_text = models.CharField(max_length=statuses.LONGEST, blank=True)
    status_until = models.DateTimeField(null=True, blank=True)
    seen_on = models.DateField(
        null=True, blank=True, editable=False, help_text="When they were last here, by the day."
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_login = None  # every sign-in has its Login row

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "handle"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        permissions = [
            ("list_users", "Can find every person and robot of the site"),
            ("serve_customers", "Can find and enter support rooms"),
            ("supervise_agents", "Can be supervisor in support rooms"),
        ]
        indexes = [
            models.Index(fields=["name"], name="user_name"),
            models.Index(
                fields=["status_until"],
                name="user_status_until",
                condition=models.Q(status_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.handle

    def get_full_name(self) -> str:
        """The display name."""
        return self.name

    def get_short_name(self) -> str:
        """The handle."""
        return self.handle

    @property
    def zone(self) -> ZoneInfo:
        """Their time zone, or the site's where they chose none."""
        return time_zones.zone(self.time_zone)

    def public(self) -> PublicUser:
        """What everybody who meets them may know."""
        return {
            "id": self.pk,
            "handle": self.handle,
            "name": self.name,
            "kind": self.kind,
            "avatar": self.avatar_url,
        }

    @property
    def avatar_url(self) -> str | None:
        """Where their picture is, if they have one."""
        # As a field it would hold its user, and both would wait for Python's garbage collector.
        path = str(vars(self)["avatar"] or "")
        return reverse("avatar", args=[self.pk, pictures.name_of(path)]) if path else None

    @property
    def status(self) -> Status | None:
        """What they say of themselves just now, for those of whom `status.told_to` holds."""
        return statuses.encode(self.status_emoji, self.status_text, self.status_until)

    # Verbs

    @transaction.atomic
    def set_status(self, emoji: str, text: str, *, until: datetime | None, by: User) -> None:
        """Say this of oneself, until then. Without an emoji the words have that of speech.

        Raises Invalid, with details by field, Forbidden (guests and customers; others' at all).
        """
        if by != self or self.kind != User.Kind.PERSON:
            raise Forbidden("People of the site say of themselves how they are.")
        emoji, text = statuses.checked(emoji, text, until)
        self._put_status(emoji, text, until)

    @transaction.atomic
    def clear_status(self, *, by: User) -> None:
        """Say nothing any more. Raises Forbidden (others' by site admins alone)."""
        if by != self:
            by._must_be_admin()
        if self.status_emoji:
            self._put_status("", "", None)

    @transaction.atomic
    def end_status(self) -> None:
        """Take it away if it is over, unless a new one was set meanwhile."""
        fresh = User.objects.select_for_update(no_key=True).get(pk=self.pk)
        if fresh.status_emoji and fresh.status is None:
            fresh._put_status("", "", None)

    def _put_status(self, emoji: str, text: str, until: datetime | None) -> None:
        self.status_emoji, self.status_text, self.status_until = emoji, text, until
        self.save(update_fields=["status_emoji", "status_text", "status_until"])
        signals.status_changed.send(User, user=self)

    @transaction.atomic
    def set_site_role(self, role: SiteRole, *, by: User) -> None:
        """Make them a member, agent, supervisor or admin. Ends no login.

        Raises Forbidden (only site admins, only for people), User.LastAdmin.
        """
        by._must_be_admin()
        if self.kind != User.Kind.PERSON:
            raise Forbidden("Only people have a site role.")
        before = self.site_role
        if before == role:
            return
        self._must_not_be_last_admin(losing=before == SiteRole.ADMIN)
        self._take_role(role)
        AuditEntry.objects.record(
            "user.role_changed",
            on=self,
            by=by,
            before={"role": before.value if before else None},
            after={"role": role.value},
        )
        signals.site_role_changed.send(User, user=self, by=by)

    @transaction.atomic
    def change_password(self, raw: str, *, by: User, keep: Login | None = None) -> None:
        """Set a new password. All their logins end, but for `keep`.

        Raises Invalid (`details["password"]`), Forbidden (others' by site admins alone).
        """
        if by != self:
            by._must_be_admin()
        if not self.may_sign_in or self.kind != User.Kind.PERSON:
            raise Forbidden("This account has no password.")
        self.must_have_good(raw)
        self.set_password(raw)
        self.save(update_fields=["password"])
        if keep is not None:
            keep.auth_hash = self.get_session_auth_hash()
            keep.save(update_fields=["auth_hash"])
        self.logins.exclude(pk=keep.pk if keep else None).end()
        AuditEntry.objects.record("user.password_changed", on=self, by=by)

    def change_own_password(self, current: str, raw: str, *, keep: Login | None) -> None:
        """The same, by themselves. Raises User.WrongPassword (`details["current"]`), Invalid."""
        if not self.check_password(current):
            raise User.WrongPassword(details={"current": [User.WrongPassword.message]})
        self.change_password(raw, by=self, keep=keep)

    @transaction.atomic
    def deactivate(self, *, by: User) -> None:
        """Shut them out: every login ends now. Raises Forbidden, User.LastAdmin."""
        by._must_be_admin()
        if self.kind == User.Kind.SYSTEM:
            raise Forbidden("The system user stays.")
        if not self.is_active:
            return
        self._must_not_be_last_admin(losing=self.site_role == SiteRole.ADMIN)
        self._set_active(False, by=by)
        self.logins.end()

    @transaction.atomic
    def activate(self, *, by: User) -> None:
        """Let them in again; they sign in anew. Raises Forbidden."""
        by._must_be_admin()
        if not self.is_active:
            self._set_active(True, by=by)

    @transaction.atomic
    def update_profile(self, *, by: User, **changes: str | None) -> None:
        """Change `name`, `email` or `time_zone`, and as a site admin `handle`.

        What is the same is left alone.

        Raises Invalid, with details by field, Forbidden (others' by site admins alone).
        """
        if by != self or "handle" in changes:
            by._must_be_admin()
        before = {field: getattr(self, field) for field in changes if field in PROFILE}
        for field in before:
            setattr(self, field, changes[field])
        self.save_checked(update_fields=list(before))
        changed = [field for field in before if before[field] != getattr(self, field)]
        if changed:
            AuditEntry.objects.record(
                "user.profile_changed",
                on=self,
                by=by,
                before={field: before[field] for field in changed},
                after={field: getattr(self, field) for field in changed},
            )

    @transaction.atomic
    def set_avatar(self, upload: UploadedFile[Any] | None, *, by: User) -> None:
        """Show this picture (PNG, JPEG, GIF or WebP), or none. The old file goes after commit.

        Raises Invalid (`details["avatar"]`), Forbidden.
        """
        if by != self:
            by._must_be_admin()
        storage, old = self.avatar.storage, self.avatar.name
        self.avatar = pictures.checked(upload) if upload else None
        self.save(update_fields=["avatar"])
        if old:
            transaction.on_commit(lambda: storage.delete(old))

    def save_checked(self, update_fields: Sequence[str] | None = None) -> None:
        """Save if every field is fit, else raise Invalid with details by field."""
        self.email = (self.email or "").lower() or None
        try:
            self.full_clean(exclude=["password"])
            with transaction.atomic():
                self.save(update_fields=update_fields)
        except ValidationError as error:
            raise Invalid(details=error.message_dict) from error
        except IntegrityError as error:
            raise Invalid(details={"handle": ["This handle or address is taken."]}) from error

    def clean(self) -> None:
        """Reserved words are nobody's handle, but `system` the system's."""
        super().clean()
        if self.handle in RESERVED_HANDLES and self.kind != User.Kind.SYSTEM:
            raise ValidationError({"handle": "This handle is reserved."})

    def check_password(self, raw_password: str | None) -> bool:
        """Robots and the system have no password, whatever their row says.

        It is compared all the same: how long that takes tells nobody who they are.
        """
        fits = super().check_password(raw_password)
        return fits and self.may_sign_in

    def _set_active(self, active: bool, *, by: User) -> None:
        self.is_active = active
        self.save(update_fields=["is_active"])
        AuditEntry.objects.record(
            "user.activated" if active else "user.deactivated",
            on=self,
            by=by,
            before={"is_active": not active},
            after={"is_active": active},
        )

    def _take_role(self, role: SiteRole) -> None:
        """Be in the one group of `role`."""
        self.groups.remove(*Group.objects.filter(name__in=SiteRole.values))
        self.groups.add(Group.objects.get(name=role.value))
        self.forget_role()

    def forget_role(self) -> None:
        """Ask the database again for role and permissions, the next time."""
        for cache in ("site_role", "_perm_cache", "_user_perm_cache", "_group_perm_cache"):
            self.__dict__.pop(cache, None)

    def _must_be_admin(self) -> None:
        if self.kind != User.Kind.SYSTEM and not self.is_at_least(SiteRole.ADMIN):
            raise Forbidden("Only site admins may do that.")

    def _must_not_be_last_admin(self, *, losing: bool) -> None:
        """The group's row is locked first, so that two admins cannot oust each other at once."""
        if not losing:
            return
        Group.objects.select_for_update().get(name=SiteRole.ADMIN.value)
        is_admin = models.Q(groups__name=SiteRole.ADMIN.value) | models.Q(is_superuser=True)
        if not User.objects.filter(is_admin, is_active=True).exclude(pk=self.pk).exists():
            raise User.LastAdmin

    def must_have_good(self, raw: str) -> None:
        """Raise Invalid (`details["password"]`) unless it is fit to be their password."""
        try:
            validate_password(raw, self)
        except ValidationError as error:
            raise Invalid(details={"password": error.messages}) from error

    # Questions

    @cached_property
    def site_role(self) -> SiteRole | None:
        """The highest role they hold; None for all but people. One query, once."""
        if self.kind != User.Kind.PERSON:
            return None
        if self.is_superuser:
            return SiteRole.ADMIN
        held = set(self.groups.values_list("name", flat=True))
        return next((role for role in reversed(LADDER) if role.value in held), None)

    def is_at_least(self, role: SiteRole) -> bool:
        """Whether they are active and hold `role` or one above it."""
        return self.is_active and self.site_role is not None and self.site_role.includes(role)

    @property
    def is_staff(self) -> bool:
        """May enter the Django admin: site admins."""
        return self.is_at_least(SiteRole.ADMIN)

    @property
    def is_robot(self) -> bool:
        """Speaks by a language model."""
        return self.kind == User.Kind.ROBOT

    @property
    def may_sign_in(self) -> bool:
        """Robots and the system get no session, token or ticket; nor do the deactivated."""
        return self.is_active and self.kind not in (User.Kind.ROBOT, User.Kind.SYSTEM)

    logins: Any  # the reverse of Login.user; its queryset has `end()`
