"""What a provider sends, between the network and litellm: read at a pace, sieved, remembered.

litellm takes 0.4 ms for a chunk, and providers send one a word. So the text of an answer is taken
out of the stream here, and litellm is handed what is left: how it begins, ends and is counted.
Streams are read twenty times a second, all at the same moments: what came meanwhile, at once.

What was seen here is the truth about an answer: litellm reports a stream that breaks off, or a
page of HTML, as an answer that went well.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from weakref import WeakKeyDictionary

import httpx
import orjson

PACE = 0.05
"""Seconds between two reads of a stream."""

EVENT_MAX = 4 * 1024 * 1024
"""Bytes; a longer event is not waited for."""

_BOUNDARY = re.compile(rb"\r?\n\r?\n")
BOUNDARY_MAX = 4
"""Bytes."""
_ADVICE = {"delta", "index", "content_filter_results", "content_filter_offsets"}
"""Fields of a choice that may stand beside text."""


async def beat() -> None:
    """Wait for the next moment at which streams are read: the same one for all, so that what they
    bring can be told together, right after it.
    """
    await asyncio.sleep(PACE - asyncio.get_running_loop().time() % PACE)


class Watch:
    """What was seen of the answer to one request. Its text is told to `hear` as it comes."""

    def __init__(self, hear: Callable[[str], Awaitable[None]]) -> None:
        self.hear = hear
        self.heard = False
        """Whether there was text for `hear`; text of other shapes goes through litellm."""
        self.asked = False
        """Whether a request was sent."""
        self.closed = False
        self.status = 0
        self.content_type = ""
        self.retry_after: float | None = None
        self.ended: bool | None = None
        """Whether the model said that it ended, which a mark at the end of a stream does not tell;
        None where the shape of the stream is not known."""
        self.counted = False
        """Whether the provider told how many tokens it took."""
        self.broken = False
        """It broke off."""
        self.garbled = False
        """There was something in it that is not JSON."""
        self.moved = 0.0
        """When something last came, by the clock of the loop."""
        self._stream: httpx.AsyncByteStream | None = None

    def note(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.content_type = response.headers.get("content-type", "").partition(";")[0].lower()
        self.retry_after = seconds_of(response.headers.get("retry-after", ""))
        if isinstance(response.stream, httpx.AsyncByteStream):
            self._stream = response.stream

    def note_event(self, event: dict[str, Any]) -> None:
        end = _is_end(event)
        if end is not None:
            self.ended = self.ended or end
        self.counted = self.counted or bool(event.get("usage"))

    def must_be_open(self) -> None:
        """Raises httpx.RequestError when nobody listens any more."""
        if self.closed:
            raise httpx.RequestError("Nobody listens any more.")

    async def close(self) -> None:
        """Hang up, if that was not done yet."""
        self.closed = True
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()


_watching: ContextVar[Watch | None] = ContextVar("watching", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Requests sent in here are noted by `watch`."""
    token = _watching.set(watch)
    try:
        yield
    finally:
        _watching.reset(token)


def seconds_of(header: str) -> float | None:
    """How long a Retry-After asks to wait: it is a number of seconds or a date (RFC 9110)."""
    if re.fullmatch(r"\d+(\.\d+)?", header):
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


