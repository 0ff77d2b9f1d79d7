"""Between the network and litellm: text is taken out, and the truth is noted."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from robots import upstream
from robots.upstream import Sieve, Watch, seconds_of


async def nobody(text: str) -> None:
    pass


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    frame = {"id": "x", "object": "chat.completion.chunk", "choices": [choice], **more}
    return b"data: " + json.dumps(frame, ensure_ascii=False).encode() + b"\n\n"


def sieved(*blocks: bytes) -> tuple[bytes, str, Watch]:
    """What is handed on, what was text, and what was noted."""
    watch = Watch(nobody)
    sieve = Sieve(watch)
    pairs = [sieve.feed(block) for block in blocks]
    events = b"".join(events for events, _ in pairs) + sieve.rest()
    return events, "".join(text for _, text in pairs), watch


ROLE = chunk({"role": "assistant", "content": ""})
STOP = chunk({}, "stop")
USAGE = b'data: {"id": "x", "choices": [], "usage": {"prompt_tokens": 1}}\n\n'
DONE = b"data: [DONE]\n\n"
MESSAGE_START = b'event: message_start\ndata: {"type": "message_start"}\n\n'
MESSAGE_STOP = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'


def test_text_is_taken_out_and_all_else_stays_in_its_order() -> None:
    stream = [ROLE, chunk({"content": "Hello"}), chunk({"content": " you"}), STOP, USAGE, DONE]
    events, text, watch = sieved(b"".join(stream))
    assert text == "Hello you"
    assert events == ROLE + STOP + USAGE + DONE
    assert watch.ended
    assert watch.counted


@pytest.mark.parametrize(
    "event",
    [
        ROLE,
        chunk({"content": "Bye"}, "stop"),
        chunk({"content": "a", "tool_calls": [{"index": 0}]}),
        chunk({"reasoning_content": "hm"}),
        chunk({"content": "a"}, usage={"prompt_tokens": 1}),
        b": keep-alive\n\n",
        b"event: ping\ndata: {}\n\n",
        b"data: {\ndata: }\n\n",
        b'data: {"type": "content_block_delta", "delta": {"text": "a"}}\n\n',
        b'data: ["choices"]\n\n',
        b"retry: 1000\n\n",
    ],
)
def test_what_is_more_than_text_is_left_to_litellm(event: bytes) -> None:
    events, text, _ = sieved(chunk({"content": "a"}) + event + chunk({"content": "b"}))
    assert events == event
    assert text == "ab"


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_events_and_letters_may_be_torn_anywhere(newline: bytes, size: int) -> None:
    words = ["Grüße,", " 世界", " 🦜\n", "ça\r\nva?"]
    stream = b": hello\n\n" + ROLE + b"".join(chunk({"content": w}) for w in words) + STOP + DONE
    stream = stream.replace(b"\n", newline)
    events, text, watch = sieved(*(stream[i : i + size] for i in range(0, len(stream), size)))
    assert text == "".join(words)
    assert events == b": hello\n\n".replace(b"\n", newline) + b"".join(
        event.replace(b"\n", newline) for event in (ROLE, STOP, DONE)
    )
    assert watch.ended


def test_data_needs_no_space() -> None:
    events, text, _ = sieved(chunk({"content": "a"}).replace(b"data: ", b"data:", 1))
    assert (events, text) == (b"", "a")


def test_noise_and_advice_beside_the_text_are_not_in_its_way() -> None:
    event = chunk({"content": "a", "refusal": None}, obfuscation="xyz", usage=None)
    assert sieved(event)[1] == "a"


@pytest.mark.parametrize(
    ("stream", "ended"),
    [
        (ROLE + chunk({"content": "a"}), False),
        (ROLE + STOP, True),
        (ROLE + DONE, False),
        (MESSAGE_START, False),
        (MESSAGE_START + b"event: message_stop\n\n", False),
        (MESSAGE_START + MESSAGE_STOP, True),
        ((MESSAGE_START + MESSAGE_STOP).replace(b"\n", b"\r\n"), True),
        (b'data: {"candidates": [{"content": {}}]}\n\n', False),
        (b'data: {"candidates": [{"content": {}, "finishReason": "STOP"}]}\n\n', True),
        (b'data: {"other": 1}\n\n', None),
    ],
)
def test_whether_the_end_was_announced_is_noted(stream: bytes, ended: bool | None) -> None:
    assert sieved(stream)[2].ended is ended


def test_what_is_not_json_is_noted_and_handed_on() -> None:
    events, _, watch = sieved(b"data: {oh no\n\n")
    assert events == b"data: {oh no\n\n"
    assert watch.garbled


def test_what_never_ends_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "EVENT_MAX", 100)
    watch = Watch(nobody)
    sieve = Sieve(watch)
    assert sieve.feed(b"data: " + b"x" * 50) == (b"", "")
    events, _ = sieve.feed(b"x" * 50)
    assert len(events) == 106


def test_retry_after_is_seconds_or_a_date() -> None:
    assert seconds_of("7") == 7
    assert seconds_of("0.5") == 0.5
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 85 < (seconds_of(soon) or 0) <= 90
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert seconds_of("") is None
    assert seconds_of("soon") is None


class Blocks(httpx.AsyncByteStream):
    def __init__(self, *blocks: bytes, broken: bool = False) -> None:
        self.blocks, self.broken = blocks, broken
        self.closed = False

    async def __aiter__(self) -> Any:
        for block in self.blocks:
            yield block
        if self.broken:
            raise httpx.ReadError("It broke.")

    async def aclose(self) -> None:
        self.closed = True


class Canned(httpx.AsyncBaseTransport):
    def __init__(self, stream: Blocks, **headers: str) -> None:
        self.stream = stream
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=self.headers, stream=self.stream)


async def got(canned: Canned, watch: Watch | None) -> bytes:
    transport = upstream.Transport(lambda: canned)
    async with httpx.AsyncClient(transport=transport) as client:
        if watch is None:
            return (await client.get("http://provider/")).content
        with upstream.watched(watch):
            return (await client.get("http://provider/")).content


async def test_a_stream_tells_its_text_as_it_comes() -> None:
    heard: list[str] = []

    async def hear(text: str) -> None:
        heard.append(text)

    first, second = chunk({"content": "a"}) + chunk({"content": "b"}), chunk({"content": "c"})
    stream = Blocks(ROLE, first, second, STOP + DONE)
    canned = Canned(stream, content_type="text/event-stream; charset=utf-8")
    assert await got(canned, Watch(hear)) == ROLE + STOP + DONE
    assert heard == ["ab", "c"]


async def test_streams_are_read_at_a_pace_once_they_speak(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first words are told at once, the others one read a beat."""
    beats = 0
    heard: list[int] = []

    async def beat() -> None:
        nonlocal beats
        beats += 1

    async def hear(text: str) -> None:
        heard.append(beats)

    monkeypatch.setattr(upstream, "beat", beat)
    words = [chunk({"content": "a"})] * 4
    await got(Canned(Blocks(ROLE, ROLE, *words), content_type="text/event-stream"), Watch(hear))
    assert heard == [0, 1, 2, 3]


