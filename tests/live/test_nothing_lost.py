"""Through cut sockets, killed servers and lost wakes: nothing lost, nothing doubled, nothing told
to whom it is none of their business.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from accounts import tokens
from accounts.models import Login, User
from accounts.roles import SiteRole
from messages.models import Message
from rooms.models import Invitation, Participant, Room
from tests.live.server import GROWN, LiveServer, OwnRedis, environment, own_redis, servers
from tests.process import PATIENCE

SEED = int(os.environ.get("CHAT_TEST_SEED", "20"))
POSTS = 2_000
WINDOW = 6
"""Posts that a client sends before the first of them is answered."""
CATCH_UP_MAX = 120
ANSWERS_MAX = 16
"""With so many on one line it is cut, however few frames brought them."""

Json = dict[str, Any]


@dataclass
class Post:
    room: int
    client_id: str
    body: str
    how: Json
    becomes: str
    """What its author makes of it in the end: the same, other words, or nothing."""


@dataclass
class Held:
    """What a client has of one room."""

    cursor: str | None = None
    messages: dict[int, Json] = field(default_factory=dict)
    older_than: int | None = None
    """Where its history goes on, while it has not been paged back to the beginning."""

    def take(self, messages: list[Json]) -> None:
        for message in messages:
            mine = self.messages.get(message["id"])
            if mine is None or mine["version"] <= message["version"]:
                self.messages[message["id"]] = message

    def drop(self) -> None:
        self.messages.clear()
        self.cursor = self.older_than = None


class Person:
    """A client that does what the contract asks of clients, and no more."""

    def __init__(self, user: User, rooms: list[Room], random: Random) -> None:
        login = Login.objects.start(user, kind=Login.Kind.TOKEN)
        self.user = user.pk
        self.name = user.name
        self.random = random
        self.headers = {"Authorization": f"Bearer {tokens.issue(login)['access']}"}
        self.rooms = {room.pk: Held() for room in rooms}
        self.to_say: deque[Post] = deque()
        self.unanswered: dict[str, Post] = {}
        self.answered = 0
        self.put_off: set[str] = set()
        """Posts that were to be sent again: others may have overtaken them."""
        self.chores: deque[tuple[int, str]] = deque()
        """Messages to be edited, or removed where the text is empty."""
        self.told: set[int] = set()
        """Every message that ever came, whether still held or not."""
        self.wanders = False
        """Whether it stays away for long at times."""
        self.counts: Counter[str] = Counter()

    @property
    def is_done(self) -> bool:
        return not (self.to_say or self.unanswered or self.chores)

    @property
    def holds(self) -> dict[int, list[tuple[int, str]]]:
        return {
            room: [(pk, held.messages[pk]["body"]) for pk in sorted(held.messages)]
            for room, held in self.rooms.items()
        }

    async def live(self, town: Town) -> None:
        while True:
            server = await town.server_that_is_up(self.random)
            try:
                async with (
                    httpx.AsyncClient(
                        base_url=server.url, headers=self.headers, timeout=PATIENCE
                    ) as http,
                    connect(
                        server.socket_url,
                        additional_headers=self.headers,
                        max_size=None,
                        open_timeout=PATIENCE,
                    ) as wire,
                ):
                    await self._talk(town, wire, http)
            except (OSError, WebSocketException, httpx.TransportError):
                self.counts["cuts"] += 1
            if self.wanders and town.is_rough and self.random.random() < 0.5:
                self.counts["absences"] += 1
                await town.said(town.accepted + 4 * CATCH_UP_MAX)

    async def _talk(self, town: Town, wire: ClientConnection, http: httpx.AsyncClient) -> None:
        for room, held in self.rooms.items():
            cursor = {"cursor": held.cursor} if held.cursor else {}
            await self._send(wire, "join", room=room, **cursor)
        for post in list(self.unanswered.values()):
            await self._post(wire, post)
        left = self.random.randint(12, 80)
        answers = self.answered + self.random.randint(4, ANSWERS_MAX)
        async for text in wire:
            self._take(town, json.loads(text))
            await self._page_back(http)
            await self._edit(http)
            while self.to_say and len(self.unanswered) < WINDOW:
                post = self.to_say.popleft()
                self.unanswered[post.client_id] = post
                await self._post(wire, post)
            await town.tell_moved()
            left -= 1
            if (left <= 0 or self.answered >= answers) and town.is_rough:
                wire.transport.abort()

    async def _send(self, wire: ClientConnection, kind: str, **fields: Any) -> None:
        await wire.send(json.dumps({"type": kind, **fields}))

    async def _post(self, wire: ClientConnection, post: Post) -> None:
        await self._send(
            wire, "post", room=post.room, client_id=post.client_id, body=post.body, **post.how
        )

    def _take(self, town: Town, frame: Json) -> None:
        self.counts[frame["type"]] += 1
        room, messages = frame.get("room"), frame.get("messages", [])
        held = self.rooms[room["id"] if isinstance(room, dict) else room or next(iter(self.rooms))]
        self.told |= {message["id"] for message in messages}
        match frame["type"]:
            case "joined":
                held.drop()
                held.take(messages)
                held.cursor = frame["cursor"]
                if frame["has_older"]:
                    held.older_than = min(held.messages)
            case "messages" | "synced":
                held.take(messages)
                held.cursor = frame["cursor"]
            case "reset":
                held.drop()
            case "posted":
                self._take_answer(town, frame)
            case "error" if not frame["retryable"]:
                town.troubles.append((self.name, frame))
            case "error":
                self.put_off.add(frame.get("client_id", ""))
                self._put_off()
            case "left" | "bye":
                town.troubles.append((self.name, frame))

    def _put_off(self) -> None:
        """Away, and come again: what was not done is asked for anew."""
        self.counts["retries"] += 1
        raise ConnectionError("It is busy.")

    def _take_answer(self, town: Town, frame: Json) -> None:
        self.told.add(frame["message"]["id"])
        post = self.unanswered.pop(frame["client_id"], None)
        if post is None:
            return  # sent on two sockets, answered on both
        self.answered += 1
        town.accepted += 1
        self.counts["replayed"] += frame["replayed"]
        if frame["message"]["body"] != post.body:
            town.troubles.append((self.name, frame))
        if post.becomes != post.body:
            self.chores.append((frame["message"]["id"], post.becomes))

    async def _page_back(self, http: httpx.AsyncClient) -> None:
        for room, held in self.rooms.items():
            while held.older_than is not None:
                answer = await http.get(
                    f"/api/v1/rooms/{room}/messages/", params={"before": held.older_than}
                )
                self._must_succeed(answer)
                page = answer.json()
                self.counts["pages"] += 1
                self.told |= {message["id"] for message in page["messages"]}
                held.take(page["messages"])
                held.older_than = page["messages"][0]["id"] if page["has_older"] else None

    async def _edit(self, http: httpx.AsyncClient) -> None:
        while self.chores:
            message, body = self.chores[0]
            path = f"/api/v1/messages/{message}/"
            if body:
                answer = await http.patch(path, json={"body": body})
            else:
                answer = await http.delete(path)
            self._must_succeed(answer)
            self.counts["edits" if body else "removals"] += 1
            self.chores.popleft()

    def _must_succeed(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self._put_off()
        answer.raise_for_status()


class Town:
    """Everybody, the servers they reach, and what befalls these."""

    def __init__(
        self, people: list[Person], servers: list[LiveServer], redis: OwnRedis | None
    ) -> None:
        self.people = people
        self.servers = servers
        self.redis = redis
        self.up = set(servers)
        self.accepted = 0
        self.is_rough = True
        self.troubles: list[tuple[str, Json]] = []
        self.kills = self.listeners_cut = 0
        self.finished_after = 0.0
        self._moved = asyncio.Condition()

    async def tell_moved(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with self._moved:
            await self._moved.wait_for(condition)

    async def server_that_is_up(self, random: Random) -> LiveServer:
        await self.until(lambda: bool(self.up))
        return random.choice([server for server in self.servers if server in self.up])

    async def said(self, count: int) -> None:
        """Until so many posts were accepted, or everybody who does not wait has said all."""
        await self.until(
            lambda: self.accepted >= count or all(p.is_done for p in self.people if not p.wanders)
        )

    async def live(self) -> dict[str, dict[int, list[tuple[int, str]]]]:
        """Have all of it happen. Returns what everybody ought to hold."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as together:
            lives = [together.create_task(person.live(self)) for person in self.people]
            fate = together.create_task(self._befall())
            await self.until(lambda: all(p.is_done for p in self.people) or bool(self.troubles))
            await fate
            self.is_rough = False
            await self.tell_moved()
            expected = await asyncio.to_thread(read_expected, self.people)
            try:
                async with asyncio.timeout(PATIENCE):
                    await self.until(lambda: all(p.holds == expected[p.name] for p in self.people))
            except TimeoutError:
                pass  # who lacks what is told by the test
            self.finished_after = time.monotonic() - began
            for life in lives:
                life.cancel()
        return expected

    async def _befall(self) -> None:
        """Two kills; before, between and after them everything that Redis knows is lost."""
        for share in (0.15, 0.3, 0.5, 0.65, 0.85):
            await self.said(int(share * POSTS))
            if share in (0.3, 0.65):
                await self._kill(self.servers[self.kills % len(self.servers)])
            elif self.redis is not None:
                self.listeners_cut += await asyncio.to_thread(self.redis.lose_everything)

    async def _kill(self, server: LiveServer) -> None:
        self.up.discard(server)
        self.kills += 1
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        self.up.add(server)
        await self.tell_moved()


