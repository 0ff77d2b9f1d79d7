"""Who comes through the door: a bearer token, a ticket, or a page's session from our own origin."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host

from accounts.errors import NotAuthenticated
from accounts.models import Login, Ticket


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    return {
        name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]
    }


def authenticate(headers: Mapping[str, str], query: Mapping[str, list[str]]) -> Login:
    """The live login of whoever connects. Raises NotAuthenticated."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Login.objects.for_access_token(token.strip())
    if "ticket" in query:
        return Ticket.objects.take(query["ticket"][0])
    login = _by_session(headers)
    if login is None:
        raise NotAuthenticated
    return login


def _by_session(headers: Mapping[str, str]) -> Login | None:
    """Browsers send the cookie from any page; only our own pages may use it."""
    if not _is_our_own(headers.get("origin", ""), headers.get("host", "")):
        return None
    # As pages are read: a cookie of somebody else that is none by the standard hides no other.
    session = parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    if session is None:
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore(session)
    return Login.objects.for_session(store)


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
