"""Answers that people stop, from wherever they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import User
from robots.models import Reply
from tests.live.server import ON_GROWN, LiveServer, environment, servers
from tests.process import wait_for
from tests.robots.provider import Provider, Request, Script
from tests.robots.test_worker_killed import LONG, farming
from tests.robots.workers import ask_at, do_at, ended, seat, written
from tests.world import World

State = Reply.State

FOR_HOURS = Script(text=LONG, pace=5, hang="middle")
PATIENT = {
    "CHAT_REPLY_FIRST_TOKEN_TIMEOUT": "3600",
    "CHAT_REPLY_SILENCE_TIMEOUT": "3600",
    "CHAT_REPLY_TIMEOUT": "3600",
}
"""Nothing but being stopped ends such an answer while a test waits."""


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


@pytest.fixture
def embedded(world: World, provider: Provider, tmp_path: Path) -> Iterator[LiveServer]:
    with servers(environment(tmp_path, REDIS_URL="", **PATIENT)) as (server,):
        yield server


def assert_stops(world: World, provider: Provider, server: LiveServer) -> None:
    """Somebody else stops it, by another connection, and the provider is hung up on."""
    provider.script("talker", FOR_HOURS)
    reply = written(ask_at(server, world.team, "@echo tell me", by=world.ben), 20)
    request = provider.asked("talker")[-1]
    hangs_up(server, reply, request, by=world.cleo)
    over = ended(reply)
    assert (over.state, over.stopped_by, over.error_code) == (State.STOPPED, world.cleo, "")
    assert (over.message.status, over.message.data["reply"]["stopped_by"]) == (
        "stopped",
        world.cleo.pk,
    )
    assert len(over.message.body) >= 20
    assert LONG.startswith(over.message.body)
    assert over.tokens_out > 0


def hangs_up(server: LiveServer, reply: Reply, request: Request, *, by: User) -> None:
    assert not request.gone
    do_at(server, reply, "stop", by=by)
    wait_for(lambda: request.gone)


def test_a_stop_closes_the_stream(world: World, provider: Provider, embedded: LiveServer) -> None:
    seat(world, provider, "talker")
    assert_stops(world, provider, embedded)


def test_what_has_not_begun_stops_as_well(
    world: World, provider: Provider, embedded: LiveServer
) -> None:
    seat(world, provider, "hang-first")
    reply = ask_at(embedded, world.team, "@echo tell me", by=world.ben)
    (request,) = wait_for(lambda: provider.asked("hang-first"))
    hangs_up(embedded, reply, request, by=world.cleo)
    over = ended(reply)
    assert (over.state, over.message.body, over.message.status) == (State.STOPPED, "", "stopped")


def test_who_waits_behind_what_is_stopped_begins(
    world: World, provider: Provider, embedded: LiveServer
) -> None:
    seat(world, provider, "talker")
    provider.script("talker", FOR_HOURS, Script(text="Your turn."))
    first = written(ask_at(embedded, world.team, "@echo tell me", by=world.ben), 20)
    second = ask_at(embedded, world.team, "@echo and me", by=world.cleo)
    do_at(embedded, first, "stop", by=world.ben)
    assert ended(second).message.body == "Your turn."


@ON_GROWN
def test_a_stop_reaches_a_worker_elsewhere(
    world: World, provider: Provider, tmp_path: Path
) -> None:
    with farming(tmp_path, processes=1, **PATIENT) as farm:
        farm.worker()
        seat(world, provider, "talker")
        assert_stops(world, provider, farm.server)