# Who there is and what they will say


def settle(random: Random) -> list[Person]:
    """Twenty people of every role, in a team room, a support room, and one without a past."""
    person = User.objects.create_person
    owner, *members = [person(f"m{n}", f"Member {n}", None) for n in range(9)]
    viewers = [person(f"v{n}", f"Viewer {n}", None) for n in range(2)]
    agents = [person(f"a{n}", f"Agent {n}", None, SiteRole.AGENT) for n in range(3)]
    supervisor = person("s0", "Supervisor", None, SiteRole.SUPERVISOR)
    customers = [User.objects.create_customer(f"Customer {n}") for n in range(3)]
    team = Room.objects.open("Team", by=owner, people=[*members, *viewers, agents[0], supervisor])
    for viewer in viewers:
        team.change_role(viewer, "viewer", by=owner)
    _, token = team.create_invitation(by=owner)
    guests = [Invitation.objects.accept_as_guest(token, name=f"Guest {n}").user for n in range(2)]
    Room.objects.open(
        "Support", by=agents[0], mode="support", people=[*agents[1:], supervisor, *customers]
    )
    lounge = Room.objects.open("Lounge", by=owner, history="joined", people=members[:2])
    for n in range(100):
        lounge.messages.post(f"before most came {n}", by=owner)
    for newcomer in [*members[2:5], agents[1], viewers[0]]:
        lounge.invite(newcomer, by=owner)
    everybody = [owner, *members, *viewers, *guests, *agents, supervisor, *customers]
    people = [
        Person(user, list(Room.objects.for_user(user).order_by("pk")), Random(random.random()))
        for user in everybody
    ]
    for one in people:
        one.wanders = one.name in ("Member 8", "Viewer 1", "Agent 2")
    _give_lines(people, random)
    return people


