"""Who comes through the door: a bearer token, a ticket, or a page's session from our own origin."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host
from django.utils import timezone

from accounts.errors import NotAuthenticated, TokenInvalid
from accounts.models import Claim, Login
from accounts.prepared import prepared


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    return {
        name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]
    }


class Shown(NamedTuple):
    """What whoever connects has to show for themselves."""

    kind: Literal["token", "ticket", "session"]
    value: str


def shown_by(headers: Mapping[str, str], query: Mapping[str, list[str]]) -> Shown:
    """The first that there is counts, and no other. Raises NotAuthenticated where nothing is."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Shown("token", token.strip())
    if "ticket" in query:
        return Shown("ticket", query["ticket"][0])
    session = _session_of(headers)
    if session is None:
        raise NotAuthenticated
    return Shown("session", session)


def authenticate(shown: Sequence[Shown]) -> list[Login | Exception]:
    """The live login of each, NotAuthenticated where there is none. One query for all sessions, and
    one for all logins. Tickets are used up: they are for `Ticket.objects.take`.
    """
    sessions = _sessions({one.value for one in shown if one.kind == "session"})
    claims = [_claim_of(one, sessions) for one in shown]
    logins = iter(Login.objects.claimed([claim for claim in claims if claim is not None]))
    return [(claim and next(logins)) or NotAuthenticated() for claim in claims]


def _claim_of(shown: Shown, sessions: Mapping[str, Mapping[str, Any]]) -> Claim | None:
    if shown.kind == "session":
        return Claim.of_session(sessions.get(shown.value, {}))
    try:
        return Claim.of_access_token(shown.value)
    except TokenInvalid:
        return None


def _sessions(keys: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """What is kept in those that are not over, by key: as `SessionStore` reads them one by one."""
    possible = [key for key in keys if key.isalnum()]  # others are none of Django's
    rows = _session_rows(keys=possible, at=timezone.now()) if possible else ()
    return {key: SessionStore().decode(data) for key, data in rows}


@prepared("keys", "at")
def _session_rows(keys: Collection[str], at: datetime) -> QuerySet[Session, tuple[str, str]]:
    found = Session.objects.filter(session_key__in=keys, expire_date__gt=at)
    return found.values_list("session_key", "session_data")


def _session_of(headers: Mapping[str, str]) -> str | None:
    """Browsers send the cookie from any page; only our own pages may use it."""
    if not _is_our_own(headers.get("origin", ""), headers.get("host", "")):
        return None
    # As pages are read: a cookie of somebody else that is none by the standard hides no other.
    return parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)


def _is_our_own(origin: str, host: str) -> bool:
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # Whoever sits between could make up a page of the same name that is not encrypted.
    schemes = ("https",) if settings.SESSION_COOKIE_SECURE else ("http", "https")
    return parts.scheme in schemes and parts.netloc.lower() == host.lower()
