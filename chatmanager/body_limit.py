"""No request is read beyond what the largest attachment needs.

Django spools bodies whole before any view sees them.
"""

from typing import Any

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    Scope,
)
from django.conf import settings
from django.http import JsonResponse

from accounts.errors import TooLarge


class BodyLimit:
    """Wraps the HTTP application; a body too large is 413, announced or found out while reading."""

    def __init__(self, app: ASGI3Application) -> None:
        self.app = app

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        limit: int = settings.CHAT_REQUEST_MAX_SIZE
        if _announced(scope) > limit:
            await _refuse(send)
            return
        taken = 0

        async def counted() -> ASGIReceiveEvent:
            nonlocal taken
            event = await receive()
            if event["type"] == "http.request":
                taken += len(event["body"])
                if taken > limit:
                    raise TooLarge
            return event

        try:
            await self.app(scope, counted, send)
        except TooLarge:
            # Only `counted` raises it here: a view's is answered by Django, and the body is read
            # before any view.
            await _refuse(send)


def _announced(scope: Any) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(send: ASGISendCallable) -> None:
    response = JsonResponse(TooLarge("This is more than may be sent at once.").body())
    await send(
        {
            "type": "http.response.start",
            "status": TooLarge.status,
            # The rest of the body stays unread, so the connection cannot be used again.
            "headers": [(b"content-type", b"application/json"), (b"connection", b"close")],
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": response.content, "more_body": False})
