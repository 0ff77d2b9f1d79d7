"""A request is not read beyond what the largest attachment needs."""

import json
from collections.abc import Iterable
from typing import Any

from chatmanager.body_limit import BodyLimit


async def call(parts: Iterable[bytes], headers: Iterable[tuple[bytes, bytes]] = ()) -> list[Any]:
    """What the application behind the limit answers: the number of bytes it was handed."""
    waiting = [*parts]
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        length = 0
        more = True
        while more:
            event = await receive()
            length += len(event["body"])
            more = event["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % length})

    async def receive() -> Any:
        part = waiting.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    async def send(event: Any) -> None:
        sent.append(event)

    scope: Any = {"type": "http", "headers": [*headers]}
    await BodyLimit(application)(scope, receive, send)
    return sent


async def test_what_fits_goes_through(settings: Any) -> None:
    settings.CHAT_REQUEST_MAX_SIZE = 10
    start, body = await call([b"12345", b"67890"], [(b"content-length", b"10")])
    assert (start["status"], body["body"]) == (200, b"10")


async def test_what_is_announced_too_large_is_not_read(settings: Any) -> None:
    settings.CHAT_REQUEST_MAX_SIZE = 10
    start, body = await call([], [(b"content-length", b"11")])
    assert start["status"] == 413
    assert json.loads(body["body"])["error"]["code"] == "too_large"


async def test_what_turns_out_too_large_is_refused(settings: Any) -> None:
    settings.CHAT_REQUEST_MAX_SIZE = 10
    start, _ = await call([b"12345", b"67890", b"1"])
    assert start["status"] == 413
