"""Whoever watches an answer, from whichever process, always holds the beginning of the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event

import pytest

from accounts.models import User
from live import database
from robots.models import Reply
from tests.live.remote import Remote
from tests.live.server import ON_GROWN, LiveServer, environment, servers
from tests.live.writing import WORDS, Watcher
from tests.robots.provider import Provider
from tests.robots.test_worker_killed import farming
from tests.robots.workers import as_it_is, ask_at, ended, seat, written
from tests.world import World

WATCHERS = 8
TEXT = "It " + "".join(Random(1).choices([word.replace("\r", "") for word in WORDS], k=3_600)) + "."
PACE = 80
WORDS_AT_LEAST = 400
"""Said at that pace, however soon everybody has been told some."""


@dataclass
class Answer:
    """What those who watch it may hold of it."""

    pk: int
    text: str = TEXT
    ended: bool = True

    @property
    def wholes(self) -> dict[int, str]:
        return {1: self.text}


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    yield World()
    database.close()


async def watch(
    world: World,
    provider: Provider,
    at: list[LiveServer],
    *,
    disturb: Callable[[], object] | None = None,
) -> None:
    """Have a robot answer while people come and go, and what they are told is lost at times."""
    await database.run(seat, world, provider, "talker")
    hurry = Event()
    provider.answers("talker", TEXT, pace=PACE, hurry=hurry)
    reply = await database.run(ask_at, at[0], world.team, "@echo go", by=world.ben)
    reply = await database.run(written, reply)
    answer = Answer(reply.message_id)
    chance = Random(2)
    people = [world.ben, world.cleo, world.vic, world.gus]
    watchers = [
        Watcher(people[n % 4], world.team.pk, to(at[n % len(at)]), answer) for n in range(WATCHERS)
    ]
    coming = [asyncio.create_task(wander(watcher, reply, chance)) for watcher in watchers]
    (request,) = provider.asked("talker")
    while not await over(reply):
        if disturb:
            await asyncio.to_thread(disturb)
        if request.words >= WORDS_AT_LEAST and all(watcher.deltas for watcher in watchers):
            hurry.set()
        await asyncio.sleep(1)
    await asyncio.gather(*coming)
    done = await database.run(ended, reply)
    assert (done.state, done.message.body) == ("done", TEXT)
    for watcher in watchers:
        await watcher.holds_all(answer)
        await watcher.client.disconnect()
    assert all(watcher.deltas for watcher in watchers)


def to(server: LiveServer) -> Callable[[User], Awaitable[Remote]]:
    return lambda user: Remote.at(server, user)


async def wander(watcher: Watcher, reply: Reply, chance: Random) -> None:
    await asyncio.sleep(chance.uniform(0, 3))
    await watcher.come()
    while not await over(reply):
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        await watcher.step(chance)


async def over(reply: Reply) -> bool:
    return await database.run(lambda: as_it_is(reply).is_over)


async def test_in_one_process(world: World, provider: Provider, tmp_path: Path) -> None:
    with servers(environment(tmp_path, REDIS_URL="")) as (server,):
        await watch(world, provider, [server])


@ON_GROWN
async def test_in_two_processes_that_lose_what_they_are_told(
    world: World, provider: Provider, tmp_path: Path
) -> None:
    with farming(tmp_path, processes=2, CHAT_HEAD_CHECK_INTERVAL="1") as farm:
        farm.worker()
        await watch(world, provider, farm.servers, disturb=farm.redis.lose_everything)
