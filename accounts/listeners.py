"""What accounts hears: Django's own news of migrations and sign-ins."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.apps import apps as all_apps
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Q
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import AuditEntry, Login, User
from accounts.models.login import SESSION_LOGIN_KEY
from accounts.roles import LADDER, SiteRole, permissions_of

USERNAME_KEPT = 64


@receiver(post_migrate, dispatch_uid="accounts.make_site_roles")
def make_site_roles(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Make the groups, and give them what this app brings; also after a flush.

    It only adds: what an operator has given to a group besides stays given.
    """
    if app_config.models_module is None or not _groups_are_there(kwargs.get("apps", all_apps)):
        return
    create_permissions(app_config, using=using, **kwargs)  # ours may be heard before Django's
    brought = Permission.objects.using(using).filter(content_type__app_label=app_config.label)
    for role in LADDER:
        group, _ = Group.objects.using(using).get_or_create(name=role.value)
        group.permissions.add(*_for_role(role, brought))


def _groups_are_there(apps: Apps) -> bool:
    """Not while only some apps are migrated."""
    try:
        apps.get_model("auth", "Group")
    except LookupError:
        return False
    return True


def _for_role(role: SiteRole, brought: Any) -> Any:
    if role is SiteRole.ADMIN:
        return brought
    names = [name.split(".") for name in permissions_of(role)]
    wanted = Q(pk__in=[])
    for app_label, codename in names:
        wanted |= Q(content_type__app_label=app_label, codename=codename)
    return brought.filter(wanted)


@receiver(user_logged_in, dispatch_uid="accounts.begin_login")
def begin_login(request: HttpRequest, user: User, **_: object) -> None:
    """Whatever page signed somebody in, its session hangs on a login. Raises Forbidden."""
    guest = user.kind == User.Kind.GUEST
    kind = Login.Kind.GUEST if guest else Login.Kind.SESSION
    login = Login.objects.start(user, kind=kind)
    request.session[SESSION_LOGIN_KEY] = login.pk
    if guest:
        request.session.set_expiry(int(kind.lifetime().total_seconds()))


@receiver(user_logged_out, dispatch_uid="accounts.end_login")
def end_login(request: HttpRequest, user: User | None, **_: object) -> None:
    """The session's login goes with it."""
    login = Login.objects.for_session(request.session)
    if login is not None:
        login.end()


@receiver(user_login_failed, dispatch_uid="accounts.record_failure")
def record_failure(
    credentials: dict[str, Any], request: HttpRequest | None = None, **_: object
) -> None:
    """Write a failed sign-in down. Those during a lockout are refused unread, and not written."""
    if _was_refused_unread(request):
        return
    username = str(credentials.get("username", ""))[:USERNAME_KEPT].replace("\0", "").lower()
    target = User.objects.filter(handle=username).first()
    AuditEntry.objects.record("login.failed", on=target, by=None, after={"username": username})


def _was_refused_unread(request: HttpRequest | None) -> bool:
    """Locked out by django-axes before this try; the try that locks is counted, and read."""
    counted = getattr(request, "axes_failures_since_start", None)
    return getattr(request, "axes_locked_out", False) and not counted