@pytest.mark.parametrize(("now", "then"), [(7.01, 7.05), (7.04, 7.05), (7.06, 7.1)])
async def test_beats_are_the_same_moments_for_all(
    monkeypatch: pytest.MonkeyPatch, now: float, then: float
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with monkeypatch.context() as stopped:
        stopped.setattr(asyncio.get_running_loop(), "time", lambda: now)
        stopped.setattr(asyncio, "sleep", sleep)
        await upstream.beat()
    assert slept == [pytest.approx(then - now)]


def test_every_loop_has_connections_of_its_own() -> None:
    made: list[Canned] = []

    def connect() -> Canned:
        made.append(Canned(Blocks(b"a")))
        return made[-1]

    transport = upstream.Transport(connect)

    async def ask() -> None:
        await transport.handle_async_request(httpx.Request("GET", "http://provider/"))

    loops = [asyncio.new_event_loop() for _ in range(2)]
    for loop in loops * 2:
        loop.run_until_complete(ask())
    assert len(made) == 2
    for loop in loops:
        loop.run_until_complete(transport.hang_up())
        loop.close()


async def test_an_end_that_is_announced_is_read_to(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Blocks(chunk({"content": "a"}) + STOP + DONE, b"\n", broken=True)
    watch = Watch(nobody)
    assert await got(Canned(stream, content_type="text/event-stream"), watch) == STOP + DONE


@pytest.mark.parametrize("kind", ["application/json", "text/html", "application/x-ndjson"])
async def test_what_is_no_stream_of_events_stays_as_it_is(kind: str) -> None:
    watch = Watch(nobody)
    assert await got(Canned(Blocks(chunk({"content": "a"})), content_type=kind), watch) == chunk(
        {"content": "a"}
    )
    assert watch.content_type == kind
    assert not watch.heard


async def test_what_is_compressed_stays_as_it_is() -> None:
    canned = Canned(
        Blocks(chunk({"content": "a"})), content_type="text/event-stream", content_encoding="zzz"
    )
    assert await got(canned, Watch(nobody)) == chunk({"content": "a"})


async def test_requests_nobody_watches_are_left_alone() -> None:
    canned = Canned(Blocks(chunk({"content": "a"})), content_type="text/event-stream")
    assert await got(canned, None) == chunk({"content": "a"})


async def test_a_stream_that_breaks_is_noted() -> None:
    watch = Watch(nobody)
    with pytest.raises(httpx.ReadError):
        await got(Canned(Blocks(ROLE, broken=True), content_type="text/event-stream"), watch)
    assert watch.broken


async def test_closing_the_watch_hangs_up_and_asks_nothing_more() -> None:
    watch = Watch(nobody)
    stream = Blocks(ROLE)
    await got(Canned(stream), watch)
    stream.closed = False
    await watch.close()
    assert stream.closed
    with pytest.raises(httpx.RequestError):
        await got(Canned(Blocks(ROLE)), watch)
