"""People who keep talking, whatever befalls the servers, and hold what they are told."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.faults import ROBOT
from tests.faults.house import House, Login
from tests.live.server import LiveServer

ROOMS = 3
PATIENCE = 10.0
"""Seconds for which an answer is waited for, before the same is sent again."""
COMING = 420.0
"""Seconds within which everybody must be there, however many come at once."""
ASKING, WHISPERING, ATTACHING = 0.06, 0.15, 0.06
"""How often a post is one to the robot, one to two people, one with a file."""
REPLYING, RECENT = 0.25, 100
"""How often a post to people answers one, and how many of the last ones may be answered."""
WHISPERED = re.compile("whisper-[0-9a-f]{32}")
QUOTING, NAMING = {"reply_to", "last"}, {"message", "anchor", "conclusion"}
"""Where frames show something of a message, and where they have its id."""

Json = dict[str, Any]


@dataclass
class Post:
    """What somebody wants to have said. It is sent again, as it is, until it is answered."""

    author: int
    room: int
    body: str
    to: list[int] = field(default_factory=list)
    reply_to: int | None = None
    file: bytes = b""
    asks: bool = False
    attachment: Json | None = None
    client_id: str = field(default_factory=lambda: str(uuid4()))
    message: int | None = None
    """Its id, once it was answered."""

    @property
    def marker(self) -> str:
        """What is in its text if it is whispered, and in no other."""
        return f"whisper-{self.client_id.replace('-', '')}"

    @property
    def sent(self) -> Json:
        fields: Json = {"client_id": self.client_id, "body": self.body, "audience": "everyone"}
        if self.to:
            fields.update(audience="only", to=self.to)
        if self.reply_to:
            fields["reply_to"] = self.reply_to
        if self.attachment:
            fields["attachments"] = [self.attachment["id"]]
        return fields


class Copy(NamedTuple):
    """Of a message, as somebody holds it."""

    version: int
    status: str
    body: str

    @classmethod
    def of(cls, message: Json) -> Copy:
        return cls(message["version"], message["status"], message["body"])


@dataclass
class Held:
    """What somebody has of a room."""

    cursor: str | None = None
    copies: dict[int, Copy] = field(default_factory=dict)
    older_than: int | None = None
    """Where its history goes on, while it has not been paged back to the beginning."""

    def take(self, messages: Sequence[Json]) -> None:
        for message in messages:
            mine, copy = self.copies.get(message["id"]), Copy.of(message)
            if mine is None or mine.version <= copy.version:
                self.copies[message["id"]] = copy

    def begin(self, messages: Sequence[Json], *, has_older: bool) -> None:
        self.copies.clear()
        self.take(messages)
        self.older_than = min(self.copies) if has_older else None


def named(told: Any) -> Iterator[int]:
    """Every message that a frame or an answer names, wherever: whole, quoted, or by its id."""
    if isinstance(told, list):
        for one in told:
            yield from named(one)
    elif isinstance(told, dict):
        if "id" in told and "audience" in told:
            yield told["id"]
        for key, value in told.items():
            if key in QUOTING and value:
                yield value["id"]
            elif key in NAMING and isinstance(value, int) and value:
                yield value
            yield from named(value)


class Person:
    """A client that does what the contract asks of clients: a socket that comes back with its
    cursors, and an outbox from which one post after the other is sent until it is answered.
    """

    def __init__(self, login: Login, load: Load, random: Random, *, posts: str) -> None:
        self.login, self.load, self.random = login, load, random
        self.posts = posts
        """By "socket", by "http", or not at all."""
        self.is_of_a_crowd = False
        self.rooms = {room: Held() for room in load.rooms}
        self.told: set[int] = set()
        self.whispers: set[str] = set()
        """Markers of those of which it was told anything."""
        self.counts: Counter[str] = Counter()
        self._wire: ClientConnection | None = None
        self._answers: dict[str, asyncio.Future[Json]] = {}
        self.said: list[Post] = []
        self.is_here = asyncio.Event()
        """It has heard what it missed, of all rooms."""

    @property
    def holds(self) -> dict[int, dict[int, Copy]]:
        return {room: held.copies for room, held in self.rooms.items()}

    # The socket

    def cut(self) -> None:
        """As a network that goes away."""
        self.is_here.clear()
        if self._wire is not None:
            self._wire.transport.abort()

    async def listen(self) -> None:
        """Until cancelled."""
        # As long as browsers have: who gives up among thousands, and begins anew, is not served.
        patience = COMING if self.is_of_a_crowd else PATIENCE
        while True:
            server = self.load.some_server(self.random)
            try:
                async with connect(
                    server.socket_url,
                    additional_headers=self.login.headers,
                    max_size=None,
                    proxy=None,  # which is looked for at every coming
                    open_timeout=patience,
                    ping_interval=PATIENCE,
                    ping_timeout=patience,
                    close_timeout=1,
                ) as wire:
                    await self._hear(wire, server)
            except (OSError, WebSocketException, httpx.HTTPError):
                self.counts["cuts"] += 1
            finally:
                self._wire = None
            await asyncio.sleep(self.random.uniform(0.1, 0.5))

    async def _hear(self, wire: ClientConnection, server: LiveServer) -> None:
        self.is_here.clear()
        self._missing = set(self.rooms)
        for room in self.rooms:
            await self._join(wire, room)
        self._wire = wire
        async for text in wire:
            frame = json.loads(text)
            self._note(text, frame)
            self._take(frame)
            if frame["type"] == "error" and "client_id" not in frame and "room" in frame:
                await asyncio.sleep(0.5)
                await self._join(wire, frame["room"])
            await self._page_back(server)

    async def _join(self, wire: ClientConnection, room: int) -> None:
        cursor = self.rooms[room].cursor
        asked: Json = {"type": "join", "room": room, **({"cursor": cursor} if cursor else {})}
        await wire.send(json.dumps(asked))

    def _note(self, text: str | bytes, told: Json) -> None:
        """Whatever it names or quotes, but for late news of another round's rooms."""
        notified = told.get("notification")
        if notified and notified["room"]["id"] not in self.rooms:
            return
        self.told.update(named(told))
        self.whispers.update(WHISPERED.findall(str(text)))

    def _take(self, frame: Json) -> None:
        self.counts[frame["type"]] += 1
        match frame["type"]:
            case "joined":
                held = self.rooms[frame["room"]["id"]]
                held.begin(frame["messages"], has_older=frame["has_older"])
                held.cursor = frame["cursor"]
                self._arrive(frame["room"]["id"])
            case "messages":
                self.rooms[frame["room"]].take(frame["messages"])
                self.rooms[frame["room"]].cursor = frame["cursor"]
            case "synced":
                self.rooms[frame["room"]].cursor = frame["cursor"]
                self._arrive(frame["room"])
            case "reset":
                self.rooms[frame["room"]] = Held()
            case "posted":
                self._answer(frame["client_id"], frame)
            case "error" if "client_id" in frame:
                self._answer(frame["client_id"], {"error": frame})
            case "error" if not frame["retryable"]:
                self.load.refuse(self, frame)
            case "left":
                self.load.refuse(self, frame)
            case "bye" if frame["reason"] not in ("restarting", "too_slow"):
                self.load.refuse(self, frame)

    def _arrive(self, room: int) -> None:
        self._missing.discard(room)
        if not self._missing:
            self.is_here.set()

    def _answer(self, client_id: str, answer: Json) -> None:
        waiting = self._answers.get(client_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def _page_back(self, server: LiveServer) -> None:
        for room, held in self.rooms.items():
            while held.older_than is not None:
                url = f"{server.url}/api/v1/rooms/{room}/messages/"
                asked = {"before": held.older_than, "limit": 200}
                answer = await self.load.http.get(url, params=asked, headers=self.login.headers)
                page = answer.raise_for_status().json()
                self._note(answer.text, page)
                held.take(page["messages"])
                held.older_than = page["messages"][0]["id"] if page["has_older"] else None

    # The outbox

    async def talk(self, rate: float) -> None:
        """So many posts a second, one under way at a time, until the load ends."""
        ending = self.load.ending
        while not ending.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self.random.expovariate(rate)):
                    await ending.wait()
                return
            await self.say(self._next())

    async def say(self, post: Post) -> None:
        """Send it until it is answered, and its file before it."""
        self.load.posts.append(post)
        self.said.append(post)
        send = self._by_socket if self.posts == "socket" else self._by_http
        if post.file:
            post.attachment = await self._answered(self._upload, post)
        began = time.monotonic()
        answer = await self._answered(send, post)
        if answer is not None:
            self.load.waited.append(time.monotonic() - began)
            self.counts["replayed"] += answer["replayed"]
            post.message = answer.get("message", answer)["id"]

    async def repeat_all(self) -> dict[str, int]:
        """By `client_id`, which message each of its posts is if it is sent again, by the other way
        in; 0 where it is a new one, or refused.
        """
        send = self._by_http if self.posts == "socket" else self._by_socket
        found = {}
        for post in self.said:
            if post.message is None:
                continue
            answer = await self._answered(send, post)
            is_known = answer and answer["replayed"]
            found[post.client_id] = answer.get("message", answer)["id"] if is_known else 0
        return found

    async def _answered(
        self, send: Callable[[Post], Awaitable[Json | None]], post: Post
    ) -> Json | None:
        """None where it is refused, for good."""
        while True:
            answer = await send(post)
            if answer is not None and "error" not in answer:
                return answer
            refusal = answer["error"] if answer else {"code": "unanswered", "retryable": True}
            self.counts[refusal["code"]] += 1
            if not refusal["retryable"]:
                self.load.refuse(self, refusal)
                return None
            await asyncio.sleep(self.random.uniform(0.2, 0.8))

    def _next(self) -> Post:
        nth = len(self.said) + 1
        room = self.random.choice(self.load.rooms)
        post = Post(self.login.user, room, f"{self.login.name} says *{nth}*")
        chance = self.random.random()
        if self.posts == "http" and (nth == 1 or chance > 1 - ATTACHING):
            # What each says first has one, too: however short a round is, there are files.
            post.file = self.random.randbytes(self.random.randint(1_000, 60_000))
        elif chance < ASKING:
            return self._question(room)
        elif chance < ASKING + WHISPERING or nth == 1:
            others = [one.user for one in self.load.house.people if one != self.login]
            post.to = sorted(self.random.sample(others, 2))
            post.body += f" to some: {post.marker}"
        if self.random.random() < REPLYING:
            post.reply_to = self._any_heard(room)
        return post

    def _any_heard(self, room: int) -> int | None:
        """A whisper, where it holds one: those who may not see that must not see it quoted."""
        said = [post for post in self.load.posts[-RECENT:] if post.room == room]
        heard = [post for post in said if post.message in self.rooms[room].copies]
        whispers = [post for post in heard if post.to]
        return self.random.choice(whispers or heard).message if heard else None

    def _question(self, room: int) -> Post:
        post = Post(self.login.user, room, "", asks=True)
        post.body = f"@{ROBOT} question-{post.client_id.replace('-', '')}"
        return post

    async def ask(self) -> None:
        """The robot, in any room."""
        await self.say(self._question(self.random.choice(self.load.rooms)))

    async def _by_socket(self, post: Post) -> Json | None:
        wire = self._wire
        if wire is None:
            return None
        answer = self._answers[post.client_id] = asyncio.get_running_loop().create_future()
        try:
            await wire.send(json.dumps({"type": "post", "room": post.room, **post.sent}))
            ended = asyncio.ensure_future(wire.wait_closed())
            await asyncio.wait(
                [answer, ended], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
            )
            ended.cancel()
            return answer.result() if answer.done() else None
        except (OSError, WebSocketException):
            return None
        finally:
            del self._answers[post.client_id]

    async def _by_http(self, post: Post) -> Json | None:
        return await self._call(f"rooms/{post.room}/messages/", json=post.sent)

    async def _upload(self, post: Post) -> Json | None:
        files = {"file": ("file.bin", post.file)}
        return await self._call(f"rooms/{post.room}/attachments/", files=files)

    async def _call(self, path: str, **sent: Any) -> Json | None:
        url = f"{self.load.some_server(self.random).url}/api/v1/{path}"
        try:
            answer = await self.load.http.post(url, headers=self.login.headers, **sent)
            told: Json = answer.json()
            self._note(answer.text, told)
        except httpx.TransportError:
            return None
        except ValueError:
            error = {"code": f"{answer.status_code} without a word", "retryable": False}
            return {"error": error}
        return told


