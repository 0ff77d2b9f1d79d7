"""Where the work under way was asked from: set at each door, read by the audit and the logins."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

USER_AGENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """The other end: its address, and what its software calls itself."""

    address: str | None = None
    user_agent: str = ""


NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("accounts_origin", default=NOWHERE)


def current() -> Origin:
    """The origin of the request or frame being worked on; empty in tasks and commands."""
    return _origin.get()


@contextmanager
def coming_from(address: str | None, user_agent: str = "") -> Iterator[None]:
    """Everything done inside is done on behalf of `address`."""
    token = _origin.set(Origin(_parsed(address), user_agent[:USER_AGENT_LENGTH]))
    try:
        yield
    finally:
        _origin.reset(token)


def arrive(address: str | None, user_agent: str = "") -> None:
    """As `coming_from`, for the rest of the running task: a socket's."""
    _origin.set(Origin(_parsed(address), user_agent[:USER_AGENT_LENGTH]))


def client_address(request: HttpRequest) -> str | None:
    """The address of the client of a request."""
    return behind_proxies(
        request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
    )


def behind_proxies(remote: str, forwarded_for: str) -> str | None:
    """The client's address; X-Forwarded-For counts only behind CHAT_TRUSTED_PROXIES proxies.

    Each trusted proxy appends the address it was called from, so the client is the entry
    that many places from the right; everything left of it is the client's own invention.
    """
    proxies: int = getattr(settings, "CHAT_TRUSTED_PROXIES", 0)
    if proxies <= 0:
        return _parsed(remote)
    forwarded = [part.strip() for part in forwarded_for.split(",")]
    return _parsed(forwarded[-proxies] if len(forwarded) >= proxies else remote) or _parsed(remote)


def _parsed(address: str | None) -> str | None:
    try:
        return str(ipaddress.ip_address(address or ""))
    except ValueError:
        return None
