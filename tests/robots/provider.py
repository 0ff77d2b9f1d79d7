"""A provider of language models that does what it is told: OpenAI's API over real HTTP.

Robots use it as model `openai/<anything>` with `api_base=provider.url`. What it does is said by
the scripts queued for that model (`provider.script("slow", Script(…), Script(…))`: one a request,
the last one stays), or by a model named after one of `NAMED`, else it says hello.
"""

import asyncio
import json
import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from tests.process import PATIENCE


@dataclass
class Request:
    """One request as it came, and what became of it (times are `time.monotonic()`)."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float = field(default_factory=time.monotonic)
    words: int = 0
    """How many were sent."""
    tokens: int = 0
    """What the provider said that it took, in and out."""
    finished: float | None = None
    gone: float | None = None
    """When the client went away before the answer was complete."""

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def question(self) -> str:
        """What was said last."""
        return str(self.body["messages"][-1]["content"])


@dataclass(frozen=True, kw_only=True)
class Script:
    """What to do with one request."""

    text: str | Callable[[Request], str] = "Hello from the provider, word by word."
    letters: bool = False
    """One at a time, in place of words."""
    pace: float = 0
    """Words a second; 0 is all at once."""
    hurry: threading.Event | None = None
    """What ends that: then all the rest is said at once."""
    status: int = 200
    error: str = ""
    """OpenAI's code of an error, sent with a status other than 200."""
    retry_after: str = ""
    body: str = ""
    """Sent as it is, in place of an answer."""
    content_type: str = ""
    hang: Literal["", "first", "middle"] = ""
    """Say nothing more, before the first byte or after half of the words."""
    until: threading.Event | None = None
    """What ends that: then all the rest is said."""
    cut: Literal["", "first", "middle"] = ""
    """Close the connection: before the first byte, or after half of the words."""
    thinking: float = 0
    """Seconds of keep-alive comments before the first word."""
    finish: str | None = "stop"
    done: bool = True
    usage: bool = True
    tear: bool = False
    """Write byte by byte, so that events and letters are torn apart."""


POLL = 0.02
"""Seconds for which a thread waits for a test to go on: what is cancelled lets go of it."""

HTML = "<!doctype html><title>Sign in</title><p>Please sign in to the proxy.</p>"

NAMED: dict[str, Script] = {
    "busy": Script(status=429, error="rate_limit_exceeded"),
    "busy-a-moment": Script(status=429, error="rate_limit_exceeded", retry_after="0.3"),
    "busy-for-long": Script(status=429, error="rate_limit_exceeded", retry_after="60"),
    "broken": Script(status=500, error="server_error"),
    "hang-first": Script(hang="first"),
    "hang-middle": Script(hang="middle"),
    "cut-first": Script(cut="first"),
    "cut-middle": Script(cut="middle"),
    "html": Script(body=HTML, content_type="text/html; charset=utf-8"),
    "not-json": Script(body="data: {oh no\n\n", content_type="text/event-stream"),
    "empty": Script(text=""),
    "no-finish": Script(finish=None),
    "no-end": Script(finish=None, done=False),
    "overflow": Script(status=400, error="context_length_exceeded"),
    "bad-key": Script(status=401, error="invalid_api_key"),
    "unknown": Script(status=404, error="model_not_found"),
    "bad-request": Script(status=400, error="invalid_value"),
    "filtered": Script(status=400, error="content_policy_violation"),
    "filtered-middle": Script(finish="content_filter"),
    "too-long": Script(finish="length"),
    "torn": Script(text="Grüße, 世界 🦜 – ça va?", tear=True),
}

_SENTENCES = {
    "context_length_exceeded": "This model's maximum context length is 8192 tokens. However, your "
    "messages resulted in 9000 tokens. Please reduce the length of the messages.",
    "invalid_api_key": "Incorrect API key provided: {key}. You can find your API key at …",
    "model_not_found": "The model `{model}` does not exist or you do not have access to it.",
    "content_policy_violation": "Your request was rejected as a result of our safety system "
    "(content_policy_violation).",
}
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many"}


