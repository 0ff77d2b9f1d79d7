"""A connection ends soon after its socket, whether or not its client takes what was said."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from uvicorn.config import Config
from uvicorn.server import ServerState

from chatmanager import wire
from chatmanager.wire import Wire
from tests.process import wait_until

MUCH = "x" * 8 * 2**20
"""More than the system keeps, at both ends."""
COMING = (
    b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class House:
    """Sockets that are told much and that end then, or when their client is gone."""

    def __init__(self) -> None:
        self.state = ServerState()
        self.stays = False
        self.came = self.left = 0

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.came += 1
        await send({"type": "websocket.send", "text": MUCH})
        while self.stays and (await receive())["type"] != "websocket.disconnect":
            pass
        self.left += 1

    async def open(self) -> None:
        config = Config(
            self.serve,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            ws_ping_interval=0.05,
            ws_ping_timeout=0.05,
        )
        config.load()
        listener = await asyncio.get_running_loop().create_server(
            lambda: Wire(config, self.state, {}), "127.0.0.1", 0
        )
        self.address = listener.sockets[0].getsockname()
        self.close = listener.close

    def visit(self) -> socket.socket:
        """As a client that reads nothing."""
        client = socket.create_connection(self.address)
        client.sendall(COMING)
        client.setblocking(False)
        return client


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    await house.open()
    yield house
    house.close()


async def test_who_reads_nothing_is_not_held(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "GRACE", 0.05)
    with house.visit():
        await wait_until(lambda: house.left)
        await wait_until(lambda: not house.state.connections)


async def test_who_reads_nothing_and_answers_no_ping_is_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "GRACE", 0.05)
    house.stays = True
    with house.visit():
        await wait_until(lambda: house.came)
        await wait_until(lambda: house.left and not house.state.connections)


async def test_who_cannot_be_let_in_leaves_no_error(house: House) -> None:
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: problems.append(about))
    with socket.create_connection(house.address) as client:
        client.sendall(COMING.replace(b"Sec-WebSocket-Key", b"Another-Header"))
        client.setblocking(False)
        assert b" 400 " in await asyncio.get_running_loop().sock_recv(client, 2**16)
    await wait_until(lambda: not house.state.connections)
    await asyncio.sleep(0)
    assert problems == []


async def test_who_reads_on_is_told_all_of_it(house: House) -> None:
    with house.visit() as client:
        await wait_until(lambda: house.left)
        told = 0
        while some := await asyncio.get_running_loop().sock_recv(client, 2**16):
            told += len(some)
        assert told > len(MUCH)
    await wait_until(lambda: not house.state.connections)
