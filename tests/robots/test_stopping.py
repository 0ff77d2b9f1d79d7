"""Answers that people stop, from wherever they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from accounts.models import User
from robots.models import Reply
from tests.live.server import ON_GROWN, LiveServer, environment, servers
from tests.process import wait_for
from tests.robots.provider import Provider, Request, Script
from tests.robots.test_worker_killed import LONG, SLOW, farming
from tests.robots.workers import ask_at, calling, do_at, ended, seat, written
from tests.world import World

State = Reply.State

AT_ONCE = 1.0
"""Seconds within which the provider is hung up on."""


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


@pytest.fixture
def embedded(world: World, provider: Provider, tmp_path: Path) -> Iterator[LiveServer]:
    with servers(environment(tmp_path, REDIS_URL="")) as (server,):
        yield server


def assert_stops(world: World, provider: Provider, server: LiveServer) -> None:
    """Somebody else stops it, by another connection, and the provider is hung up on at once.

    Of three times two: where all of a machine stands still for a moment, that is not measured.
    """
    provider.script("talker", SLOW)
    assert median([stopped(world, provider, server) for _ in range(3)]) <= AT_ONCE


def stopped(world: World, provider: Provider, server: LiveServer) -> float:
    """Seconds from asking for it until the provider is hung up on."""
    reply = written(ask_at(server, world.team, "@echo tell me", by=world.ben), 20)
    request = provider.asked("talker")[-1]
    took = hung_up(server, reply, request, by=world.cleo)
    over = ended(reply)
    assert (over.state, over.stopped_by, over.error_code) == (State.STOPPED, world.cleo, "")
    assert (over.message.status, over.message.data["reply"]["stopped_by"]) == (
        "stopped",
        world.cleo.pk,
    )
    assert len(over.message.body) >= 20
    assert LONG.startswith(over.message.body)
    assert over.tokens_out > 0
    return took


def hung_up(server: LiveServer, reply: Reply, request: Request, *, by: User) -> float:
    with calling(server, by) as api:
        since = time.monotonic()
        assert api.post(f"messages/{reply.message_id}/stop/").is_success
    wait_for(lambda: request.gone)
    assert request.gone
    return request.gone - since


def test_a_stop_closes_the_stream(world: World, provider: Provider, embedded: LiveServer) -> None:
    seat(world, provider, "talker")
    assert_stops(world, provider, embedded)


def test_what_has_not_begun_stops_as_well(
    world: World, provider: Provider, embedded: LiveServer
) -> None:
    seat(world, provider, "hang-first")
    reply = ask_at(embedded, world.team, "@echo tell me", by=world.ben)
    (request,) = wait_for(lambda: provider.asked("hang-first"))
    assert hung_up(embedded, reply, request, by=world.cleo) <= AT_ONCE
    over = ended(reply)
    assert (over.state, over.message.body, over.message.status) == (State.STOPPED, "", "stopped")


def test_who_waits_behind_what_is_stopped_begins(
    world: World, provider: Provider, embedded: LiveServer
) -> None:
    seat(world, provider, "talker")
    provider.script("talker", SLOW, Script(text="Your turn."))
    first = written(ask_at(embedded, world.team, "@echo tell me", by=world.ben), 20)
    second = ask_at(embedded, world.team, "@echo and me", by=world.cleo)
    do_at(embedded, first, "stop", by=world.ben)
    assert ended(second).message.body == "Your turn."


@ON_GROWN
def test_a_stop_reaches_a_worker_elsewhere(
    world: World, provider: Provider, tmp_path: Path
) -> None:
    with farming(tmp_path) as farm:
        farm.worker()
        seat(world, provider, "talker")
        assert_stops(world, provider, farm.server)