class Provider:
    """Serves in a thread of its own from `with` to its end."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.accepted = 0
        """Connections."""
        self.url = ""
        self._scripts: dict[str, deque[Script]] = defaultdict(deque)
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="provider", daemon=True)

    # For tests

    def script(self, model: str, *scripts: Script, times: int = 1) -> None:
        """Queue what to do with the next requests for that model; the last one stays."""
        for script in scripts:
            self._scripts[model].extend([script] * times)

    def answers(self, model: str, text: str | Callable[[Request], str], **changes: Any) -> None:
        """Say that to every request for that model."""
        self._scripts[model] = deque([Script(text=text, **changes)])

    def asked(self, model: str) -> list[Request]:
        return [request for request in self.requests if request.model == model]

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    # The server

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()
        self._server.close()
        for task in self._connections:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._connections, return_exceptions=True))
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._port, backlog=1024
        )
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self.accepted += 1
        try:
            first = await reader.read(1)
            while first:
                first = await self._converse(first, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes:
        """Answer one request. Returns the first byte of the next one, or none."""
        request = await _read(first, reader)
        self.requests.append(request)
        following = asyncio.ensure_future(reader.read(1))
        answering = asyncio.ensure_future(self._answer(request, writer))
        try:
            await asyncio.wait([following, answering], return_when=asyncio.FIRST_COMPLETED)
            if not answering.done() or isinstance(answering.exception(), ConnectionError):
                request.gone = time.monotonic()
                return b""
            if request.finished is None or answering.exception():
                writer.transport.abort()
                return b""
            return await following
        finally:
            answering.cancel()
            following.cancel()

    def _next_script(self, model: str) -> Script:
        queued = self._scripts.get(model)
        if not queued:
            return NAMED.get(model, Script())
        return queued.popleft() if len(queued) > 1 else queued[0]

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Without a `finished` at the end, the connection is cut."""
        script = self._next_script(request.model)
        if "first" in {script.hang, script.cut} and not await _goes_on(script):
            return
        if script.status != 200 or script.body:
            _write_whole(writer, script, request)
        elif request.body.get("stream"):
            async for event in self._events(request, script):
                await _write_chunk(writer, event, tear=script.tear)
            if script.cut:
                return
            writer.write(b"0\r\n\r\n")
        else:
            _write_json(writer, 200, _completion(request, script))
        await writer.drain()
        request.finished = time.monotonic()

    async def _events(self, request: Request, script: Script) -> AsyncIterator[bytes]:
        yield _HEAD
        yield _event(request, {"role": "assistant", "content": ""})
        text = script.text(request) if callable(script.text) else script.text
        words = re.findall(r"\s*\S+", text) or ([text] if text else [])
        words = list(text) if script.letters else words
        middle = max(1, len(words) // 2) if "middle" in {script.hang, script.cut} else 0
        for _ in range(int(script.thinking / 0.1)):
            yield b": thinking\n\n"
            await asyncio.sleep(0.1)
        start = time.monotonic()
        for number, word in enumerate(words):
            if script.pace and not (script.hurry and script.hurry.is_set()):
                await asyncio.sleep(start + number / script.pace - time.monotonic())
            request.words += 1
            yield _event(request, {"content": word})
            if number + 1 == middle and not await _goes_on(script):
                return
        if script.finish:
            yield _event(request, {}, finish=script.finish)
        if script.usage and (request.body.get("stream_options") or {}).get("include_usage"):
            usage = _usage(request, text)
            request.tokens = usage["total_tokens"]
            yield _data({**_frame(request), "choices": [], "usage": usage})
        if script.done:
            yield b"data: [DONE]\n\n"


_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


async def _goes_on(script: Script) -> bool:
    """Once it has hung for as long as it was told to."""
    if script.cut == "middle":
        await asyncio.sleep(1)  # cut at once, what was said last is lost where it was not read
    if script.hang and script.until is None:
        await asyncio.Event().wait()  # until whoever asked hangs up, or the provider ends
    while script.until and not await asyncio.to_thread(script.until.wait, POLL):
        pass
    return bool(script.hang)


async def _read(first: bytes, reader: asyncio.StreamReader) -> Request:
    head = first + await reader.readuntil(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    pairs = [one.split(":", 1) for one in lines if one]
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(path=line.split()[1], headers=headers, body=json.loads(body or b"{}"))


async def _write_chunk(writer: asyncio.StreamWriter, data: bytes, *, tear: bool) -> None:
    if data is _HEAD:
        writer.write(data)
    elif tear:
        for number in data:
            writer.write(b"1\r\n%c\r\n" % number)
            await writer.drain()
            await asyncio.sleep(0.0002)
    else:
        writer.write(b"%x\r\n%b\r\n" % (len(data), data))
    await writer.drain()


def _write_whole(writer: asyncio.StreamWriter, script: Script, request: Request) -> None:
    if script.body:
        _write(writer, script.status, script.body.encode(), script.content_type)
        return
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    sentence = _SENTENCES.get(script.error, "Something is wrong.")
    sentence = sentence.format(key=key, model=request.model)
    error = {"message": sentence, "type": script.error, "param": None, "code": script.error}
    _write_json(writer, script.status, {"error": error}, retry_after=script.retry_after)


def _write_json(
    writer: asyncio.StreamWriter, status: int, answer: dict[str, Any], *, retry_after: str = ""
) -> None:
    _write(writer, status, json.dumps(answer).encode(), "application/json", retry_after)


def _write(
    writer: asyncio.StreamWriter, status: int, body: bytes, kind: str, retry_after: str = ""
) -> None:
    lines = [
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}",
        f"Content-Type: {kind or 'text/plain'}",
        f"Content-Length: {len(body)}",
        *([f"Retry-After: {retry_after}"] if retry_after else []),
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)


def _frame(request: Request) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{id(request)}",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": request.model,
        "system_fingerprint": "fp_test",
    }


def _event(request: Request, delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _data({**_frame(request), "choices": [choice]})


def _data(frame: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(frame, ensure_ascii=False)}\n\n".encode()


def _usage(request: Request, text: str) -> dict[str, int]:
    tokens_in = sum(len(str(m["content"]).split()) for m in request.body["messages"])
    tokens_out = len(text.split())
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }


def _completion(request: Request, script: Script) -> dict[str, Any]:
    text = script.text(request) if callable(script.text) else script.text
    request.words = len(text.split())
    message = {"role": "assistant", "content": text}
    return {
        **_frame(request),
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": script.finish}],
        "usage": _usage(request, text),
    }
