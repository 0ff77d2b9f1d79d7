"""A provider of a language model that says when it said each word: OpenAI's API, over real HTTP.

`python -m benchmarks.provider PORT RATE THINKING`: RATE tokens a second, the first of them after
THINKING seconds. Asked about "stream NAME of N tokens", it says N tokens, each in a chunk of its
own that is written at once: its number, and the time in microseconds. GET /NAME,NAME,… tells what
was said. It does as little as can be, since it shares its core with those who listen.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256

import orjson
import uvloop

WIDTH = 15
"""Characters of a token, about four times those of real ones."""
CLOCK = 10**9
"""Microseconds after which the time in the tokens begins anew."""

ASKED = re.compile(r"stream (\S+) of (\d+) tokens")
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def now() -> int:
    return time.time_ns() // 1000


@dataclass
class Said:
    """What became of one request; times are in microseconds."""

    asked: int
    first: int = 0
    tokens: int = 0
    text: list[str] = field(default_factory=list)

    def told(self) -> dict[str, object]:
        text = "".join(self.text)
        return {**asdict(self), "text": None, "sha256": sha256(text.encode()).hexdigest()}


class Connection(asyncio.Protocol):
    said: dict[str, Said] = {}
    rate = 50.0
    thinking = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.received = b""
        self.saying: asyncio.Task[None] | None = None

    def connection_lost(self, error: Exception | None) -> None:
        if self.saying is not None:
            self.saying.cancel()

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        length = int(found[1]) if (found := LENGTH.search(head)) else 0
        if not end or len(body) < length:
            return
        self.received = b""
        if head.startswith(b"GET"):
            self.tell(head.split()[1].decode().strip("/").split(","))
        else:
            self.saying = asyncio.ensure_future(self.say(orjson.loads(body)))

    def tell(self, names: list[str]) -> None:
        told = {name: self.said[name].told() for name in names if name in self.said}
        body = json.dumps(told).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)

    async def say(self, request: dict) -> None:
        asked = ASKED.search(request["messages"][-1]["content"])
        said = self.said[asked[1]] = Said(now())
        self.transport.write(HEAD + framed(chunk({"role": "assistant", "content": ""})))
        before, after = chunk({"content": "@"}).split(b"@")
        async for token in self.tokens(said, int(asked[2])):
            self.transport.write(framed(before + token.encode() + after))
        end = chunk({}, finish="stop") + usage(said.tokens) + b"data: [DONE]\n\n"
        self.transport.write(framed(end) + framed(b""))

    async def tokens(self, said: Said, number: int) -> AsyncIterator[str]:
        """One after the other, each when it is due."""
        clock = asyncio.get_running_loop().time
        begin = clock() + self.thinking
        for n in range(number):
            await asyncio.sleep(begin + n / self.rate - clock())
            moment = now()
            said.first = said.first or moment
            said.tokens += 1
            said.text.append(f"{n:04d}:{moment % CLOCK:09d}{'.' if n == number - 1 else ' '}")
            yield said.text[-1]


def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def usage(tokens: int) -> bytes:
    told = {"prompt_tokens": 100, "completion_tokens": tokens, "total_tokens": 100 + tokens}
    return event({"choices": [], "usage": told})


def event(fields: dict[str, object]) -> bytes:
    frame = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "benchmark"}
    return b"data: %b\n\n" % orjson.dumps({**frame, **fields})


def framed(data: bytes) -> bytes:
    """As HTTP wants what has no length; nothing is the end."""
    return b"%x\r\n%b\r\n" % (len(data), data)


async def main() -> None:
    port, Connection.rate, Connection.thinking = int(sys.argv[1]), *map(float, sys.argv[2:])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
