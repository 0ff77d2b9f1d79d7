"""One load, what befalls it at random moments, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

import httpx

from tests.faults.faults import Fault, Scene
from tests.faults.guarantees import Copies, Life, Outcome, Sample, breaches
from tests.faults.house import LEASE, PACE, SWEEP, WORDS, House, Login, said_of
from tests.faults.load import ROOMS, Copy, Load, Post
from tests.faults.record import Record

ANSWERED_WITHIN = 60.0
"""Seconds, once all is up, in which what was said before the end must be answered."""
SLACK = 15.0
"""Seconds more for answers to end, on busy cores."""
HELD_WITHIN = 30.0
"""Seconds in which everybody must hold everything, once nothing more comes."""
RATE = 12.0
"""Posts a second, of all together."""
DELIVERIES = 6_000.0
"""A second, for which a crowd is told less."""
AT_ONCE = 8
"""Calls to the API."""
TRIES = 40
"""Of a call that is told to come again."""


@dataclass
class Told:
    """What a round came to."""

    house: str
    fault: str
    seed: str
    injected: int = 0
    accepted: int = 0
    asked: int = 0
    files: int = 0
    rate: float = RATE
    """Posts a second that were wanted."""
    seconds: float = 0
    answers_after: float = 0
    """Seconds, from when all was up and nothing more was said, until the last answer had ended."""
    memory: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    breaches: dict[str, list[str]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not any(self.breaches.values())

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Round:
    def __init__(
        self, house: House, fault: Fault, *, seed: str, seconds: float, crowd: int, quiet: list[int]
    ) -> None:
        self.house, self.fault = house, fault
        self.seconds = seconds
        self.quiet = quiet
        """MiB of each server after a round without faults; empty where there was none."""
        self.told = Told(house.kind, fault.name, seed)
        self.random = Random(seed)
        self.rate = min(RATE, DELIVERIES / crowd) if fault.name == "crowd" else RATE
        self.told.rate = self.rate
        self.crowd = crowd
        self.samples = self.told.samples

    async def run(self) -> Told:
        began = time.monotonic()
        rooms = await asyncio.to_thread(self.house.open_rooms, ROOMS)
        record = Record(self.house, rooms)
        before = await asyncio.to_thread(record.read)
        load = Load(self.house, rooms, self.random, rate=self.rate)
        try:
            await load.begin()
            await self._befall(Scene(self.house, load, self.random, self.crowd))
            await asyncio.to_thread(self.house.wait_until_up)
            await load.end(ANSWERED_WITHIN)
            unfinished = await self._answers_over(record)
            fresh = await self._read_anew(rooms)
            await _until(lambda: _hold_all(load, fresh), HELD_WITHIN)
            sent_again = await self._send_again(load)
            with_files = [post for post in load.accepted if post.file]
            broken_files = await self._look_into_files(with_files)
        finally:
            await load.leave()
        connections, sockets = await self._left_behind()
        load.let_go()
        memory = self.told.memory = self.house.mebibytes()
        outcome = Outcome(
            posts=load.posts,
            refused=load.refused,
            before=before,
            after=await asyncio.to_thread(record.read),
            sent_again=sent_again,
            lives=[Life(one.login.user, one.holds, one.told, one.whispers) for one in load.people],
            fresh=fresh,
            answers={post.message: said_of(post.body) for post in load.accepted if post.asks},
            unfinished=unfinished,
            files=len(with_files),
            broken_files=broken_files,
            memory=list(zip(self.quiet, memory, strict=True)) if self.quiet else [],
            connections=connections,
            sockets=sockets,
            samples=self.samples,
        )
        self._tell(load, outcome, time.monotonic() - began)
        return self.told

    async def _befall(self, scene: Scene) -> None:
        """At least once; as often as fits into the time."""
        over = time.monotonic() + self.seconds
        while not self.told.injected or time.monotonic() < over:
            await asyncio.sleep(self.random.uniform(0.5, max(1.0, self.seconds / 5)))
            await self.fault.inject(scene)
            self.told.injected += 1
        await asyncio.sleep(1)

    async def _answers_over(self, record: Record) -> int:
        """How many are not, when there was time enough for all."""
        waiting = await asyncio.to_thread(record.unfinished)
        began = time.monotonic()
        enough = LEASE + 2 * SWEEP + waiting * WORDS / PACE + SLACK
        await _until(lambda: not record.unfinished(), enough)
        self.told.answers_after = time.monotonic() - began
        return await asyncio.to_thread(record.unfinished)

    async def _read_anew(self, rooms: list[int]) -> dict[int, Copies]:
        """Page by page from the newest, as somebody does who was never there."""

        async def read(who: Login) -> Copies:
            async with self._calling(who) as api:
                return {room: await _history(api, room) for room in rooms}

        people = self.house.people
        return dict(zip([one.user for one in people], await _all(read, people), strict=True))

    async def _send_again(self, load: Load) -> dict[str, int]:
        """Which message each is then; 0 where it was taken for a new one, or refused."""
        told = await asyncio.gather(*(person.repeat_all() for person in load.people))
        return {client_id: message for one in told for client_id, message in one.items()}

    async def _look_into_files(self, posts: list[Post]) -> list[str]:
        async def look(post: Post) -> str:
            assert post.attachment is not None
            async with self._calling(self._login_of(post)) as api:
                answer = await api.get(
                    f"{api.base_url.copy_with(path='/')}{post.attachment['url'][1:]}"
                )
            is_whole = answer.content == post.file
            return "" if is_whole else f"{post.attachment}: {answer.status_code}"

        return [broken for broken in await _all(look, posts) if broken]

    async def _left_behind(self) -> tuple[int, int]:
        """Connections that are held and sockets that are counted, when all should be gone."""

        left = 0, 0

        def is_nobody_there() -> bool:
            nonlocal left
            # In this order: to ask for the figures is to connect.
            left = self.house.connections(), self.house.sockets()
            return left == (0, 0)

        await _until(is_nobody_there, self.fault.forgotten_after)
        return left

    def _calling(self, who: Login) -> httpx.AsyncClient:
        servers = self.house.servers
        base = f"{servers[who.user % len(servers)].url}/api/v1/"
        return httpx.AsyncClient(base_url=base, headers=who.headers, timeout=30, verify=False)

    def _login_of(self, post: Post) -> Login:
        return next(one for one in self.house.people if one.user == post.author)

    def _tell(self, load: Load, outcome: Outcome, seconds: float) -> None:
        told = self.told
        told.accepted, told.asked = len(load.accepted), len(outcome.answers)
        told.files = outcome.files
        told.counts = dict(load.counts)
        for reply in outcome.after.replies:
            state = f"{reply.state} {reply.error}".strip()
            told.states[state] = told.states.get(state, 0) + 1
        told.breaches = breaches(outcome)
        told.seconds = seconds


def _hold_all(load: Load, fresh: dict[int, Copies]) -> bool:
    return all(person.holds == fresh[person.login.user] for person in load.people)


async def _history(api: httpx.AsyncClient, room: int) -> dict[int, Copy]:
    found: dict[int, Copy] = {}
    asked: dict[str, int] = {"limit": 200}
    while True:
        answer = await _patient(api, "GET", f"rooms/{room}/messages/", params=asked)
        page = answer.raise_for_status().json()
        found.update({message["id"]: Copy.of(message) for message in page["messages"]})
        if not page["has_older"]:
            return found
        asked["before"] = page["messages"][0]["id"]


async def _patient(api: httpx.AsyncClient, method: str, path: str, **sent: Any) -> httpx.Response:
    """The first answer that is not to be asked for again."""
    for _ in range(TRIES):
        answer = await api.request(method, path, **sent)
        if answer.status_code != 503:
            break
        await asyncio.sleep(0.5)
    return answer


async def _all(work: Callable[[Any], Any], things: list[Any]) -> list[Any]:
    """Done for each of them, a few at once, in order."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(thing: Any) -> Any:
        async with places:
            return await work(thing)

    return await asyncio.gather(*(one(thing) for thing in things))


async def _until(question: Callable[[], bool], seconds: float) -> None:
    """Or until the time is over."""
    over = time.monotonic() + seconds
    while time.monotonic() < over and not question():  # noqa: ASYNC110  # it is of other processes
        await asyncio.sleep(0.2)
