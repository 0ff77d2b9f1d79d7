"""What was lost is found again: words to workers, and workers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from queue import Queue
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts import locks
from chatmanager.celery import app
from chatmanager.worker import EmbeddedWorker
from live import database
from messages.models import Message
from robots import checkpoints, runner, work
from robots.checkpoints import Checkpoint
from robots.models import Reply, Robot, RobotSeat, replies
from robots.outcome import Outcome
from robots.tasks import sweep_replies
from rooms.models import Room
from tests.live.server import environment, servers
from tests.process import PATIENCE
from tests.race import race
from tests.robots.provider import Provider
from tests.robots.workers import as_it_is, ask, ask_at, ended, seat
from tests.world import World

State = Reply.State

on_postgresql = pytest.mark.skipif(
    settings.CHAT_ON_SQLITE, reason="SQLite has one writer, and one process: set DATABASE_URL."
)


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    yield World()
    database.close()


@pytest.fixture
def worker() -> Iterator[EmbeddedWorker]:
    worker = EmbeddedWorker(beat=False)
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture
def running(world: World, provider: Provider) -> Reply:
    """A reply that somebody is writing."""
    seat(world, provider, "fine")
    reply = ask(world.team, "@echo hello", by=world.ben)
    taken = Reply.objects.take(reply.pk, worker="w")
    assert taken is not None
    assert taken.begin_streaming(ttft_ms=1)
    checkpoints.keep([Checkpoint(taken.message.pk, 1, "So far")])
    return taken


def lose(reply: Reply) -> None:
    """Its worker is not heard of any more."""
    past = timezone.now() - timedelta(seconds=1)
    Reply.objects.filter(pk=reply.pk).update(lease_until=past)


def overlook(reply: Reply) -> None:
    past = timezone.now() - settings.CHAT_REPLY_SWEEP_INTERVAL * 2
    Reply.objects.filter(pk=reply.pk).update(queued_at=past)


def test_what_no_worker_heard_of_is_told_again(
    world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat(world, provider, "fine")
    reply = ask(world.team, "@echo hello", by=world.ben)
    app.control.purge()
    overlook(reply)
    worker = EmbeddedWorker(beat=False)
    worker.start()
    try:
        sweep_replies()
        assert ended(reply).state == State.DONE
    finally:
        worker.stop()


def test_no_more_is_told_at_once_than_fits_and_everybody_has_a_turn(
    world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that no worker can take, however old, do not keep the others from being told of."""
    seat(world, provider, "fine")
    told: list[int] = []
    rooms = [world.team, *(Room.objects.open("Beside", by=world.ben) for _ in range(4))]
    for room in rooms[1:]:
        RobotSeat.objects.seat(Robot.objects.get(), room, by=world.ben)
    waiting = [ask(room, "@echo hello", by=world.ben) for room in rooms]
    for reply in waiting:
        overlook(reply)
    monkeypatch.setattr(replies, "SWEPT_AT_ONCE", 2)
    monkeypatch.setattr(work, "_pass_on", lambda word: told.append(word.row))
    rounds = []
    for _ in range(5):
        told.clear()
        sweep_replies()
        rounds.append(set(told))
    everybody = {reply.pk for reply in waiting}
    assert [len(some) for some in rounds] == [2] * 5
    assert rounds[0] | rounds[1] | rounds[2] == everybody
    assert rounds[2] | rounds[3] | rounds[4] == everybody


def test_what_waits_behind_another_is_not(running: Reply, world: World) -> None:
    behind = ask(world.team, "@echo and now?", by=world.cleo)
    overlook(behind)
    assert not Reply.objects.overlooked().exists()
    assert running.finish(Outcome(text="Done."))
    assert Reply.objects.overlooked().get() == behind


def test_what_lost_its_worker_ends_with_what_was_kept(running: Reply) -> None:
    lose(running)
    sweep_replies()
    sweep_replies()
    over = as_it_is(running)
    assert (over.state, over.error_code) == (State.FAILED, "lost")
    assert (over.message.status, over.message.body) == ("failed", "So far")
    assert over.message.data["reply"]["error"]["message"]
    assert [a["name"] for a in over.message.data["actions"]] == ["retry", "continue"]


def test_what_was_stopped_and_lost_is_stopped(running: Reply, world: World) -> None:
    running.stop(by=world.cleo)
    lose(running)
    sweep_replies()
    over = as_it_is(running)
    assert (over.state, over.stopped_by) == (State.STOPPED, world.cleo)


