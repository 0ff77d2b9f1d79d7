"""Asking a push service, whose address a browser named: never one inside of our own network."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

TIMEOUT = 10
"""Seconds to connect, and as many for all that follows."""
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
        wire = _connect(parts)
        with _deadline(wire):
            connection = _speak(wire, parts)
            try:
                connection.request("POST", path, body, headers)
                return connection.getresponse().status
            finally:
                connection.close()
    except (OSError, HTTPException, UnicodeError) as problem:
        raise Unreachable(type(problem).__name__) from problem


def _connect(parts: SplitResult) -> socket.socket:
    """To an address that was looked at: asked again, a name server may say another."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    if not _is_own(parts) and not all(_is_public(str(place[0])) for *_, place in found):
        raise Unreachable("This address is inside of a network.")
    address: Any = found[0][4]
    return socket.create_connection(address[:2], TIMEOUT)


@contextmanager
def _deadline(wire: socket.socket) -> Iterator[None]:
    """Cut the line once the time is up. A socket's own timeout begins anew at every byte, and who
    sends one now and then would hold a worker for days.
    """
    line = wire.dup()  # the wire itself is given away to TLS
    timer = threading.Timer(TIMEOUT, _cut, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        line.close()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _speak(wire: socket.socket, parts: SplitResult) -> HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        plain = HTTPConnection(host, parts.port)
        plain.sock = wire
        return plain
    secured = HTTPSConnection(host, parts.port)
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
