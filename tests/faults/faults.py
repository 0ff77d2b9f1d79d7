"""What befalls a house, and how it is mended again: each fault returns when all is up again."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from tests.faults.house import LEASE, House, Login
from tests.faults.load import Load, Person, Post
from tests.live.server import LiveServer


@dataclass
class Scene:
    """Where a fault is to happen."""

    house: House
    load: Load
    random: Random
    crowd: int = 1000
    """How many come back at once."""


@dataclass(frozen=True)
class Fault:
    name: str
    inject: Callable[[Scene], Awaitable[None]]
    missing: Callable[[House], str] = lambda house: ""
    """Why it cannot happen to that house; nothing where it can."""
    forgotten_after: float = 10
    """Seconds within which the servers let go of connections whose client is gone."""


async def nothing(scene: Scene) -> None:
    """A quiet day: all must hold here, too, and memory is measured against it."""


async def kill_server(scene: Scene) -> None:
    """As a power cut would; it comes back on the same port."""
    server = scene.random.choice(scene.house.servers)
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(scene.random.uniform(0, 1))
    await asyncio.to_thread(server.start)


async def kill_worker(scene: Scene) -> None:
    workers = scene.house.workers
    at = scene.random.randrange(len(workers))
    await asyncio.to_thread(workers[at].kill)
    await asyncio.sleep(scene.random.uniform(0, 2))
    workers[at] = scene.house.worker("-Q", "replies")
    await asyncio.to_thread(scene.house.wait_for_workers)


async def hang_worker(scene: Scene) -> None:
    """For longer than its lease: others have given it up when it goes on."""
    worker = scene.random.choice(scene.house.workers)
    worker.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(LEASE * scene.random.uniform(1.5, 2))
    finally:
        worker.signal(signal.SIGCONT)


async def kill_postgres(scene: Scene) -> None:
    postgres = scene.house.postgres
    assert postgres is not None
    await asyncio.to_thread(postgres.kill)
    await asyncio.sleep(scene.random.uniform(0, 4))
    await asyncio.to_thread(postgres.start)


async def kill_redis(scene: Scene) -> None:
    redis = scene.house.redis
    assert redis is not None
    await asyncio.to_thread(redis.kill)
    await asyncio.sleep(scene.random.uniform(0, 4))
    await asyncio.to_thread(redis.start)


async def forget(scene: Scene) -> None:
    """Redis loses all that it knows."""
    assert scene.house.forget is not None
    await asyncio.to_thread(scene.house.forget)


async def fill_disk(scene: Scene) -> None:
    """Nothing more can be written where the files are, and SQLite's database."""
    disk = scene.house.disk
    assert disk is not None
    await asyncio.to_thread(disk.fill)
    try:
        await asyncio.sleep(scene.random.uniform(1, 4))
    finally:
        disk.free()


WRONG = 3600.0
"""Seconds by which clocks are wrong, at most."""


async def set_clocks(scene: Scene) -> None:
    """Ahead or back, of all hosts or of one, and right again; then something breaks, and is found
    by those who go by the clock.
    """
    clocks, random = scene.house.clocks, scene.random
    if random.random() < 0.5:
        clocks = [random.choice(clocks)]
    for ahead in (random.choice([-1, 1]) * random.uniform(LEASE * 2, WRONG), 0):
        for clock in clocks:
            clock.set(ahead)
        await asyncio.sleep(random.uniform(1.5, 3))
    await (kill_worker if scene.house.workers else kill_server)(scene)


SLOW = 20
SHOUTS, SHOUT = 60, "All of this has to be taken by everybody who listens. " * 280
"""More than the system and the server keep for a socket."""


async def stop_reading(scene: Scene) -> None:
    """Clients that take nothing more while much is said. They never go by themselves."""
    load = scene.load
    for _ in range(SLOW):
        login = scene.random.choice(scene.house.people)
        server = load.some_server(scene.random)
        headers = login.headers
        wire = await connect(
            server.socket_url, additional_headers=headers, max_queue=1, ping_interval=None
        )
        load.leftovers.append(wire.transport.abort)
        for room in load.rooms:
            await wire.send(json.dumps({"type": "join", "room": room}))
    loud = next(person for person in load.people if person.posts == "")
    for n in range(SHOUTS):
        room = load.rooms[n % len(load.rooms)]
        await loud.say(Post(loud.login.user, room, f"{n}: {SHOUT}"))


SILENT = 50


async def fall_silent(scene: Scene) -> None:
    """Clients of which nothing is heard any more, as of hosts that vanish: no FIN, no pong."""
    for _ in range(SILENT):
        login = scene.random.choice(scene.house.people)
        await _vanish(login, scene.load.some_server(scene.random), scene.load)


async def _vanish(login: Login, server: LiveServer, load: Load) -> None:
    """Come, join, and from then on only let the system take what is sent."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    load.leftovers.append(lambda: writer.transport.abort())  # a writer nobody holds hangs up
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    lines = [
        "GET /ws/ HTTP/1.1",
        f"Host: {address.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in login.headers.items()),
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    await reader.readuntil(b"\r\n\r\n")
    for room in load.rooms:
        frame = json.dumps({"type": "join", "room": room}).encode()
        # A short text frame, masked with zeros.
        writer.write(bytes([0x81, 0x80 | len(frame), 0, 0, 0, 0]) + frame)
    load.keep(_discard(reader))


async def _discard(reader: asyncio.StreamReader) -> None:
    while await reader.read(2**16):
        pass


async def come_back_at_once(scene: Scene) -> None:
    """A crowd joins at once; is cut off; and comes back with its cursors, at once."""
    load = scene.load
    crowd = [person for person in load.people if person.is_of_a_crowd]
    if not crowd:
        crowd = [_one_of_many(n, scene) for n in range(scene.crowd)]
        await load.join(crowd)
    for person in crowd:
        person.cut()
    await load.complete()


def _one_of_many(n: int, scene: Scene) -> Person:
    people = scene.house.people
    login, random = people[n % len(people)], Random(scene.random.random())
    person = Person(login, scene.load, random, posts="")
    person.is_of_a_crowd = True
    return person


def _unless(what: str, has: Callable[[House], object]) -> Callable[[House], str]:
    return lambda house: "" if has(house) else what


FAULTS = {
    fault.name: fault
    for fault in [
        Fault("nothing", nothing),
        Fault("server", kill_server),
        Fault("worker", kill_worker, _unless("it is in the server", lambda h: h.workers)),
        Fault("hang", hang_worker, _unless("it is in the server", lambda h: h.workers)),
        Fault("postgres", kill_postgres, _unless("there is none of ours", lambda h: h.postgres)),
        Fault("redis", kill_redis, _unless("there is none of ours", lambda h: h.redis)),
        Fault("flush", forget, _unless("there is no Redis", lambda h: h.forget)),
        Fault("clock", set_clocks),
        Fault("disk", fill_disk, _unless("no small disk could be mounted", lambda h: h.disk)),
        Fault("slow", stop_reading, forgotten_after=60),
        Fault("silent", fall_silent, forgotten_after=60),
        Fault("crowd", come_back_at_once),
    ]
}
