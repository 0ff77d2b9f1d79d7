"""Frames as they come over real connections: whole where the server takes them so, or by ASGI."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from weakref import ref

import pytest
import pytest_asyncio
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode

from chatmanager.wire import TESTED, Wire
from live import wire
from live.consumer import application
from live.database import run
from live.hub import Hub
from tests.live.client import PATIENCE
from tests.live.remote import Remote, sign_in
from tests.process import wait_until
from tests.world import World

KERNEL_BUFFER = 4_096
LONG = "x" * 15_000

SERVERS: dict[str, dict[str, Any]] = {
    "whole frames": {"ws": Wire, "ws_per_message_deflate": False},
    "uvicorn as it is": {"ws": "auto", "ws_per_message_deflate": False},
    "compressed": {"ws": Wire, "ws_per_message_deflate": True},
}


class Serving:
    """A real uvicorn in the loop of the test and its hub. `whole` counts what it took whole."""

    def __init__(self) -> None:
        self.whole = 0
        self.socket_url = ""


Serve = Callable[..., Any]


@pytest_asyncio.fixture
async def serve(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serve]:
    running: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []
    serving = Serving()
    take = Wire.write_whole

    def counted(self: Wire, frame: bytes) -> bool:
        taken = take(self, frame)
        serving.whole += taken
        return taken

    monkeypatch.setattr(Wire, "write_whole", counted)

    async def begin(**how: Any) -> Serving:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
        server = uvicorn.Server(
            uvicorn.Config(application, lifespan="off", log_config=None, access_log=False, **how)
        )
        running.append((server, asyncio.create_task(server._serve([listener]))))
        serving.socket_url = f"ws://127.0.0.1:{listener.getsockname()[1]}/ws/"
        return serving

    yield begin
    for server, task in running:
        server.should_exit = server.force_exit = True
        await task


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
def test_a_whole_frame_is_what_a_server_would_make_of_the_text(size: int) -> None:
    text = "ü" * (size // 2) + "x" * (size % 2)
    assert wire.wire(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
    frame = wire.Frame(text)
    assert wire.wire(frame) == wire.wire(text)
    assert wire.wire(frame) is wire.wire(frame)


@pytest.mark.parametrize("how", SERVERS)
async def test_all_arrives_by_every_server(world: World, hub: Hub, serve: Serve, how: str) -> None:
    serving = await serve(**SERVERS[how])
    ben = await Remote.at(serving, world.ben, world.team.pk)
    cleo = await Remote.at(serving, world.cleo, world.team.pk)
    said = ["short", "ü€😀" * 20, LONG, "😀" * 15_000, "last"]
    for body in said:
        await ben.post(world.team.pk, body)
    for client in (ben, cleo):
        await client.message("last")
        assert client.bodies == said
        await client.disconnect()
    assert bool(serving.whole) == (how == "whole frames")


async def test_who_takes_no_compressed_frames_is_sent_whole_ones(
    world: World, hub: Hub, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving = await serve(**SERVERS["compressed"])
    monkeypatch.setattr(
        "tests.live.remote.connect", lambda url, **how: connect(url, compression=None, **how)
    )
    cleo = await Remote.at(serving, world.cleo, world.team.pk)
    await run(world.say, world.team, world.ben, "here")
    await cleo.message("here")
    assert serving.whole
    await cleo.disconnect()


async def test_nothing_of_the_handshake_stays(world: World, hub: Hub, serve: Serve) -> None:
    serving = await serve(**SERVERS["whole frames"])
    cleo = await Remote.at(serving, world.cleo, world.team.pk)
    (ours,) = hub.sockets[world.cleo.pk]
    line = ours._write_whole.__self__
    assert isinstance(line, Wire)
    assert not line.scope["headers"]
    assert not {"request", "response"} & vars(line).keys()
    await run(world.say, world.team, world.ben, "after it")
    await cleo.message("after it")
    await cleo.disconnect()


@pytest.mark.parametrize("how", SERVERS)
async def test_who_reads_nothing_loses_their_line_and_nobody_else_a_frame(
    world: World, hub: Hub, serve: Serve, settings, how: str
) -> None:
    settings.CHAT_SOCKET_QUEUE_BYTES = 50_000
    serving = await serve(**SERVERS[how])
    cleo = await Remote.at(serving, world.cleo, world.team.pk)
    stuck = await connect(
        f"{serving.socket_url}rooms/{world.team.pk}/",
        additional_headers=Remote(serving, await asyncio.to_thread(sign_in, world.gus)).headers,
        max_queue=1,
        open_timeout=PATIENCE,
        compression=None if how != "compressed" else "deflate",
    )
    said = []
    while world.gus.pk in hub.sockets:
        assert len(said) < 500, "It is never let go."
        body = "".join(f"{len(said)}.{n} " for n in range(1_500))
        await run(world.say, world.team, world.ben, body)
        said.append(body)
        await cleo.message(body)
    assert cleo.bodies == said
    heard = [m for frame in await _readable(stuck) for m in json.loads(frame).get("messages", ())]
    assert len(heard) < len(said)
    await cleo.disconnect()


async def _readable(line: Any) -> list[str]:
    """What a client can still read of a line that the server has given up."""
    frames: list[str] = []
    async with asyncio.timeout(PATIENCE):
        try:
            while True:
                frames.append(await line.recv())
        except (WebSocketException, OSError):  # however it was cut
            return frames


async def close(client: Remote) -> None:
    await client.wire.close()


async def be_cut_off(client: Remote) -> None:
    client.wire.transport.abort()


LEAVE = {"by closing": close, "by being cut off": be_cut_off}


@pytest.mark.parametrize("how", SERVERS)
@pytest.mark.parametrize("leave", LEAVE)
async def test_who_leaves_meanwhile_costs_the_others_nothing(
    world: World, hub: Hub, serve: Serve, how: str, leave: str
) -> None:
    serving = await serve(**SERVERS[how])
    cleo = await Remote.at(serving, world.cleo, world.team.pk)
    said = []
    for n in range(5):
        gus = await Remote.at(serving, world.gus, world.team.pk)
        going = asyncio.create_task(LEAVE[leave](gus))
        for m in range(5):
            said.append(f"{n}.{m} {LONG}")
            await run(world.say, world.team, world.ben, said[-1])
        await going
        await gus._task
    await cleo.message(said[-1])
    assert cleo.bodies == said
    await wait_until(lambda: world.gus.pk not in hub.sockets)
    await cleo.disconnect()


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Python's garbage collector looks rarely; here it does not."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("how", SERVERS)
@pytest.mark.parametrize("leave", LEAVE)
async def test_nothing_is_left_of_who_leaves(
    world: World, hub: Hub, serve: Serve, uncollected: None, how: str, leave: str
) -> None:
    serving = await serve(**SERVERS[how])
    gus = await Remote.at(serving, world.gus, world.team.pk)
    (line,) = hub.sockets[world.gus.pk]
    left = [ref(line), ref(line.login), ref(line.user), ref(line.seats[world.team.pk].room)]
    if line._write_whole is not None:
        left.append(ref(line._write_whole.__self__))  # type: ignore[attr-defined]
    del line
    await run(world.say, world.team, world.ben, "here")
    await gus.message("here")
    await LEAVE[leave](gus)
    await gus._task
    await wait_until(lambda: not any(one() for one in left))


async def test_nothing_follows_a_closing(world: World, hub: Hub, serve: Serve) -> None:
    serving = await serve(**SERVERS["whole frames"])
    cleo = await Remote.at(serving, world.cleo, world.team.pk)
    (line,) = hub.sockets[world.cleo.pk]
    assert line._write_whole is not None
    line._write_whole.__self__.shutdown()  # type: ignore[attr-defined]
    assert not line._write_whole(wire.wire("too late"))
    await cleo._task
    assert cleo.closed == 1012
    assert not line._write_whole(wire.wire("gone"))


def test_the_installed_uvicorn_is_the_one_that_takes_whole_frames() -> None:
    """Look through `chatmanager/wire.py` before another is named there."""
    assert uvicorn.__version__.startswith(TESTED)


async def test_any_other_is_sent_to_as_asgi_has_it(
    world: World, hub: Hub, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uvicorn, "__version__", "0.55.0")
    serving = await serve(**SERVERS["whole frames"])
    cleo = await Remote.at(serving, world.cleo, world.team.pk)
    await run(world.say, world.team, world.ben, "here")
    await cleo.message("here")
    assert not serving.whole
    await cleo.disconnect()
