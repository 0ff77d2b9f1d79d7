"""Attached files, handed to those who may see their messages, in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import IO

from django.contrib.auth.views import redirect_to_login
from django.core.files.base import File
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.errors import NotAuthenticated, NotFound
from accounts.models import Login, User
from messages.models import Attachment

PIECE = 64 * 1024
BEARER = "bearer "
# Whatever a file holds, a browser that opens it runs nothing of it and asks for nothing.
LOCKED_UP = "sandbox; default-src 'none'"


@require_safe
def attachment(request: HttpRequest, attachment: int, name: str) -> HttpResponseBase:
    """The file; `name` is only what it is saved as. Raises NotFound, NotAuthenticated."""
    user = _reader(request)
    if user is None:
        if not request.accepts("text/html"):
            raise NotAuthenticated
        return redirect_to_login(request.get_full_path())
    found = Attachment.objects.visible_to(user).filter(pk=attachment).first()
    if found is None:
        raise NotFound
    try:
        content = found.file.open("rb")
    except FileNotFoundError as error:
        raise NotFound from error
    response = _streamed(request, content)
    disposition = content_disposition_header(as_attachment=not found.is_inline, filename=found.name)
    response["Content-Type"] = found.type
    response["Content-Length"] = str(found.size)
    response["Content-Disposition"] = disposition or "inline"
    response["Content-Security-Policy"] = LOCKED_UP
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private"
    return response


def _reader(request: HttpRequest) -> User | None:
    """Who asks, by access token or session. Raises TokenInvalid."""
    header = request.headers.get("Authorization", "")
    if header.lower().startswith(BEARER):
        return Login.objects.for_access_token(header[len(BEARER) :].strip()).user
    return request.user if isinstance(request.user, User) else None


def _streamed(request: HttpRequest, content: File[bytes]) -> StreamingHttpResponse:
    """A synchronous iterator would be read whole before ASGI sends the first byte."""
    if not isinstance(request, ASGIRequest):
        return FileResponse(content)
    response = StreamingHttpResponse(_pieces(content))
    response._resource_closers.append(content.close)  # type: ignore[attr-defined]  # also where nobody reads on
    return response


async def _pieces(content: IO[bytes] | File[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(content.read, PIECE):
        yield piece