def test_what_has_a_worker_is_left_alone(running: Reply) -> None:
    lose(running)
    Reply.objects.renew([running.pk], worker="w")
    sweep_replies()
    assert as_it_is(running).state == State.STREAMING


def test_what_was_given_up_is_nobodys(running: Reply, world: World) -> None:
    """Its worker was only slow: nothing of it is taken any more."""
    lose(running)
    sweep_replies()
    Reply.objects.renew([running.pk], worker="w")
    assert as_it_is(running).lease_until is None
    assert not Reply.objects.held_by("w").exists()
    assert not running.begin_streaming(ttft_ms=1)
    assert not running.finish(Outcome(text="Too late."))
    assert not running.put_back(Outcome(text=""))
    as_it_is(running).retry(by=world.ben)
    assert Reply.objects.take(running.pk, worker="another") is not None
    assert not running.finish(Outcome(text="Much too late."))
    assert not running.finish(Outcome(text="And once more."))
    now = as_it_is(running)
    assert (now.state, now.attempt, now.message.body) == (State.THINKING, 2, "")


@on_postgresql
def test_one_that_cannot_be_ended_keeps_no_other_from_it(
    running: Reply, world: World, provider: Provider
) -> None:
    seat(world, provider, "fine", handle="muse")
    elsewhere = ask(world.team, "@muse hello", by=world.ben)
    taken = Reply.objects.take(elsewhere.pk, worker="w")
    assert taken is not None
    lose(running)
    lose(taken)
    locked = held(lambda: list(Reply.objects.select_for_update().filter(pk=running.pk)))
    with locked, waiting_a_second_for_locks():
        sweep_replies()
        assert as_it_is(taken).state == State.FAILED
        assert as_it_is(running).state == State.STREAMING
    sweep_replies()
    assert as_it_is(running).state == State.FAILED


@contextmanager
def waiting_a_second_for_locks() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 1000")
        try:
            yield
        finally:
            cursor.execute("RESET lock_timeout")


@contextmanager
def held(work: Callable[[], object]) -> Iterator[None]:
    """Another transaction has done that, and is not over."""
    done, over = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                work()
                done.set()
                over.wait(PATIENCE)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        try:
            assert done.wait(PATIENCE)
            yield
        finally:
            over.set()
        holding.result(PATIENCE)


class TestCheckpoints:
    def test_many_are_kept_at_once(self, world: World, provider: Provider) -> None:
        texts = {}
        for number in range(30):
            robot = seat(world, provider, "fine", handle=f"bot{number}")
            reply = ask(world.team, f"@{robot.user.handle} hello", by=world.ben)
            texts[reply.message_id] = f"“{number}” \\ 🦜 \n'x'"
        revisions = dict(Message.objects.filter(pk__in=texts).values_list("pk", "revision"))
        with connection.execute_wrapper(counted := Counted()):
            checkpoints.keep([Checkpoint(pk, 1, text) for pk, text in texts.items()])
        assert counted.statements == 1
        rows = Message.objects.filter(pk__in=texts)
        assert dict(rows.values_list("pk", "body")) == texts
        assert dict(rows.values_list("pk", "revision")) == revisions

    def test_what_has_ended_stays_as_it_ended(self, running: Reply) -> None:
        running.finish(Outcome(text="The end."))
        checkpoints.keep([Checkpoint(running.message.pk, 1, "The end. And")])
        assert as_it_is(running).message.body == "The end."

    def test_an_earlier_attempt_writes_nothing(self, running: Reply, world: World) -> None:
        running.stop(by=world.ben)
        running.finish(Outcome(text="So far"))
        running.retry(by=world.ben)
        checkpoints.keep([Checkpoint(running.message.pk, 1, "So far, so late")])
        assert as_it_is(running).message.body == ""

    def test_nor_does_it_while_the_next_begins(self, running: Reply, world: World) -> None:
        """At the very moment the row is another's."""
        running.stop(by=world.ben)
        running.finish(Outcome(text="So far"))
        late = [Checkpoint(running.message.pk, 1, "So far, so late")]
        raced = race(
            lambda: as_it_is(running).retry(by=world.ben), *[lambda: checkpoints.keep(late)] * 4
        )
        assert raced == [None] * 5
        now = as_it_is(running)
        assert (now.attempt, now.message.body, now.message.status) == (2, "", "streaming")

    @on_postgresql
    def test_they_wait_for_no_lock(self, running: Reply, world: World, provider: Provider) -> None:
        seat(world, provider, "fine", handle="muse")
        other = ask(world.team, "@muse hello", by=world.ben)
        pks = [running.message.pk, other.message_id]

        def change() -> None:
            Message.objects.filter(pk=pks[0]).update(attempt=2, body="")

        with held(change):
            checkpoints.keep([Checkpoint(pk, 1, "late") for pk in pks])
        bodies = dict(Message.objects.filter(pk__in=pks).values_list("pk", "body"))
        assert bodies == {pks[0]: "", pks[1]: "late"}