def _give_lines(people: list[Person], random: Random) -> None:
    seats = list(Participant.objects.select_related("room").order_by("pk"))
    places = {one: [s for s in seats if s.user_id == one.user and s.may_write] for one in people}
    writers = [one for one in people if places[one]]
    for n in range(POSTS):
        one = writers[n % len(writers)]
        seat = random.choice(places[one])
        others = [s.user_id for s in seats if s.room_id == seat.room_id and s != seat]
        body = f"{one.name} says *{n}*"
        how, becomes = _how(seat.role, others, random), _becomes(seat.role, body, random)
        one.to_say.append(Post(seat.room_id, str(uuid4()), body, how, becomes))


def _how(role: str, others: list[int], random: Random) -> Json:
    if role == "customer":
        return {}
    whisper = {"audience": "only", "to": sorted(random.sample(others, random.randint(1, 3)))}
    choices: list[Json] = [{}, {"audience": "everyone"}, whisper]
    if role in ("agent", "supervisor"):
        choices.append({"audience": "staff"})
    return random.choice(choices)


def _becomes(role: str, body: str, random: Random) -> str:
    chance = random.random()
    if chance < 0.02:
        return ""
    return f"{body}, rather" if chance < 0.06 and role != "customer" else body


# What everybody ought to hold, by the rows and by a rule written once more