class Transport(httpx.AsyncBaseTransport):
    """The one way out for every client litellm makes, with connections of its own for each loop.

    Closing a client does not close it: litellm drops and remakes clients as it likes.
    """

    def __init__(self, connect: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._connect = connect
        self._inner: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncBaseTransport] = (
            WeakKeyDictionary()
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # What is compressed could not be joined.
        request.headers["accept-encoding"] = "identity"
        inner = self._of_this_loop()
        watch = _watching.get()
        if watch is None:
            return await inner.handle_async_request(request)
        watch.must_be_open()
        watch.asked = True
        # Whoever listens looks at the clock; aiohttp would set a timer anew for every token.
        request.extensions["timeout"] = {**request.extensions.get("timeout", {}), "read": None}
        response = await inner.handle_async_request(request)
        watch.note(response)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _stream(response.stream, response, watch)
        return response

    def _of_this_loop(self) -> httpx.AsyncBaseTransport:
        loop = asyncio.get_running_loop()
        if loop not in self._inner:
            self._inner[loop] = self._connect()
        return self._inner[loop]

    async def hang_up(self) -> None:
        """Close the connections of the running loop."""
        if inner := self._inner.pop(asyncio.get_running_loop(), None):
            await inner.aclose()


def _stream(
    inner: httpx.AsyncByteStream, response: httpx.Response, watch: Watch
) -> httpx.AsyncByteStream:
    encoded = response.headers.get("content-encoding", "identity") != "identity"
    if watch.content_type == "text/event-stream" and not encoded:
        return _PacedStream(inner, watch)
    return _WatchedStream(inner, watch)


class _WatchedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    async def __aiter__(self) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        try:
            async for block in self._inner:
                self._watch.moved = clock()
                yield block
        except Exception:
            self._watch.broken = True
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()


class _PacedStream(_WatchedStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        sieve = Sieve(self._watch)
        blocks = super().__aiter__()
        async for block in blocks:
            events, text = sieve.feed(block)
            if text:
                await self._watch.hear(text)
            if sieve.done:
                await _finish(blocks)
            if events:
                yield events
            if sieve.speaking:
                await beat()
        if rest := sieve.rest():
            yield rest


async def _finish(blocks: AsyncIterator[bytes]) -> None:
    """Read on to the very end, which is close: then the connection can be used again."""
    try:
        async with asyncio.timeout(PACE):
            async for _ in blocks:
                pass
    except (TimeoutError, httpx.HTTPError):
        pass  # the answer is there


class Sieve:
    """Server-sent events in, as they come torn from the network; out, text, and all else.

    Text is what chunks of chat add that do nothing else. All else stays as it is, in its order.
    """

    def __init__(self, watch: Watch) -> None:
        self.speaking = False
        """Whether the first words have come and the end has not: from then to then, no haste."""
        self.done = False
        """Whether nothing more comes."""
        self._watch = watch
        self._torn = bytearray()

    def feed(self, block: bytes) -> tuple[bytes, str]:
        """Of `block`, and of what was torn before it, what is whole."""
        events, texts = [], []
        for event in self._whole(block):
            if text := _text(self._read(event)):
                texts.append(text)
            else:
                events.append(event)
        if len(self._torn) > EVENT_MAX:
            events.append(self.rest())
        self._watch.heard = self._watch.heard or bool(texts)
        self.speaking = self._watch.heard and not self._watch.ended
        return b"".join(events), "".join(texts)

    def rest(self) -> bytes:
        """What was never finished."""
        torn = bytes(self._torn)
        self._torn.clear()
        return torn

    def _whole(self, block: bytes) -> list[bytes]:
        """The events that are whole now, each with the blank line that ends it. What is torn is
        looked through but once: a picture comes in thousands of blocks.
        """
        seen, start, found = max(0, len(self._torn) - BOUNDARY_MAX), 0, []
        self._torn += block
        for end in [boundary.end() for boundary in _BOUNDARY.finditer(self._torn, seen)]:
            found.append(bytes(self._torn[start:end]))
            start = end
        del self._torn[:start]
        return found

    def _read(self, event: bytes) -> dict[str, Any]:
        """The JSON of a `data:` event; an empty one where it is anything else."""
        data = _data(event)
        if data is None:
            return {}
        if data == b"[DONE]":
            self.done = True
            return {}
        try:
            found = orjson.loads(data)
        except orjson.JSONDecodeError:
            self._watch.garbled = True
            return {}
        if not isinstance(found, dict):
            return {}
        self._watch.note_event(found)
        return found


def _data(event: bytes) -> bytes | None:
    """The data of an event that has one line of it, whatever else it says."""
    data = [line for line in event.splitlines() if line.startswith(b"data:")]
    return data[0][5:].strip() if len(data) == 1 else None


def _text(chunk: dict[str, Any]) -> str:
    """The text of a chunk of chat that is nothing but text."""
    match chunk:
        case {"choices": [{"delta": {"content": str() as text} as delta} as choice]}:
            more = any(value for name, value in delta.items() if name not in {"content", "role"})
            told = any(value for name, value in choice.items() if name not in _ADVICE)
            return "" if more or told or chunk.get("usage") else text
    return ""


def _is_end(event: dict[str, Any]) -> bool | None:
    """Whether an event announces the end of its answer; None if it is of no shape we know.

    Known are OpenAI's chat, Anthropic's messages and Gemini's candidates.
    """
    match event:
        case {"choices": [{"finish_reason": str()}, *_]}:
            return True
        case {"type": "message_stop"}:
            return True
        case {"candidates": [{"finishReason": str()}, *_]}:
            return True
        case {"choices": [_, *_]} | {"type": "message_start"} | {"candidates": [_, *_]}:
            return False
    return None
