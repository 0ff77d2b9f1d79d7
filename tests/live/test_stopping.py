"""How a server starts and stops: nothing under way is lost, and it is one process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
from django.conf import settings
from django.db import connection

from messages.models import Message
from tests.live.client import PATIENCE
from tests.live.remote import Remote
from tests.live.server import LiveServer, environment, servers
from tests.process import database, free_port, wait_for
from tests.world import World


@pytest.fixture
def server(world: World, tmp_path: Path) -> Iterator[LiveServer]:
    with servers(environment(tmp_path, REDIS_URL="")) as (server,):
        yield server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_request_under_way_is_finished(
    world: World, server: LiveServer, number: int
) -> None:
    """It is under way when the server has asked for its body; the body comes after the signal."""
    ben = await Remote.at(server, world.ben, world.team.pk)
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
    world: World, server: LiveServer
) -> None:
    ben = await Remote.at(server, world.ben, world.team.pk)
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


async def test_who_does_not_come_back_after_a_kill_is_offline_in_the_end(
    world: World, tmp_path: Path
) -> None:
    """Their lease in the killed process ends, and whoever was told that they are there hears it."""
    short = {"CHAT_PRESENCE_RENEW": "1", "CHAT_PRESENCE_LEASE": "6"}
    with servers(environment(tmp_path, REDIS_URL="", **short)) as (server,):
        cleo = await Remote.at(server, world.cleo, world.team.pk)
        await Remote.at(server, world.ben, world.team.pk)
        await cleo.frame("presence", user=world.ben.pk, state="online")
        await asyncio.to_thread(server.kill)
        await cleo.closing()
        await asyncio.to_thread(server.start)
        cleo = await Remote.at(server, world.cleo)
        await cleo.send("join", room=world.team.pk)
        joined = await cleo.frame("joined")
        (ben,) = (person for person in joined["people"] if person["id"] == world.ben.pk)
        if ben["presence"] != "offline":  # a slow start outlasts the lease
            await cleo.frame("presence", user=world.ben.pk, state="offline")
        await cleo.disconnect()


@contextmanager
def writing_held_up(room: int) -> Iterator[None]:
    """Another holds the lock that a post in the room needs."""
    if settings.CHAT_ON_SQLITE:
        name = str(connection.settings_dict["NAME"])
        other = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
    else:
        its = connection.settings_dict
        other = psycopg.connect(
            host=its["HOST"],
            port=its["PORT"],
            user=its["USER"],
            password=its["PASSWORD"],
            dbname=its["NAME"],
        )
        other.execute("SELECT 1 FROM rooms_room WHERE id = %s FOR UPDATE", [room])
    try:
        yield
    finally:
        other.rollback()
        other.close()


def _listens(server: LiveServer) -> bool:
    address = urlsplit(server.url)
    try:
        socket.create_connection((address.hostname, address.port), PATIENCE).close()
    except OSError:
        return False
    return True


def _has_been_said(body: str) -> bool:
    try:
        return Message.objects.filter(body=body).count() == 1
    finally:
        connection.close()


def test_bin_run_ends_in_one_python_process(tmp_path: Path) -> None:
    with database(tmp_path) as own:
        process = subprocess.Popen(
            ["bin/run"],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "chatmanager.settings",
                "PORT": "0",
                "CHAT_DEBUG": "1",  # static files as they are: nothing to collect
                "CHAT_DEMO": "0",
                "REDIS_URL": "",
                **own,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            said = (re.search(r"http://\S+", line) for line in process.stdout or ())
            url = next(found.group() for found in said if found)
            wait_for(lambda: _answers(f"{url}/readyz"))
            command = Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")
            assert Path(command[0]).name.startswith("python")
            assert command[1:3] == ["-m", "chatmanager"]
            assert not [
                child
                for children in Path(f"/proc/{process.pid}/task").glob("*/children")
                for child in children.read_text().split()
            ]
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.communicate()


async def test_runserver_serves_the_socket_too(world: World, tmp_path: Path) -> None:
    """Daphne, while developing."""
    chosen = environment(tmp_path, REDIS_URL="", CHAT_DEBUG="1")
    server = await asyncio.to_thread(Developing, chosen)
    try:
        ben = await Remote.at(server, world.ben, world.team.pk)
        cleo = await Remote.at(server, world.cleo, world.team.pk)
        await ben.post(world.team.pk, "while developing")
        assert (await cleo.message("while developing"))["author"]["handle"] == "ben"
        await ben.disconnect()
        await cleo.disconnect()
    finally:
        server.end()


class Developing:
    """`manage.py runserver`, as far as a client of it needs to know."""

    def __init__(self, chosen: dict[str, str]) -> None:
        """Returns when it is ready, on a port that nobody took before it could."""
        for _ in range(3):
            self._start(free_port(), chosen)
            try:
                wait_for(lambda: self._has_ended or _answers(f"{self.url}/readyz"))
            except BaseException:
                self.end()
                raise
            if not self._has_ended:
                return
        raise AssertionError("It ends again and again.")

    @property
    def _has_ended(self) -> bool:
        return self._process.poll() is not None

    def _start(self, port: int, chosen: dict[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.socket_url = f"ws://127.0.0.1:{port}/ws/"
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", str(port)],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "chatmanager.settings", **chosen},
            stdout=subprocess.DEVNULL,
        )

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False
