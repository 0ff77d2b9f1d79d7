"""What robots may take a day holds while they answer in many rooms at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from live import database
from robots import budget, context, llm, work
from robots.models import Autopilot, Reply, Robot, RobotSeat
from robots.models.replies import ReplyManager
from robots.moderator import TRIES
from robots.outcome import Outcome
from robots.tasks import sweep_replies
from robots.writer import Writer
from rooms.models import Room
from tests.live.server import ON_GROWN, environment, servers
from tests.process import PATIENCE, wait_for
from tests.race import race, somebody_waits_for_a_lock
from tests.robots import talking, workers
from tests.robots.provider import Provider, Script
from tests.robots.test_autopilot_running import next_is
from tests.robots.test_sweeping import lose, on_postgresql, overlook
from tests.robots.test_worker_killed import farming
from tests.robots.workers import as_it_is, ask, ended
from tests.world import World

State = Reply.State

DAY = timedelta(days=1)


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    yield World()
    database.close()


def beside(world: World, *robots: Robot) -> Room:
    """One more room with these robots in it."""
    room: Room = Room.objects.open("Beside", by=world.ben)
    for robot in robots:
        RobotSeat.objects.seat(robot, room, by=world.ben)
    return room


def waits(reply: Reply) -> bool:
    """It was taken, and put aside."""
    now = as_it_is(reply)
    return now.state == State.QUEUED and now.started_at is not None


@pytest.mark.usefixtures("within_a_day", "worker")
class TestManyRooms:
    @pytest.fixture
    def go_on(self) -> Event:
        return Event()

    @pytest.fixture
    def robot(self, world: World, provider: Provider, go_on: Event) -> Robot:
        """Of a model whose price is known."""
        text = "word " * 30
        provider.answers("gpt-4o-mini", text, hang="middle", until=go_on)
        return workers.seat(world, provider, "gpt-4o-mini", max_tokens=60)

    @pytest.mark.parametrize(
        "limit",
        [{"daily_tokens": 1}, {"daily_tokens": 900}, {"daily_cost": Decimal("0.0002")}],
        ids=["less than one", "several", "money"],
    )
    def test_a_budget_is_passed_by_one_answer_at_most(
        self, world: World, provider: Provider, robot: Robot, go_on: Event, limit: dict[str, Any]
    ) -> None:
        robot.update(by=world.root, **limit)
        rooms = [beside(world, robot) for _ in range(8)]
        asked = [lambda room=room: ask(room, "@echo hello", by=world.ben) for room in rooms]
        replies = race(*asked)
        assert all(isinstance(reply, Reply) for reply in replies), replies

        def are_settled() -> bool:
            return len(provider.requests) + sum(map(waits, replies)) == len(replies)

        wait_for(are_settled)
        assert 1 <= len(provider.requests) < len(replies)
        go_on.set()
        over = [ended(reply) for reply in replies]
        assert {(reply.state, reply.error_code) for reply in over} == {
            (State.DONE, ""),
            (State.FAILED, "budget_spent"),
        }
        taken = [
            (reply.tokens_in + reply.tokens_out, reply.cost)
            for reply in over
            if reply.state == State.DONE
        ]
        robot.refresh_from_db()
        assert robot.is_spent
        assert len(taken) == len(provider.requests)
        for spent, most in zip(
            zip(*taken, strict=True), (robot.daily_tokens, robot.daily_cost), strict=True
        ):
            assert most is None or sum(spent) - max(spent) < most <= sum(spent)

    def test_who_waits_begins_once_something_ends(
        self, world: World, provider: Provider, robot: Robot, go_on: Event
    ) -> None:
        """All that find enough then, and nobody has to end before the next begins."""
        robot.update(by=world.root, daily_tokens=2_000, max_tokens=1_900)
        first = ask(world.team, "@echo hello", by=world.ben)
        wait_for(lambda: provider.requests)
        robot.update(by=world.root, max_tokens=60)
        behind = [ask(beside(world, robot), "@echo hello", by=world.ben) for _ in range(4)]
        wait_for(lambda: all(map(waits, behind)))
        again = Event()
        provider.answers("gpt-4o-mini", "word " * 10, hang="middle", until=again)
        go_on.set()
        ended(first)
        wait_for(lambda: len(provider.requests) == 5)
        again.set()
        assert {ended(reply).state for reply in behind} == {State.DONE}

    def test_who_waits_is_found_where_the_word_was_lost(
        self,
        world: World,
        provider: Provider,
        robot: Robot,
        go_on: Event,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        robot.update(by=world.root, daily_tokens=900, max_tokens=890)
        first = ask(world.team, "@echo hello", by=world.ben)
        wait_for(lambda: provider.requests)
        second = ask(beside(world, robot), "@echo hello", by=world.ben)
        wait_for(lambda: waits(second))
        with monkeypatch.context() as lost:
            lost.setattr(work, "_pass_on", lambda word: None)
            go_on.set()
            ended(first)
        overlook(second)
        sweep_replies()
        assert ended(second).state == State.DONE

    def test_who_waits_can_be_stopped(
        self, world: World, provider: Provider, robot: Robot, go_on: Event
    ) -> None:
        robot.update(by=world.root, daily_tokens=1)
        first = ask(world.team, "@echo hello", by=world.ben)
        wait_for(lambda: provider.requests)
        second = ask(beside(world, robot), "@echo hello", by=world.ben)
        wait_for(lambda: waits(second))
        wait_for(lambda: as_it_is(second).message.data["reply"]["state"] == "queued")
        second.stop(by=world.ben)
        assert as_it_is(second).state == State.STOPPED
        go_on.set()
        assert ended(first).state == State.DONE
        assert len(provider.requests) == 1

    def test_who_is_stopped_before_the_model_is_asked_is_stopped(
        self, world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also who was not asked by anybody; and where its worker hears of it there alone."""
        workers.seat(world, provider, "fine", handle="muse", trigger="always", daily_tokens=10**6)

        def most(call: llm.Call) -> tuple[int, None]:
            try:
                Reply.objects.get().stop(by=world.ben)
            finally:
                connection.close()
            return 1, None

        monkeypatch.setattr(llm, "most", most)
        monkeypatch.setattr(Writer, "note", lambda writer, claim: None)
        reply = ended(ask(world.team, "just talking", by=world.ben))
        assert (reply.state, reply.stopped_by, reply.error_code) == (State.STOPPED, world.ben, "")
        assert provider.requests == []

    def test_what_the_database_has_no_time_for_is_tried_again(
        self, world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workers.seat(world, provider, "fine", handle="muse", daily_tokens=10**6)
        has_free, failures = Robot.has_free, iter([True, True])

        def busy(robot: Robot) -> bool:
            if next(failures, False):
                raise OperationalError("canceling statement due to lock timeout")
            return has_free(robot)

        monkeypatch.setattr(Robot, "has_free", busy)
        assert ended(ask(world.team, "@muse hello", by=world.ben)).state == State.DONE


def test_what_a_killed_worker_had_set_aside_counts_as_taken(
    world: World, provider: Provider, tmp_path: Path
) -> None:
    """Nobody knows what the provider charges for it; and who waited for it is told."""
    provider.script("mortal", Script(hang="middle"))
    robot = workers.seat(world, provider, "mortal", daily_tokens=1)
    with servers(environment(tmp_path, REDIS_URL="", **workers.SHORT)) as (server,):
        first = workers.ask_at(server, world.team, "@echo hello", by=world.ben)
        wait_for(lambda: provider.requests)
        second = workers.ask_at(server, beside(world, robot), "@echo hello", by=world.ben)
        wait_for(lambda: waits(second))
        server.kill()
        server.start()
        assert ended(first).error_code == "lost"
        assert ended(second).error_code == "budget_spent"
        assert len(provider.requests) == 1
        taken, _ = robot.spent_today()
        assert taken > robot.max_tokens


@ON_GROWN
def test_workers_hold_it_together(world: World, provider: Provider, tmp_path: Path) -> None:
    go_on = Event()
    provider.answers("shared", "one two three", hang="first", until=go_on)
    robot = workers.seat(world, provider, "shared", daily_tokens=1)
    rooms = [beside(world, robot) for _ in range(6)]
    with farming(tmp_path) as farm:
        farm.worker()
        farm.worker()
        replies = race(
            *[
                lambda room=room: workers.ask_at(farm.server, room, "@echo hello", by=world.ben)
                for room in rooms
            ]
        )
        assert all(isinstance(reply, Reply) for reply in replies), replies
        wait_for(lambda: provider.requests and sum(map(waits, replies)) == 5)
        go_on.set()
        codes = sorted(ended(reply).error_code for reply in replies)
        assert codes == ["", *["budget_spent"] * 5]


@pytest.mark.usefixtures("within_a_day")
class TestSettingAside:
    """The verbs by themselves; nobody hears what workers are told."""

    @pytest.fixture(autouse=True)
    def told(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """The replies that workers were told of."""
        words: list[int] = []
        monkeypatch.setattr(work, "_pass_on", lambda word: words.append(word.row))
        return words

    @pytest.fixture
    def robot(self, world: World) -> Robot:
        """One that may take a hundred tokens a day."""
        (robot,) = talking.seated(world, world.team, "muse", daily_tokens=100)
        return robot

    @pytest.fixture
    def take(self, world: World, robot: Robot) -> Callable[[], Reply]:
        """An answer of it in a room of its own, taken by a worker."""
        return lambda: again(ask(beside(world, robot), "@muse hello", by=world.ben))

    def test_at_one_moment_those_begin_for_whom_something_is_left(
        self, take: Callable[[], Reply], robot: Robot
    ) -> None:
        replies = [take() for _ in range(8)]
        found = race(*[lambda reply=reply: reply.reserve(40, None) for reply in replies])
        assert sorted(map(str, found)) == ["False"] * 5 + ["True"] * 3
        assert robot.reserved_since(timezone.now() - DAY) == (120, 0)
        assert sum(map(waits, replies)) == 5

    @pytest.mark.parametrize(
        "end", ["finish", "decline", "put_back", "stop", "give_up", "purge", "by hand"]
    )
    def test_what_ends_frees_it(
        self,
        world: World,
        take: Callable[[], Reply],
        robot: Robot,
        told: list[int],
        end: str,
    ) -> None:
        first, second = take(), take()
        assert first.reserve(100, Decimal(1))
        assert not second.reserve(100, Decimal(1))
        assert robot.reserved_since(timezone.now() - DAY) == (100, 1)
        told.clear()
        if end == "stop":
            as_it_is(first).stop(by=world.ben)
            assert first.finish(Outcome(text=""))
        elif end == "give_up":
            lose(first)
            sweep_replies()
        elif end == "purge":
            first.delete()
        elif end == "by hand":
            Reply.objects.filter(pk=first.pk).update(state=State.FAILED)
        else:
            assert getattr(first, end)(Outcome(text=""))
        assert robot.reserved_since(timezone.now() - DAY) == (0, 0)
        if end == "put_back":
            assert told == [first.pk]
        elif end not in {"purge", "by hand"}:
            assert told == [second.pk]
        if end == "give_up":
            assert robot.spent_today() == (100, 1)
            with pytest.raises(Robot.Spent):
                again(second).reserve(100, None)
        else:
            assert again(second).reserve(100, None)

    def test_it_has_ended_also_where_who_waits_cannot_be_told(
        self, take: Callable[[], Reply], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They are found when it is swept."""
        reply = take()
        monkeypatch.setattr(ReplyManager, "tell_first", Mock(side_effect=OperationalError("busy")))
        assert reply.finish(Outcome(text="Done."))
        assert as_it_is(reply).state == State.DONE

    def test_what_was_lost_counts_also_where_somebody_stops_it(
        self, world: World, take: Callable[[], Reply], robot: Robot
    ) -> None:
        first = take()
        assert first.reserve(70, Decimal(1))
        lose(first)
        as_it_is(first).stop(by=world.ben)
        assert robot.spent_today() == (70, 1)

    def test_who_is_put_back_or_retried_does_not_wait_for_itself(
        self, world: World, take: Callable[[], Reply]
    ) -> None:
        reply = take()
        assert reply.reserve(100, None)
        reply.put_back(Outcome(text=""))
        reply = again(reply)
        assert reply.reserve(100, None)
        as_it_is(reply).stop(by=world.ben)
        reply.finish(Outcome(text=""))
        as_it_is(reply).retry(by=world.ben)
        assert again(reply).reserve(100, None)

    def test_who_does_not_hear_that_it_was_let_in_asks_again(
        self, take: Callable[[], Reply]
    ) -> None:
        """The connection was lost with the answer."""
        reply = take()
        assert reply.reserve(100, None)
        assert not reply.reserve(100, None)
        assert again(reply).reserve(100, None)

    def test_who_begins_tells_the_next(self, take: Callable[[], Reply], told: list[int]) -> None:
        first, second, third = take(), take(), take()
        assert first.reserve(100, None)
        assert [second.reserve(1, None), third.reserve(1, None)] == [False, False]
        told.clear()
        first.finish(Outcome(text=""))
        assert told == [second.pk]
        again(second).reserve(1, None)
        assert told == [second.pk, third.pk]

    def test_where_all_is_spent_nobody_waits(self, take: Callable[[], Reply]) -> None:
        first, second, third = take(), take(), take()
        assert first.reserve(50, None)
        assert second.reserve(50, None)
        first.finish(Outcome(text="", tokens_in=60, tokens_out=40))
        with pytest.raises(Robot.Spent):
            third.reserve(1, None)
        assert as_it_is(third).state == State.THINKING

    def test_what_is_under_way_when_a_budget_is_set_counts_once_it_has_ended(
        self, world: World, take: Callable[[], Reply], robot: Robot
    ) -> None:
        first, second, third = take(), take(), take()
        robot.update(by=world.root, daily_tokens=50)
        assert second.reserve(10, None)
        first.finish(Outcome(text="", tokens_in=60, tokens_out=40))
        with pytest.raises(Robot.Spent):
            third.reserve(10, None)

    def test_without_its_budget_it_waits_for_nothing(
        self, world: World, take: Callable[[], Reply], robot: Robot
    ) -> None:
        first, second = take(), take()
        assert first.reserve(100, None)
        robot.update(by=world.root, daily_tokens=None)
        assert second.reserve(100, None)

    def test_where_no_price_is_known_money_sets_no_limit(
        self, world: World, take: Callable[[], Reply], robot: Robot
    ) -> None:
        robot.update(by=world.root, daily_tokens=None, daily_cost=Decimal("0.01"))
        assert take().reserve(100, None)
        assert take().reserve(100, Decimal("0.02"))
        assert not take().reserve(100, None)

    def test_what_another_writes_is_not_put_aside(self, take: Callable[[], Reply]) -> None:
        first, second = take(), take()
        assert first.reserve(100, None)
        lose(second)
        sweep_replies()
        with pytest.raises(Reply.DoesNotExist):
            second.reserve(100, None)
        assert as_it_is(second).error_code == "lost"

    def test_what_is_known_of_its_price_counts_and_is_not_shown_as_the_whole(
        self, world: World, take: Callable[[], Reply], robot: Robot
    ) -> None:
        reply = take()
        assert reply.finish(Outcome(text="No.", cost=Decimal(1), unpriced=True))
        assert robot.spent_today() == (0, 1)
        assert as_it_is(reply).message.data["reply"]["cost"] is None
        as_it_is(reply).retry(by=world.ben)
        reply = again(reply)
        assert reply.finish(Outcome(text="Yes.", cost=Decimal(2)))
        assert robot.spent_today() == (0, 3)
        assert as_it_is(reply).message.data["reply"]["cost"] is None

    # Days

    def test_it_counts_to_the_day_on_which_it_began(self, take: Callable[[], Reply]) -> None:
        """Answers that were taken right before midnight do not all begin right after it."""
        first, second = take(), take()
        Reply.objects.update(started_at=timezone.now() - DAY)
        assert first.reserve(100, None)
        assert not second.reserve(100, None)

    def test_a_new_day_has_a_budget_of_its_own(self, take: Callable[[], Reply]) -> None:
        first, second = take(), take()
        assert first.reserve(100, None)
        Reply.objects.filter(pk=first.pk).update(started_at=timezone.now() - DAY)
        assert second.reserve(100, None)
        Reply.objects.filter(pk=second.pk).update(started_at=timezone.now() - DAY)
        first.finish(Outcome(text="", tokens_in=100, tokens_out=100))
        assert take().reserve(100, None)

    def test_what_was_taken_on_another_day_is_not_taken_again(
        self, take: Callable[[], Reply], world: World, robot: Robot
    ) -> None:
        reply = take()
        assert reply.finish(Outcome(text="No.", tokens_in=60, tokens_out=60, cost=Decimal(1)))
        Reply.objects.update(started_at=timezone.now() - DAY)
        Reply.objects.get(pk=reply.pk).retry(by=world.ben)
        second = Reply.objects.take(reply.pk, worker="worker")
        assert second is not None
        assert robot.spent_today() == (0, 0)
        assert second.reserve(40, None)
        assert second.finish(Outcome(text="Yes.", tokens_in=10, tokens_out=20, cost=Decimal(1)))
        assert robot.spent_today() == (30, 1)
        assert (second.tokens_in, second.tokens_out, second.cost) == (70, 80, 2)

    @pytest.mark.parametrize("begun", ["anew", "by another worker"])
    @pytest.mark.parametrize("midnight", ["before it is taken", "before the model is asked"])
    def test_what_was_taken_before_midnight_is_not_taken_after_it(
        self, take: Callable[[], Reply], world: World, robot: Robot, begun: str, midnight: str
    ) -> None:
        reply = take()
        taken = Outcome(text="", tokens_in=20, tokens_out=20, cost=Decimal(1))
        if begun == "anew":
            assert reply.finish(taken)
            Reply.objects.get(pk=reply.pk).retry(by=world.ben)
        else:
            assert reply.put_back(taken)
        if midnight == "before it is taken":
            Reply.objects.update(started_at=timezone.now() - DAY)
        reply = again(reply)
        Reply.objects.update(started_at=timezone.now() - DAY)
        assert reply.reserve(40, None)
        assert robot.spent_today() == (0, 0)
        assert reply.finish(taken)
        assert robot.spent_today() == (40, 1)
        assert (reply.tokens_in, reply.tokens_out, reply.cost) == (40, 40, 2)

    # Two at the same moment

    @on_postgresql
    def test_who_is_put_aside_while_something_ends_is_told(
        self, take: Callable[[], Reply], told: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = take(), take()
        assert first.reserve(100, None)
        told.clear()
        finishing = in_a_thread(lambda: first.finish(Outcome(text="")))
        with finishing as finish, put_aside(second, monkeypatch):
            finish()
            wait_for(lambda: as_it_is(first).is_over)
        assert waits(second)
        assert told == [second.pk]

    @on_postgresql
    def test_what_ends_while_it_is_counted_is_not_missed(
        self, take: Callable[[], Reply], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = take(), take()
        assert first.reserve(100, None)
        taken = Outcome(text="", tokens_in=60, tokens_out=40)
        with in_a_thread(lambda: first.finish(taken)) as finish:
            looks = []

            def then_it_ends(look: Callable[..., object]) -> Callable[..., object]:
                def looking(*args: Any) -> object:
                    seen = look(*args)
                    looks.append(look)
                    if len(looks) == 1:
                        finish()
                        wait_for(lambda: as_it_is(first).is_over)
                    return seen

                return looking

            for name in ("spent_today", "reserved_since"):
                monkeypatch.setattr(Robot, name, then_it_ends(getattr(Robot, name)))
            with pytest.raises(Robot.Spent):
                second.reserve(1, None)
        assert len(looks) == 2

    @on_postgresql
    def test_who_is_stopped_while_it_is_put_aside_is_stopped(
        self, world: World, take: Callable[[], Reply], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = take(), take()
        assert first.reserve(100, None)
        stopping = in_a_thread(lambda: as_it_is(second).stop(by=world.ben))
        with stopping as stop, put_aside(second, monkeypatch):
            stop()
            wait_for(somebody_waits_for_a_lock)
        assert as_it_is(second).state == State.STOPPED


@on_postgresql
class TestRetiring:
    """At the moment at which something of the robot's budget is set aside."""

    @pytest.fixture
    def robots(self, world: World) -> list[Robot]:
        return talking.seated(world, world.team, "lead", "ann", "bob", daily_tokens=100)

    @pytest.fixture
    def reserving(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
        """Set where somebody is about to lock the robot; goes on at the end."""
        begun, go_on = Event(), Event()
        locked = Robot.locked

        def slow(robot: Robot) -> Robot:
            begun.set()
            assert go_on.wait(PATIENCE)
            return locked(robot)

        monkeypatch.setattr(Robot, "locked", slow)
        monkeypatch.setattr(begun, "go_on", go_on.set, raising=False)
        yield begun
        go_on.set()

    @pytest.mark.parametrize("work", ["answer", "session"])
    def test_neither_waits_for_the_other(
        self, world: World, robots: list[Robot], reserving: Any, work: str
    ) -> None:
        lead = robots[0]
        asked: Reply | Autopilot
        if work == "answer":
            asked = again(ask(world.team, "@lead hello", by=world.ben))
        else:
            asked = Autopilot.objects.start(
                world.team, by=world.ben, strategy="moderated", robots=robots
            )
            assert asked.advance()
        came: list[object] = []
        setting_aside = in_a_thread(lambda: came.append(asked.reserve(10, None)))
        retiring = in_a_thread(lambda: came.append(lead.retire(by=world.root)))
        with setting_aside as set_aside, retiring as retire:
            set_aside()
            assert reserving.wait(PATIENCE)
            retire()
            wait_for(somebody_waits_for_a_lock)
            reserving.go_on()
        assert came == [True, None]
        lead.refresh_from_db()
        assert lead.retired_at
        asked.refresh_from_db()
        assert asked.state == "stopped" if work == "session" else asked.stop_requested_at

    def test_it_does_not_stay_where_it_was_brought_in_meanwhile(
        self, world: World, robots: list[Robot], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lead = robots[0]
        lock = Robot._lock_work_in

        def then_it_comes(robot: Robot, rooms: Any) -> None:
            monkeypatch.setattr(Robot, "_lock_work_in", lock)
            lock(robot, rooms)
            (room,) = race(lambda: Room.objects.open("Late", by=world.ben, people=[lead.user]))
            assert isinstance(room, Room), room

        monkeypatch.setattr(Robot, "_lock_work_in", then_it_comes)
        lead.retire(by=world.root)
        assert not lead.user.participations.exists()
        assert Room.objects.filter(name="Late").exists()


def again(reply: Reply) -> Reply:
    """Taken by a worker."""
    taken = Reply.objects.take(reply.pk, worker="w")
    assert taken is not None
    return taken


@contextmanager
def in_a_thread(do: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """What begins it. It has ended with the `with`."""

    def run() -> None:
        try:
            do()
        finally:
            connection.close()

    thread = Thread(target=run)
    yield thread.start
    thread.join(PATIENCE)


@contextmanager
def put_aside(reply: Reply, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In the midst of which it has seen that too little is left, and not said so yet."""
    seen, go_on = Event(), Event()
    has_free = Robot.has_free

    def slow(robot: Robot) -> bool:
        found = has_free(robot)
        seen.set()
        assert go_on.wait(PATIENCE)
        return found

    monkeypatch.setattr(Robot, "has_free", slow)
    with in_a_thread(lambda: reply.reserve(100, None)) as begin:
        begin()
        assert seen.wait(PATIENCE)
        try:
            yield
        finally:
            go_on.set()


@pytest.mark.usefixtures("within_a_day", "worker")
class TestModerators:
    @pytest.fixture(autouse=True)
    def _in_a_hurry(self, settings: Any) -> None:
        settings.CHAT_AUTOPILOT_PAUSE = timedelta(milliseconds=20)

    @pytest.fixture
    def robots(self, world: World, provider: Provider) -> list[Robot]:
        """The first moderates, and may take next to nothing besides."""
        lead = workers.seat(world, provider, "lead", handle="lead", daily_tokens=1)
        return [lead, *(workers.seat(world, provider, "fine", handle=h) for h in ("ann", "bob"))]

    def start(self, world: World, robots: list[Robot]) -> Autopilot:
        session: Autopilot = Autopilot.objects.start(
            world.team, by=world.ben, strategy="moderated", robots=robots
        )
        return session

    def test_it_waits_for_its_own_answers(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        go_on, lead = Event(), robots[0]
        lead.update(by=world.root, daily_tokens=1_000, max_tokens=995)
        provider.script("lead", Script(hang="middle", until=go_on), next_is(None))
        reply = ask(beside(world, lead), "@lead hello", by=world.ben)
        wait_for(lambda: provider.requests)
        session = self.start(world, robots)
        wait_for(lambda: Autopilot.objects.due().filter(pk=session.pk, asked__gt=0).exists())
        assert len(provider.requests) == 1
        go_on.set()
        ended(reply)
        Autopilot.objects.sweep()

        def is_over() -> bool:
            session.refresh_from_db()
            return session.is_over

        wait_for(is_over)
        assert (session.why, session.errors) == ("ended", 0)
        assert len(provider.asked("lead")) == 2

    def test_its_answers_wait_for_it(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        """And begin, or are told that all is spent, once it has decided."""
        decided = Event()
        provider.script("lead", replace(next_is(None), hang="first", until=decided))
        session = self.start(world, robots)
        wait_for(lambda: provider.requests)
        session.refresh_from_db()
        assert session.tokens_reserved > TRIES * robots[0].max_tokens
        reply = ask(beside(world, robots[0]), "@lead hello", by=world.ben)
        wait_for(lambda: waits(reply))
        decided.set()
        assert ended(reply).error_code == "budget_spent"
        session.refresh_from_db()
        assert (session.tokens_reserved, session.reserved_until) == (None, None)

    def test_with_its_budget_spent_the_session_fails(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        assert ended(ask(beside(world, robots[0]), "@lead hello", by=world.ben)).state == "done"
        session = self.start(world, robots)

        def has_failed() -> bool:
            session.refresh_from_db()
            return session.state == "failed"

        wait_for(has_failed)
        assert "used up what it may spend" in session.why_message
        assert len(provider.requests) == 1


@pytest.mark.usefixtures("within_a_day")
def test_what_a_moderator_left_behind_counts_as_taken(world: World) -> None:
    robots = talking.seated(world, world.team, "lead", "ann", "bob", daily_tokens=100)
    session = Autopilot.objects.start(world.team, by=world.ben, strategy="moderated", robots=robots)
    assert session.advance()
    assert session.reserve(100, None)
    reply = again(ask(beside(world, robots[0]), "@lead hello", by=world.ben))
    assert not reply.reserve(100, None)
    assert robots[0].spent_today() == (0, 0)
    Autopilot.objects.update(reserved_until=timezone.now(), next_at=timezone.now())
    with pytest.raises(Robot.Spent):
        again(reply).reserve(100, None)
    assert session.advance(), "it is asked again"
    assert robots[0].spent_today() == (100, 0)
    assert session.moderator_tokens == 100


@pytest.mark.usefixtures("within_a_day")
def test_what_was_moderated_counts_on_the_days_on_which_it_goes_on(world: World) -> None:
    robots = talking.seated(world, world.team, "lead", "ann", "bob")
    session = Autopilot.objects.start(world.team, by=world.ben, strategy="moderated", robots=robots)
    Autopilot.objects.update(moderator_tokens=100)
    assert robots[0].spent_today() == (100, 0)
    session.pause(by=world.ben)
    assert robots[0].spent_today() == (100, 0)
    Autopilot.objects.update(paused_at=timezone.now() - DAY)
    assert robots[0].spent_today() == (0, 0)
    session.stop(by=world.ben)
    assert robots[0].spent_today() == (0, 0)


def test_who_was_asked_again_sets_nothing_aside(world: World) -> None:
    robots = talking.seated(world, world.team, "lead", "ann", "bob", daily_tokens=100)
    session = Autopilot.objects.start(world.team, by=world.ben, strategy="moderated", robots=robots)
    assert session.advance()
    Autopilot.objects.update(asked=2)
    assert not session.reserve(100, None)
    assert robots[0].reserved_since(timezone.now() - DAY) == (0, 0)


def test_a_robot_without_a_budget_costs_no_query_for_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (robot,) = talking.seated(world, world.team, "muse")
    statements: list[str] = []
    execute = CursorWrapper.execute

    def count(cursor: CursorWrapper, sql: str, params: Any = None) -> Any:
        """In whichever thread."""
        statements.append(sql)
        return execute(cursor, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", count)

    def queries() -> int:
        reply = ask(world.team, "@muse hello", by=world.ben)
        statements.clear()
        taken = again(reply)
        asyncio.run(context.prepare(taken, []))
        assert taken.begin_streaming(ttft_ms=1)
        assert taken.finish(Outcome(text="Hello."))
        return len(statements)

    queries()
    as_it_is_now = queries()
    with monkeypatch.context() as without:
        without.setattr(budget, "reserve", _nothing)
        without.setattr(Robot, "is_spent", False)
        without.setattr(Reply.objects, "tell_of_budget", lambda robot: None)
        assert queries() == as_it_is_now
    robot.update(by=world.root, daily_tokens=10**6)
    assert queries() > as_it_is_now


async def _nothing(*args: Any) -> None:
    pass