class Load:
    """Everybody in some rooms, from `begin` to `leave`."""

    def __init__(self, house: House, rooms: list[int], random: Random, *, rate: float) -> None:
        self.house, self.rooms = house, rooms
        self.posts: list[Post] = []
        self.refused: list[str] = []
        self.waited: list[float] = []
        """Of each answer, as they came: seconds since its post was first sent."""
        self.ending = asyncio.Event()
        self._rate = rate
        self.leftovers: list[Callable[[], object]] = []
        """What lets go of clients that never go by themselves, once nobody is to be there."""
        self.http = httpx.AsyncClient(timeout=PATIENCE, limits=httpx.Limits())
        self._talking: list[asyncio.Task[None]] = []
        self._listening: list[asyncio.Task[None]] = []
        ways = ["socket", "http", ""]
        self.people = [
            Person(login, self, Random(random.random()), posts=ways[n % len(ways)])
            for n, login in enumerate(house.people)
        ]

    @property
    def accepted(self) -> list[Post]:
        return [post for post in self.posts if post.message is not None]

    @property
    def counts(self) -> Counter[str]:
        return sum((person.counts for person in self.people), Counter())

    def some_server(self, random: Random) -> LiveServer:
        """Nobody knows which are up."""
        return random.choice(self.house.servers)

    def keep(self, work: Coroutine[None, None, None]) -> None:
        """Have it done until `let_go`."""
        task = asyncio.create_task(work)
        self.leftovers.append(task.cancel)

    def let_go(self) -> None:
        for leftover in self.leftovers:
            leftover()

    def refuse(self, person: Person, answer: Json) -> None:
        """Note what no honest client should be told."""
        self.refused.append(f"{person.login.name}: {json.dumps(answer)[:300]}")

    async def begin(self) -> None:
        """Returns when everybody is there."""
        talkers = [person for person in self.people if person.posts]
        rate = self._rate / len(talkers)
        self._listening = [asyncio.create_task(person.listen()) for person in self.people]
        await self.complete()
        self._talking = [asyncio.create_task(person.talk(rate)) for person in talkers]

    async def join(self, newcomers: Sequence[Person]) -> None:
        """Have more people come, at once."""
        self.people.extend(newcomers)
        self._listening += [asyncio.create_task(person.listen()) for person in newcomers]
        await self.complete()

    async def complete(self) -> None:
        """When everybody has heard what they missed."""
        async with asyncio.timeout(COMING):
            for person in self.people:
                await person.is_here.wait()

    async def end(self, seconds: float) -> None:
        """Begin nothing more but a last question to the robot, by one of those who only listen, and
        have what was begun answered within that time.
        """
        self.ending.set()
        silent = next(person for person in self.people if not person.posts)
        self._talking.append(asyncio.create_task(silent.ask()))
        _, late = await asyncio.wait(self._talking, timeout=seconds)
        await _cancel(late)
        for task in self._talking:
            if not task.cancelled():
                task.result()

    async def leave(self) -> None:
        await _cancel(self._listening)
        await self.http.aclose()
        for task in self._listening:
            if not task.cancelled():
                task.result()


async def _cancel(tasks: Any) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
