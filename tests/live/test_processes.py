"""Server processes: two that serve one room as one, and how they stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
import pytest_asyncio
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from accounts import tokens
from accounts.models import Login
from messages.models import Message
from tests.live.client import PATIENCE, Client, Frame
from tests.live.server import ON_GROWN, LiveServer, OwnRedis, environment, own_redis, servers
from tests.process import database, wait_for
from tests.world import World

NEVER = "3600"


class Remote(Client):
    """The same client, over a real socket. It may call the API of any server, too."""

    wire: ClientConnection

    def __init__(self, server: LiveServer, pair: tokens.TokenPair) -> None:
        super().__init__()
        self.server = server
        self.pair = pair
        self.headers = {"Authorization": f"Bearer {pair['access']}"}

    async def connect(
        self, room: int | None = None, *, headers: Any = None, **query: str
    ) -> None:
        path = "" if room is None else f"rooms/{room}/"
        url = f"{self.server.socket_url}{path}?{urlencode(query)}"
        self.wire = await connect(url, additional_headers=self.headers, max_size=None)
        self._task = asyncio.create_task(self._listen())
        await self.frame("hello")
        if room is not None:
            await self.frame("joined")

    async def _listen(self) -> None:
        try:
            while True:
                await self._take({"type": "websocket.send", "text": await self.wire.recv()})
        except ConnectionClosed:
            await self._take({"type": "websocket.close", "code": self.wire.close_code})

    async def send_text(self, text: str) -> None:
        await self.wire.send(text)

    async def disconnect(self) -> None:
        await self.wire.close()
        await self._task

    async def call(self, method: str, path: str, at: LiveServer, **body: Any) -> Any:
        """What the API of that server answers, which must be a success."""
        async with httpx.AsyncClient(base_url=f"{at.url}/api/v1/", headers=self.headers) as http:
            answer = await http.request(method, path, json=body, timeout=30)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


Come = Callable[..., Awaitable[Remote]]


@pytest_asyncio.fixture
async def come(world: World) -> AsyncIterator[Come]:
    """`await come(world.ben, server, room)`: there, connected, and gone after the test."""
    here: list[Remote] = []

    async def come(user: Any, server: LiveServer, room: int | None = None) -> Remote:
        remote = Remote(server, await asyncio.to_thread(_sign_in, user))
        await remote.connect(room)
        here.append(remote)
        return remote

    yield come
    for remote in here:
        await remote.disconnect()


def _sign_in(user: Any) -> tokens.TokenPair:
    from django.db import connection

    try:
        return tokens.issue(Login.objects.start(user, kind=Login.Kind.TOKEN))
    finally:
        connection.close()


# Two processes, one chat


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    with own_redis() as redis:
        yield redis


@pytest.fixture
def pair(world: World, redis: OwnRedis, tmp_path: Path) -> Iterator[list[LiveServer]]:
    """Two that hear of each other through Redis alone: no head check comes to help."""
    one = environment(tmp_path, REDIS_URL=redis.url, CHAT_HEAD_CHECK_INTERVAL=NEVER)
    with servers(one, one) as pair:
        yield pair


@pytest.fixture
def deaf_pair(world: World, redis: OwnRedis, tmp_path: Path) -> Iterator[list[LiveServer]]:
    """Two that never hear of each other: every wake is lost, and only the head check heals."""
    one = environment(tmp_path, REDIS_URL=redis.url, CHAT_HEAD_CHECK_INTERVAL="1")
    with servers(
        {**one, "CHAT_REDIS_PREFIX": "deaf-a"}, {**one, "CHAT_REDIS_PREFIX": "deaf-b"}
    ) as pair:
        yield pair


@ON_GROWN
async def test_two_processes_serve_one_room_as_one(
    world: World, pair: list[LiveServer], come: Come
) -> None:
    here, there = pair
    room = world.team.pk
    ben = await come(world.ben, here, room)
    cleo, gus = await come(world.cleo, there, room), await come(world.gus, there, room)

    said = (await ben.post(room, "hello over there"))["message"]
    assert (await cleo.message("hello over there"))["id"] == said["id"]
    await cleo.post(room, "hello over here")
    await ben.message("hello over here")

    await ben.post(room, "psst", audience="only", to=[world.cleo.pk])
    await cleo.message("psst")

    await ben.call("PATCH", f"messages/{said['id']}/", there, body="hello again")
    assert (await cleo.message("hello again"))["version"] == 2
    assert (await ben.message("hello again"))["version"] == 2
    await ben.call("DELETE", f"messages/{said['id']}/", here)
    assert (await cleo.message(""))["deleted_at"]
    await gus.message("")
    assert "psst" not in gus.bodies


@ON_GROWN
async def test_who_comes_and_goes_does_so_in_both_processes(
    world: World, pair: list[LiveServer], come: Come
) -> None:
    here, there = pair
    room = world.team.pk
    people = f"rooms/{room}/participants/"
    ben = await come(world.ben, here, room)
    cleo, gus, vic = [
        await come(user, there, room) for user in (world.cleo, world.gus, world.vic)
    ]
    otto = await come(world.otto, there)

    await ben.call("POST", people, here, user=world.otto.pk)
    assert (await otto.frame("activity"))["room"] == room
    await otto.send("join", room=room)
    await otto.frame("joined")
    await ben.post(room, "welcome")
    await otto.message("welcome")

    await ben.call("PATCH", f"{people}{world.vic.pk}/", here, role="member")
    await vic.frame("reset", room=room)
    assert (await vic.frame("joined"))["me"]["role"] == "member"

    await ben.call("DELETE", f"{people}{world.gus.pk}/", here)
    assert (await gus.frame("left"))["reason"] == "removed"
    await ben.post(room, "without gus")
    await cleo.message("without gus")
    await gus.settle()
    assert "without gus" not in gus.bodies


@ON_GROWN
async def test_who_is_there_types_and_reads_is_told_in_both_processes(
    world: World, pair: list[LiveServer], come: Come
) -> None:
    here, there = pair
    room = world.team.pk
    cleo = await come(world.cleo, there, room)
    ben = await come(world.ben, here, room)
    gus, too = await come(world.gus, there, room), await come(world.ben, there, room)
    await cleo.frame("presence", user=world.ben.pk, state="online")

    await ben.send("typing", room=room)
    assert (await cleo.frame("typing"))["user"] == world.ben.pk
    await gus.frame("typing", audience="everyone")
    await ben.send("typing", room=room, audience="only", to=[world.cleo.pk])
    await cleo.frame("typing", audience="only")

    said = (await cleo.post(room, "read me"))["message"]["id"]
    await ben.message("read me")
    await ben.send("read", room=room, message=said)
    assert (await too.frame("read"))["message"] == said
    assert (await cleo.frame("read", user=world.ben.pk))["message"] == said
    await gus.frame("read")
    assert not [frame for frame in gus.frames if frame["type"] == "typing"]

    await too.send("presence", state="away")
    await too.settle()
    await ben.disconnect()
    await cleo.frame("presence", user=world.ben.pk, state="away")
    await too.disconnect()
    await cleo.frame("presence", user=world.ben.pk, state="offline")


@ON_GROWN
async def test_signing_out_at_one_closes_the_socket_at_the_other(
    world: World, pair: list[LiveServer], come: Come
) -> None:
    here, there = pair
    ben, cleo = await come(world.ben, there), await come(world.cleo, there)
    await ben.call("POST", "auth/logout/", here, refresh=ben.pair["refresh"])
    assert (await ben.frame("bye"))["reason"] == "signed_out"
    assert await ben.closing() == 4001
    await cleo.settle()


@ON_GROWN
async def test_lost_wakes_heal_by_the_head_check(
    world: World, deaf_pair: list[LiveServer], come: Come
) -> None:
    here, there = deaf_pair
    room = world.team.pk
    people = f"rooms/{room}/participants/"
    ben = await come(world.ben, here, room)
    cleo, gus, vic = [
        await come(user, there, room) for user in (world.cleo, world.gus, world.vic)
    ]
    otto = await come(world.otto, there)

    said = (await ben.post(room, "unheard"))["message"]["id"]
    await cleo.message("unheard")
    await ben.call("PATCH", f"messages/{said}/", here, body="unheard of")
    await cleo.message("unheard of")

    await ben.call("POST", people, here, user=world.otto.pk)
    assert (await otto.frame("activity"))["room"] == room
    await ben.call("PATCH", f"{people}{world.vic.pk}/", here, role="member")
    await vic.frame("reset", room=room)

    await ben.call("DELETE", f"{people}{world.gus.pk}/", here)
    await ben.post(room, "without gus")
    await cleo.message("without gus")
    await gus.frame("left")
    assert "without gus" not in gus.bodies

    await cleo.call("POST", "auth/logout/", here, refresh=cleo.pair["refresh"])
    assert (await cleo.frame("bye"))["reason"] == "signed_out"


@ON_GROWN
async def test_a_process_that_lost_redis_listens_again(
    world: World, pair: list[LiveServer], redis: OwnRedis, come: Come
) -> None:
    here, there = pair
    room = world.team.pk
    ben, cleo = await come(world.ben, here, room), await come(world.cleo, there, room)
    await ben.post(room, "before")
    await cleo.message("before")
    assert await asyncio.to_thread(redis.lose_everything) == 2

    async def say_until_heard() -> None:
        n = 0
        while not any(body.startswith("said") for body in cleo.bodies):
            n += 1
            await ben.post(room, f"said {n}")

    async with asyncio.timeout(PATIENCE):
        await say_until_heard()
    last = (await ben.post(room, "after"))["message"]["id"]
    assert (await cleo.message("after"))["id"] == last
    told = [message["id"] for message in cleo.messages]
    assert told == sorted({m["id"] for m in ben.messages}), "all of it, each once"


# How they stop


@pytest.fixture
def server(world: World, tmp_path: Path) -> Iterator[LiveServer]:
    with servers(environment(tmp_path, REDIS_URL="", CHAT_HEAD_CHECK_INTERVAL=NEVER)) as (server,):
        yield server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_request_under_way_is_finished(
    world: World, server: LiveServer, come: Come, number: int
) -> None:
    """It is under way when the server has asked for its body; the body comes after the signal."""
    ben = await come(world.ben, server, world.team.pk)
    body = json.dumps({"client_id": str(uuid4()), "body": "slowly"}).encode()
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        f"POST /api/v1/rooms/{world.team.pk}/messages/ HTTP/1.1\r\n"
        f"Host: {address.netloc}\r\nAuthorization: {ben.headers['Authorization']}\r\n"
        "Content-Type: application/json\r\nExpect: 100-continue\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
    )
    assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
    server.signal(number)
    assert (await ben.frame("bye"))["reason"] == "restarting"
    assert await ben.closing() == 1012
    writer.write(body)
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 201 "), answer
    assert await asyncio.to_thread(server.exit_code) == 0
    assert await asyncio.to_thread(_has_been_said, "slowly")


async def test_what_was_posted_before_the_stop_is_committed_and_answered(
    world: World, server: LiveServer, come: Come
) -> None:
    ben = await come(world.ben, server, world.team.pk)
    with writing_held_up(world.team.pk):
        await ben.send("post", room=world.team.pk, client_id=str(uuid4()), body="just in time")
        await ben.settle()
        server.signal(signal.SIGTERM)
        await asyncio.to_thread(wait_for, lambda: not _listens(server))
        assert not [frame for frame in ben.frames if frame["type"] in ("posted", "bye")]
    assert (await ben.frame("posted"))["message"]["body"] == "just in time"
    assert (await ben.frame("bye"))["reason"] == "restarting"
    assert await asyncio.to_thread(server.exit_code) == 0
    assert await asyncio.to_thread(_has_been_said, "just in time")


@contextmanager
def writing_held_up(room: int) -> Iterator[None]:
    """Another holds the lock that a post in the room needs."""
    from django.db import connection

    if settings.CHAT_ON_SQLITE:
        name = str(connection.settings_dict["NAME"])
        other = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
    else:
        its = connection.settings_dict
        other = psycopg.connect(
            host=its["HOST"], port=its["PORT"], user=its["USER"], password=its["PASSWORD"],
            dbname=its["NAME"],
        )
        other.execute("SELECT 1 FROM rooms_room WHERE id = %s FOR UPDATE", [room])
    try:
        yield
    finally:
        other.rollback()
        other.close()


def _listens(server: LiveServer) -> bool:
    try:
        httpx.get(f"{server.url}/healthz")
    except httpx.ConnectError:
        return False
    return True


def _has_been_said(body: str) -> bool:
    from django.db import connection

    try:
        return Message.objects.filter(body=body).count() == 1
    finally:
        connection.close()


