"""What is left of a request."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from django.http.response import HttpResponseBase

from chatmanager.asgi import application


@pytest.fixture
def garbage() -> Iterator[list[Any]]:
    """All that nothing but the garbage collector finds, once it looked."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


async def ask(path: str, *, gone_after: str) -> list[dict[str, Any]]:
    """Have it answered, by a server that says that the client is gone once the answer has been."""
    said: list[dict[str, Any]] = []
    answered = asyncio.Event()
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in asked:
            return message
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)
        if message["type"] == gone_after:
            answered.set()

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await application(scope, receive, send)
    return said


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/login/", "/api/v1/rooms/"])
@pytest.mark.parametrize("gone_after", ["http.response.start", "http.response.body"])
async def test_nothing_is_left_of_a_request(garbage: list[Any], path: str, gone_after: str) -> None:
    said = await ask(path, gone_after=gone_after)
    assert said[0]["status"] in (200, 401)
    gc.collect()
    left = [one for one in garbage if issubclass(type(one), HttpResponseBase)]
    assert left == []