class Counted:
    """An execute wrapper."""

    statements = 0

    def __call__(self, execute: Callable[..., object], *args: object) -> object:
        self.statements += 1
        return execute(*args)


class TestAlone:
    @pytest.mark.usefixtures("world")
    def test_of_two_in_a_process_one_is(self) -> None:
        with locks.alone("sweeping") as first, locks.alone("sweeping") as second:
            assert (first, second) == (True, False)
        with locks.alone("sweeping") as again:
            assert again

    @pytest.mark.usefixtures("world")
    def test_other_work_goes_on(self) -> None:
        with locks.alone("sweeping") as one, locks.alone("mopping") as other:
            assert (one, other) == (True, True)

    @on_postgresql
    @pytest.mark.usefixtures("world")
    def test_of_two_processes_one_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What keeps threads of one process apart is left out: a connection each is as good."""
        here = Barrierless()
        monkeypatch.setattr(locks, "_here", here)

        def sweep() -> bool:
            with locks.alone("sweeping") as alone:
                here.all_asked.wait(PATIENCE)
                return alone

        assert sorted(race(sweep, sweep, sweep)) == [False, False, True]


class Barrierless(dict[str, threading.Lock]):
    """A lock for whoever asks."""

    def __init__(self) -> None:
        self.all_asked = threading.Barrier(3)

    def __missing__(self, name: str) -> threading.Lock:
        return threading.Lock()


WAIT = 10
"""Seconds that the first word of all takes to be given up."""


@pytest.mark.parametrize("mute", [False, True], ids=["dead", "mute"])
def test_a_broker_that_is_away_holds_nobody_up(
    world: World, provider: Provider, tmp_path: Path, mute: bool
) -> None:
    """Neither where nobody listens, nor where somebody does and says nothing."""
    seat(world, provider, "fine")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if not mute:
            listener.close()
        broker = f"redis://127.0.0.1:{port}/0"
        own = environment(tmp_path, REDIS_URL="", CELERY_BROKER_URL=broker, CHAT_LOG_LEVEL="ERROR")
        with servers(own) as (server,):
            begun = time.monotonic()
            for _ in range(5):
                reply = ask_at(server, world.team, "@echo hello", by=world.ben)
                assert reply.state == State.QUEUED
            assert time.monotonic() - begun < WAIT


def test_words_to_who_writes_go_to_a_queue_of_their_own() -> None:
    """A name alone would have both queues hear every word."""
    queues = app.amqp.queues
    routed = app.amqp.router.route({}, "robots.tasks.run_reply")["queue"]
    swept = app.amqp.router.route({}, "robots.tasks.sweep_replies")["queue"]
    assert (routed.name, swept.name) == ("replies", "celery")
    assert {(q.exchange.name, q.routing_key) for q in queues.values()} == {
        ("celery", "celery"),
        ("replies", "replies"),
    }


def test_a_word_that_cannot_be_passed_on_keeps_no_others_back(
    running: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor what else is to be done after the commit."""
    monkeypatch.setattr(work, "_pass_on", Mock(side_effect=RuntimeError("The loop is closed.")))
    done: list[str] = []
    with transaction.atomic():
        work.tell(running.pk)
        work.tell_of_turn(running.pk)
        transaction.on_commit(lambda: done.append("others are woken"))
    assert done


OURS, NOT_OURS = -7, -8  # ids of no reply


def test_who_writes_in_this_process_is_told_without_a_broker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []
    told: Queue[work.Word] = Queue()
    monkeypatch.setattr(runner, "take", taken.append)
    monkeypatch.setattr(work, "_words", told)
    monkeypatch.setattr(work, "_teller", lambda: None)  # or it might take from there
    worker = EmbeddedWorker(beat=False)
    worker.start()
    try:
        work._pass_on(work.Word("run_reply", OURS))
        assert OURS in taken  # with what the worker found in the broker, told by tests before
        assert told.empty()
    finally:
        worker.stop()
    work._pass_on(work.Word("run_reply", NOT_OURS))
    assert NOT_OURS not in taken
    assert told.get_nowait() == work.Word("run_reply", NOT_OURS)