def read_expected(people: list[Person]) -> dict[str, dict[int, list[tuple[int, str]]]]:
    try:
        seats = {
            (seat["room"], seat["user"]): seat
            for seat in Participant.objects.values(
                "room", "user", "role", "history_from", "room__history"
            )
        }
        rows = list(
            Message.objects.order_by("pk").values("pk", "room", "author", "audience", "to", "body")
        )
    finally:
        connection.close()
    return {
        one.name: {
            room: [
                (row["pk"], row["body"])
                for row in rows
                if row["room"] == room and _ought_to_see(seats[room, one.user], row)
            ]
            for room in one.rooms
        }
        for one in people
    }


def _ought_to_see(seat: Json, row: Json) -> bool:
    if row["author"] == seat["user"]:
        return True
    if seat["room__history"] == "joined" and row["pk"] <= seat["history_from"]:
        return False
    if row["audience"] == "everyone":
        return True
    if seat["role"] == "agent" or seat["role"] == "supervisor":
        return True
    return row["audience"] == "only" and seat["user"] in row["to"]


@pytest.fixture
def redis(transactional_db: None) -> Iterator[OwnRedis | None]:
    if not GROWN:
        yield None
        return
    with own_redis() as redis:
        yield redis


def test_nothing_is_lost_and_nothing_doubled(redis: OwnRedis | None, tmp_path: Path) -> None:
    """On PostgreSQL and Redis two processes serve, and everybody comes back to either of them."""
    people = settle(Random(SEED))
    lines = {post.client_id: post for person in people for post in person.to_say}
    chosen = {"CHAT_CATCH_UP_MAX": str(CATCH_UP_MAX), "REDIS_URL": redis.url if redis else ""}
    if redis:
        chosen["CHAT_HEAD_CHECK_INTERVAL"] = "1"
    one = environment(tmp_path, **chosen)
    with servers(*([one, one] if redis else [one])) as started:
        town = Town(people, started, redis)
        expected = asyncio.run(town.live())
    counts = sum((person.counts for person in people), Counter())
    told = (
        f"seed {SEED} (CHAT_TEST_SEED repeats it): {town.accepted} posts accepted, {dict(counts)}, "
        f"{town.kills} kills, {town.listeners_cut} listeners cut, {town.finished_after:.1f} s"
    )
    print(told)
    assert not town.troubles, f"{town.troubles[:5]}; {told}"
    assert town.accepted == POSTS, told
    for person in people:
        assert person.holds == expected[person.name], f"{differences(person, expected)}; {told}"
        allowed = {pk for held in expected[person.name].values() for pk, _ in held}
        assert person.told <= allowed, f"{person.name} was told too much; {told}"
    put_off = set().union(*(person.put_off for person in people))
    _assert_each_is_there_once(lines, put_off, told)
    # A quiet day proves nothing.
    assert counts["cuts"] > POSTS / ANSWERS_MAX / 2, told
    assert counts["replayed"] > 0, told
    assert counts["reset"] > 0, told
    assert town.kills == 2, told
    assert bool(town.listeners_cut) == bool(redis), told


def differences(person: Person, expected: dict[str, dict[int, list[tuple[int, str]]]]) -> str:
    found = []
    for room, ought in expected[person.name].items():
        holds = person.holds[room]
        lacks = [message for message in ought if message not in holds]
        has = [message for message in holds if message not in ought]
        if lacks or has:
            found.append(f"{person.name} lacks {lacks[:5]} and has {has[:5]} in room {room}")
    return "; ".join(found)


def _assert_each_is_there_once(lines: dict[str, Post], put_off: set[str], told: str) -> None:
    rows = Message.objects.filter(client_id__isnull=False).order_by("pk")
    said: dict[str, list[str]] = defaultdict(list)
    spoken: dict[tuple[int, int], list[int]] = defaultdict(list)
    order = {client_id: place for place, client_id in enumerate(lines)}
    for row in rows:
        said[str(row.client_id)].append(row.body)
        if str(row.client_id) not in put_off:
            spoken[row.room_id, row.author_id].append(order[str(row.client_id)])
    assert said == {client_id: [post.becomes] for client_id, post in lines.items()}, told
    for places in spoken.values():
        assert places == sorted(places), f"not in the order sent; {told}"
