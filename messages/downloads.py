"""Attached files, handed to those who may see their messages, in pieces."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import IO

from django.contrib.auth.views import redirect_to_login
from django.core.files.base import File
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.errors import NotAuthenticated, NotFound
from accounts.models import Login, User
from messages.models import Attachment
from messages.sniffing import UNKNOWN

PIECE = 64 * 1024
BEARER = "bearer "
# Whatever a file holds, a browser that opens it runs nothing of it and asks for nothing.
LOCKED_UP = "sandbox; default-src 'none'"
THUMBNAIL_TYPE = "image/webp"
THUMBNAIL_AGE = 3600
"""Seconds for which the browser that was given a thumbnail does not ask for it again."""
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@require_safe
def attachment(request: HttpRequest, attachment: int, name: str) -> HttpResponseBase:
    """The file; `name` is only what it is saved as. Raises NotFound, NotAuthenticated."""
    return _answer(request, attachment, small=False)


@require_safe
def thumbnail(request: HttpRequest, attachment: int) -> HttpResponseBase:
    """A small copy of a picture. Raises NotFound (also where there is none), NotAuthenticated."""
    return _answer(request, attachment, small=True)


def _answer(request: HttpRequest, pk: int, *, small: bool) -> HttpResponseBase:
    user = _reader(request)
    if user is None:
        if not request.accepts("text/html"):
            raise NotAuthenticated
        return redirect_to_login(request.get_full_path())
    found = Attachment.objects.visible_to(user).filter(pk=pk).first()
    if found is None:
        raise NotFound
    response = _content(request, found, small=small)
    if response.status_code < 300:
        _describe(response, found, small=small)
    response["Cache-Control"] = f"private, max-age={THUMBNAIL_AGE}" if small else "private"
    patch_vary_headers(response, ["Authorization", "Cookie"])
    response["Content-Security-Policy"] = LOCKED_UP
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _describe(response: HttpResponseBase, found: Attachment, *, small: bool) -> None:
    """What is not shown or played here has no type that a browser could take it by."""
    offered = found.is_shown or found.is_played
    inline = content_disposition_header(
        as_attachment=not (small or found.is_shown), filename=found.name
    )
    response["Content-Type"] = THUMBNAIL_TYPE if small else found.type if offered else UNKNOWN
    response["Content-Disposition"] = "inline" if small else inline or "inline"


def _content(request: HttpRequest, found: Attachment, *, small: bool) -> HttpResponseBase:
    """All of it, the part that is asked for, or that nothing has changed."""
    stored = found.thumbnail if small else found.file
    etag = f'"{found.pk}{"-small" if small else ""}"'  # what is stored never changes
    if unchanged := get_conditional_response(request, etag=etag):
        return unchanged
    try:
        content: File[bytes] = stored.open("rb")
    except (FileNotFoundError, ValueError) as error:
        raise NotFound from error
    size = content.size
    part = range(size) if small else _part(request, size, etag)
    if part is None:
        content.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response = _streamed(request, content, part)
    if len(part) < size:
        response.status_code = 206
        response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(len(part))
    response["ETag"] = etag
    return response


def _part(request: HttpRequest, size: int, etag: str) -> range | None:
    """Which bytes to send; None where those asked for are not there. RFC 9110, section 14: a
    request for several parts may be answered with the whole.
    """
    asked = RANGE.fullmatch(request.headers.get("Range", ""))
    stale = request.headers.get("If-Range", etag) != etag
    if request.method != "GET" or stale or not asked or not any(asked.groups()):
        return range(size)
    first, last = asked.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    if last and first and int(last) < int(first):
        return range(size)
    return range(start, stop) if start < stop else None


def _reader(request: HttpRequest) -> User | None:
    """Who asks, by access token or session. Raises TokenInvalid."""
    header = request.headers.get("Authorization", "")
    if header.lower().startswith(BEARER):
        return Login.objects.for_access_token(header[len(BEARER) :].strip()).user
    return request.user if isinstance(request.user, User) else None


def _streamed(request: HttpRequest, content: File[bytes], part: range) -> StreamingHttpResponse:
    """A synchronous iterator would be read whole before ASGI sends the first byte."""
    content.seek(part.start)
    in_pieces = _pieces if isinstance(request, ASGIRequest) else _pieces_in_turn
    response = StreamingHttpResponse(in_pieces(content, len(part)))
    response._resource_closers.append(content.close)  # type: ignore[attr-defined]  # also where nobody reads on
    return response


async def _pieces(content: IO[bytes] | File[bytes], left: int) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(content.read, min(PIECE, left)):
        left -= len(piece)
        yield piece


def _pieces_in_turn(content: IO[bytes] | File[bytes], left: int) -> Iterator[bytes]:
    while piece := content.read(min(PIECE, left)):
        left -= len(piece)
        yield piece
