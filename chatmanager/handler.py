"""How requests of pages and API are handled: as Django does it, and leaving nothing behind.

What holds itself in a circle waits for Python's garbage collector, which looks through everything
rarely (`memory.py`): an answer of some megabytes would be kept for minutes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.http.response import HttpResponseBase

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Handler(ASGIHandler):
    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Until the client is gone, which it is in the end of every request. Django raises that,
        and passes it over in a frame which the error then holds, and which holds the error.
        Returning says the same.
        """
        try:
            await super().listen_for_disconnect(receive)
        except RequestAborted:
            return

    async def send_response(self, response: HttpResponseBase, send: Send) -> None:
        """An answer of the API knows its view, which knows the answer, the request and itself."""
        await super().send_response(response, send)
        context = vars(response).pop("renderer_context", None)
        if context is not None:
            vars(context["view"]).clear()
