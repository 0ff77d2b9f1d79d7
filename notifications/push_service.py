"""Asking a push service, whose address a browser named: never one inside of our own network."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

TIMEOUT = 10
LONGEST = 1_000
"""Characters of an address."""


class Unreachable(Exception):
    """Nothing came of it; it may work later."""


def is_allowed(endpoint: str) -> bool:
    """Whether an address may be one of a push service, as far as its letters tell."""
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    if len(endpoint) > LONGEST or not endpoint.isascii() or not endpoint.isprintable():
        return False
    if not parts.hostname or parts.username or parts.password or " " in endpoint:
        return False
    if _is_own(parts):
        return parts.scheme in ("http", "https")
    return parts.scheme == "https" and port in (None, 443) and _may_be_public(parts.hostname)


def post(endpoint: str, body: bytes, headers: dict[str, str]) -> int:
    """Returns the status. No redirect is followed. Raises Unreachable."""
    if not is_allowed(endpoint):
        raise Unreachable("This address is not asked.")
    parts = urlsplit(endpoint)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        connection = _connect(parts)
        try:
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()
    except (OSError, HTTPException, UnicodeError) as problem:
        raise Unreachable(type(problem).__name__) from problem


def _connect(parts: SplitResult) -> HTTPConnection:
    """To an address that was looked at: asked again, a name server may say another."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not _is_own(parts) and not all(_is_public(str(place[0])) for *_, place in found):
        raise Unreachable("This address is inside of a network.")
    address: Any = found[0][4]
    wire = socket.create_connection(address[:2], TIMEOUT)
    if parts.scheme == "http":
        plain = HTTPConnection(host, port, timeout=TIMEOUT)
        plain.sock = wire
        return plain
    secured = HTTPSConnection(host, port, timeout=TIMEOUT)
    secured.sock = ssl.create_default_context().wrap_socket(wire, server_hostname=host)
    return secured


def _is_own(parts: SplitResult) -> bool:
    """One that the operator named."""
    return parts.netloc in settings.CHAT_PUSH_HOSTS


def _may_be_public(host: str) -> bool:
    try:
        return _is_public(host)
    except ValueError:
        return "." in host  # a name, which is looked up when it is asked


def _is_public(address: str) -> bool:
    place = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(place, "ipv4_mapped", None)
    return (mapped or place).is_global and not place.is_multicast
