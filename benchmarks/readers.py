"""Who asks robots and reads what they say: one socket in each room, all in one process.

`python -m benchmarks.readers --help`. First single questions are asked, one after the other; then
in every room one, spread over `--ramp` seconds, so that all are answered together for `--seconds`,
at whose beginning and end "begin" and "end" are printed to stderr. What was measured is printed as
JSON. A token's delay is from the provider's writing it to our having read it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.percentiles import spread
from benchmarks.provider import CLOCK, WIDTH, now

ALONE = 10
"""Questions asked while nothing else is."""
FEW = 5
"""Tokens of their answers."""
PATIENCE = 60.0
"""Seconds for the first of them: the model's client is imported for it."""
GRACE = 3.0
"""Seconds that all answers have after the last should have ended."""


class Reader:
    """One socket, and the answer to its last question. Times are in microseconds."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.frames = 0
        self.ask("", 0)

    def ask(self, name: str, tokens: int) -> str:
        """The frame that asks for a stream of that name."""
        self.name, self.wanted = name, tokens
        self.text = ""
        self.arrived: list[tuple[int, int]] = []
        """When it came, and how long it took, for each token."""
        self.faults: list[str] = []
        self.ended = asyncio.Event()
        self.asked_at = now()
        return self.question(f"stream {name} of {tokens} tokens")

    def question(self, text: str) -> str:
        raise NotImplementedError

    def hear(self, frame: dict[str, Any]) -> None:
        raise NotImplementedError

    async def listen(self, wire: ClientConnection) -> None:
        async for text in wire:
            self.frames += 1
            self.hear(orjson.loads(text))

    def take(self, offset: int, text: str) -> None:
        """Text from `offset` on, which must be where the text so far ends."""
        if offset != len(self.text):
            self.faults.append(f"{self.name}: {len(self.text)} characters, then the {offset}th")
            return
        self.text += text
        moment = now()
        for number in range(len(self.arrived), len(self.text) // WIDTH):
            start = number * WIDTH
            sent = int(self.text[start + 5 : start + WIDTH - 1])
            self.arrived.append((moment, (moment - sent) % CLOCK))

    def check(self, said: dict[str, Any]) -> None:
        """Hold what was heard against what the provider says it said."""
        if not self.ended.is_set():
            self.faults.append(f"{self.name}: {len(self.arrived)} of {self.wanted} tokens came")
        elif sha256(self.text.encode()).hexdigest() != said["sha256"]:
            self.faults.append(f"{self.name}: the text is not what was said")

    def waits(self, said: dict[str, Any], rate: float, at: int) -> Iterator[tuple[int, int]]:
        """When each token was said, and how long it took; those that did not come, until `at`."""
        for came, wait in self.arrived:
            yield came - wait, wait
        for number in range(len(self.arrived), said["tokens"]):
            due = said["first"] + round(number / rate * 1e6)
            yield due, at - due

    def first_added(self, said: dict[str, Any]) -> int:
        """From asking to the first token here, less what the provider took for it."""
        if not self.arrived:
            return int(PATIENCE * 1e6)
        return self.arrived[0][0] - self.asked_at - (said["first"] - said["asked"])


class Member(Reader):
    """Somebody in a room of ours, who puts text together as docs/protocol.md has it."""

    version = 0
    message: int | None = None

    def question(self, text: str) -> str:
        self.message, self.version, self.client_id = None, 0, str(uuid4())
        post = {"room": self.room, "client_id": self.client_id, "body": f"@echo {text}"}
        return orjson.dumps({"type": "post", **post}).decode()

    def hear(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "messages":
                for message in frame["messages"]:
                    self.see(message)
            case "delta" if frame["message"] == self.message:
                self.take(frame["offset"], frame["text"])
            case "error" | "bye":
                self.faults.append(f"{self.name}: {frame}")

    def see(self, message: dict[str, Any]) -> None:
        quoted = message["reply_to"]
        is_mine = quoted and f"stream {self.name} of" in quoted["excerpt"]
        if not is_mine or message["version"] < self.version:
            return
        self.message, self.version = message["id"], message["version"]
        if not message["body"].startswith(self.text):
            self.faults.append(f"{self.name}: the message is not what its deltas said")
        self.take(len(self.text), message["body"][len(self.text) :])
        if message["status"] != "streaming":
            if message["status"] != "complete":
                self.faults.append(f"{self.name}: {message['data']['reply']['error']}")
            self.ended.set()


class Visitor(Reader):
    """Who asks the plain relay: see peers/relay."""

    def question(self, text: str) -> str:
        return orjson.dumps({"question": text}).decode()

    def hear(self, frame: dict[str, Any]) -> None:
        if "end" in frame:
            self.ended.set()
        else:
            self.take(len(self.text), frame["token"])


class Audience:
    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.whole = asked.ramp + asked.seconds
        self.wires: list[ClientConnection] = []
        self.readers: list[Reader] = []
        self.tasks: list[asyncio.Task[None]] = []
        """Else they could be collected."""

    async def come_in(self) -> None:
        kind = {"chat": Member, "relay": Visitor}[self.asked.protocol]
        for line in self.asked.seats.read_text().splitlines():
            room, path, token = line.split()
            wire = await connect(
                f"ws://127.0.0.1:{self.asked.port}{path}",
                additional_headers={"Authorization": f"Bearer {token}"},
                compression=None,
                proxy=None,
                max_size=None,
            )
            reader = kind(int(room))
            self.wires.append(wire)
            self.readers.append(reader)
            self.tasks.append(asyncio.create_task(reader.listen(wire)))

    async def ask(self, number: int, name: str, tokens: int) -> Reader:
        reader = self.readers[number]
        await self.wires[number].send(reader.ask(name, tokens))
        return reader

    async def ask_alone(self) -> list[float]:
        """Milliseconds added to the first token of answers that are written alone."""
        waits = []
        for n in range(ALONE + 1):
            reader = await self.ask(n % len(self.readers), f"alone-{n}", FEW)
            await asyncio.wait_for(reader.ended.wait(), PATIENCE)
            (said,) = (await self.said([reader])).values()
            reader.check(said)
            if reader.faults:
                raise SystemExit("\n".join(reader.faults))
            waits.append(reader.first_added(said) / 1000)
            await asyncio.sleep(0.1)  # what follows an answer is not to wait for
        return waits[1:]

    async def ask_all(self) -> None:
        """One question in each room; returns when all are answered, or should have been."""
        self.began = time.monotonic()
        asking = [asyncio.create_task(self._ask_when_due(n)) for n in range(len(self.readers))]
        await self._until(self.asked.ramp)
        self.frames = -sum(reader.frames for reader in self.readers)
        self.window, cpu = [now(), 0], time.process_time()
        print("begin", file=sys.stderr, flush=True)
        await self._until(self.whole)
        self.frames += sum(reader.frames for reader in self.readers)
        self.window[1], self.cpu = now(), time.process_time() - cpu
        print("end", file=sys.stderr, flush=True)
        await asyncio.wait([asyncio.create_task(self._answered(task)) for task in asking])
        self.ended = now()

    async def _ask_when_due(self, number: int) -> Reader:
        await self._until(number * self.asked.ramp / len(self.readers))
        tokens = round(self.asked.rate * self.whole)
        return await self.ask(number, f"{self.asked.port}-{number}", tokens)

    async def _answered(self, asking: asyncio.Task[Reader]) -> None:
        try:
            async with asyncio.timeout_at(self._moment(self.asked.ramp + self.whole + GRACE)):
                await (await asking).ended.wait()
        except TimeoutError:
            pass  # `check` tells

    async def _until(self, seconds: float) -> None:
        await asyncio.sleep(self.began + seconds - time.monotonic())

    def _moment(self, seconds: float) -> float:
        loop = asyncio.get_running_loop()
        return loop.time() + self.began + seconds - time.monotonic()

    async def said(self, readers: Sequence[Reader]) -> dict[str, dict[str, Any]]:
        """What the provider says it said to these."""
        names = ",".join(reader.name for reader in readers)
        return await asyncio.to_thread(fetch, f"{self.asked.provider}/{names}")

    async def result(self) -> dict[str, Any]:
        said = await self.said(self.readers)
        mute = [reader for reader in self.readers if reader.name not in said]
        heard = [reader for reader in self.readers if reader.name in said]
        for reader in heard:
            reader.check(said[reader.name])
        waits = [
            told
            for reader in heard
            for told in reader.waits(said[reader.name], self.asked.rate, self.ended)
        ]
        firsts = [reader.first_added(said[reader.name]) for reader in heard]
        firsts += [self.ended - reader.asked_at for reader in mute]
        begin, end = self.window
        seconds = (end - begin) / 1e6
        came = sum(begin <= at < end for reader in heard for at, _ in reader.arrived)
        faults = [fault for reader in self.readers for fault in reader.faults]
        return {
            "tokens_per_s": came / seconds,
            "offered_per_s": self.asked.rate * len(self.readers),
            "frames_per_s": self.frames / seconds,
            **spread("delay_", [wait / 1000 for due, wait in waits if begin <= due < end]),
            **spread("whole_", [wait / 1000 for _, wait in waits]),
            **spread("first_", [wait / 1000 for wait in firsts]),
            "complete": sum(r.ended.is_set() and not r.faults for r in heard),
            "seconds": seconds,
            "client_cpu": self.cpu / seconds,
            "faults": [*faults, *(f"{reader.name}: never asked" for reader in mute)],
        }


def fetch(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url) as answer:
        return json.loads(answer.read())


async def main() -> None:
    audience = Audience(parse())
    await audience.come_in()
    gc.collect()
    gc.freeze()
    gc.disable()
    alone = await audience.ask_alone()
    await audience.ask_all()
    result = {"alone_ms": alone, **await audience.result()}
    print(json.dumps(result), flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readers", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--protocol", choices=["chat", "relay"], required=True)
    parser.add_argument("--seats", type=Path, required=True, help='lines "ROOM PATH TOKEN"')
    parser.add_argument("--provider", required=True, help="its address, without /v1")
    parser.add_argument("--rate", type=float, required=True, help="tokens a second and stream")
    parser.add_argument("--ramp", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main())
