"""Workers that are killed, paused or stopped in the middle of an answer."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from live import database
from robots.models import Reply
from tests.live.remote import Remote
from tests.live.server import (
    ON_GROWN,
    LiveServer,
    OwnRedis,
    environment,
    own_redis,
    servers,
)
from tests.process import wait_for
from tests.robots.provider import Provider, Script
from tests.robots.workers import (
    SHORT,
    Worker,
    as_it_is,
    ask_at,
    body_of,
    do_at,
    ended,
    seat,
    written,
)
from tests.world import World

State = Reply.State

LONG = " ".join(f"word{n}" for n in range(2000))
SLOW = Script(text=LONG, pace=20)


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    yield World()
    database.close()


@pytest.fixture
def embedded(world: World, provider: Provider, tmp_path: Path) -> Iterator[LiveServer]:
    """A server with its worker inside."""
    with servers(environment(tmp_path, REDIS_URL="", **SHORT)) as (server,):
        yield server


class Farm:
    """Servers, and workers that come and go, on one Redis."""

    def __init__(
        self, stack: ExitStack, redis: OwnRedis, own: dict[str, str], servers: list[LiveServer]
    ) -> None:
        self.servers, self.server = servers, servers[0]
        self.redis = redis
        self._stack = stack
        self._own = own

    def worker(self, *arguments: str) -> Worker:
        return self._stack.enter_context(Worker(self._own, *(arguments or ("-Q", "replies"))))


@pytest.fixture
def farm(world: World, provider: Provider, tmp_path: Path) -> Iterator[Farm]:
    """Sweeping is done by a worker of its own, with the beat in it."""
    with farming(tmp_path) as found:
        found.worker("-B", "-Q", "celery")
        yield found


@contextmanager
def farming(folder: Path, *, processes: int = 1, **chosen: str) -> Iterator[Farm]:
    with own_redis() as redis, ExitStack() as stack:
        broker = urlsplit(redis.url)._replace(query="").geturl()
        own = environment(folder, REDIS_URL=redis.url, CELERY_BROKER_URL=broker, **SHORT, **chosen)
        yield Farm(stack, redis, own, stack.enter_context(servers(*[own] * processes)))


def assert_lost(reply: Reply) -> Reply:
    """Ended by the sweeper, with what was kept of it, and what can be done about it."""
    over = ended(reply)
    assert (over.state, over.error_code) == (State.FAILED, "lost")
    assert over.message.status == "failed"
    assert over.message.body
    assert LONG.startswith(over.message.body)
    names = [action["name"] for action in over.message.data["actions"]]
    assert names == ["retry", "continue"]
    return over


def test_a_killed_server_leaves_what_was_kept_and_offers_more(
    world: World, provider: Provider, embedded: LiveServer
) -> None:
    seat(world, provider, "mortal")
    provider.script("mortal", SLOW, Script(text="Once more."), Script(text=" And on."))
    reply = written(ask_at(embedded, world.team, "@echo tell me", by=world.ben), 20)
    embedded.kill()
    embedded.start()
    over = assert_lost(reply)
    do_at(embedded, over, "retry", by=world.cleo)
    again = ended(reply)
    assert (again.state, again.attempt, again.error_code) == (State.DONE, 2, "")
    assert (again.message_id, again.message.body) == (over.message_id, "Once more.")


def test_a_killed_answer_can_be_gone_on_with(
    world: World, provider: Provider, embedded: LiveServer
) -> None:
    seat(world, provider, "mortal")
    provider.script("mortal", SLOW, Script(text=" And on."))
    reply = written(ask_at(embedded, world.team, "@echo tell me", by=world.ben), 20)
    embedded.kill()
    embedded.start()
    kept = assert_lost(reply).message.body
    do_at(embedded, reply, "continue", by=world.cleo)
    assert ended(reply).message.body == f"{kept} And on."


def test_a_server_that_stops_breaks_off_what_has_begun_and_puts_back_what_has_not(
    world: World, provider: Provider, embedded: LiveServer
) -> None:
    seat(world, provider, "begun", handle="echo")
    seat(world, provider, "hang-first", handle="muse")
    provider.script("begun", SLOW)
    begun = written(ask_at(embedded, world.team, "@echo tell me", by=world.ben), 20)
    silent = ask_at(embedded, world.team, "@muse tell me", by=world.ben)
    wait_for(lambda: provider.asked("hang-first"))
    embedded.signal(signal.SIGTERM)
    assert embedded.exit_code() == 0
    over = as_it_is(begun)
    assert (over.state, over.error_code) == (State.FAILED, "restarted")
    assert len(over.message.body) >= 20
    assert (as_it_is(silent).state, as_it_is(silent).attempt) == (State.QUEUED, 1)
    provider.answers("hang-first", "Here I am.")
    embedded.end()
    embedded.start()
    assert ended(silent).message.body == "Here I am."


@ON_GROWN
def test_a_killed_worker_is_found_out_and_another_goes_on(
    world: World, provider: Provider, farm: Farm
) -> None:
    seat(world, provider, "mortal")
    provider.script("mortal", SLOW, Script(text="Once more."))
    worker = farm.worker()
    reply = written(ask_at(farm.server, world.team, "@echo tell me", by=world.ben), 20)
    held_until = as_it_is(reply).lease_until
    worker.kill()
    over = assert_lost(reply)
    assert held_until
    assert over.ended_at
    assert over.ended_at >= held_until
    farm.worker()
    do_at(farm.server, over, "retry", by=world.cleo)
    again = ended(reply)
    assert (again.state, again.attempt, again.message.body) == (State.DONE, 2, "Once more.")
    assert again.message_id == over.message_id


@ON_GROWN
async def test_a_worker_that_was_paused_for_too_long_writes_nothing_more(
    world: World, provider: Provider, farm: Farm
) -> None:
    """Nor does what it still hears get in the way of who writes the answer anew."""
    await database.run(seat, world, provider, "mortal")
    again = " ".join(f"anew{n}" for n in range(150))
    provider.script("mortal", SLOW, Script(text=again, pace=30))
    cleo = await Remote.at(farm.server, world.cleo, world.team.pk)
    paused = farm.worker()
    reply = await database.run(ask_at, farm.server, world.team, "@echo tell me", by=world.ben)
    await database.run(written, reply, 20)
    paused.signal(signal.SIGSTOP)
    over = await database.run(assert_lost, reply)
    (old,) = provider.asked("mortal")
    farm.worker()
    await cleo.call("POST", f"messages/{over.message_id}/retry/")
    await database.run(wait_for, lambda: body_of(reply).startswith("anew"))
    paused.signal(signal.SIGCONT)
    await asyncio.to_thread(wait_for, lambda: old.gone)
    over = await database.run(ended, reply)
    assert (over.state, over.attempt, over.message.body) == (State.DONE, 2, again)
    assert paused.process.poll() is None
    await cleo.message(again)
    assert_never_mixed(cleo, again)
    await cleo.disconnect()


def assert_never_mixed(client: Remote, again: str) -> None:
    """Whoever watched was told each attempt whole, one after the other."""
    told = ""
    attempts = []
    for frame in client.frames:
        for message in frame.get("messages", ()):
            if reply := message["data"].get("reply"):
                told = message["body"]
                attempts.append(reply["attempt"])
        if frame["type"] == "delta":
            assert frame["attempt"] == attempts[-1]
            assert frame["offset"] == len(told)
            told += frame["text"]
            assert (LONG if frame["attempt"] == 1 else again).startswith(told)
    assert attempts == sorted(attempts)


@ON_GROWN
def test_a_worker_that_ends_hands_on_what_it_has_not_begun(
    world: World, provider: Provider, farm: Farm
) -> None:
    seat(world, provider, "begun", handle="echo")
    seat(world, provider, "hang-first", handle="muse")
    provider.script("begun", SLOW)
    worker = farm.worker()
    begun = written(ask_at(farm.server, world.team, "@echo tell me", by=world.ben), 20)
    silent = ask_at(farm.server, world.team, "@muse tell me", by=world.ben)
    wait_for(lambda: provider.asked("hang-first"))
    provider.answers("hang-first", "Here I am.")
    assert worker.stop() == 0
    over = as_it_is(begun)
    assert (over.state, over.error_code) == (State.FAILED, "restarted")
    assert len(over.message.body) >= 20
    farm.worker()
    assert ended(silent).message.body == "Here I am."
