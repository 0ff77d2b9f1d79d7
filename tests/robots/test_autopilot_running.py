"""Sessions and loops from beginning to end, in the worker inside the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from threading import Event
from typing import Any

import pytest

from messages.models import Message
from robots.heard import Heard
from robots.models import Autopilot, Hold, Reply, Robot
from robots.moderator import understood
from robots.outcome import Outcome
from tests.process import wait_for
from tests.race import race
from tests.robots.conftest import Ear, embedded_worker, shared_worker
from tests.robots.provider import Provider, Request, Script
from tests.robots.workers import as_it_is, ask, body_of, ended, seat
from tests.world import World

State = Reply.State


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


@pytest.fixture(autouse=True)
def _in_a_hurry(settings: Any) -> None:
    settings.CHAT_AUTOPILOT_PAUSE = timedelta(milliseconds=20)


@pytest.fixture(scope="class")
def embedded() -> Iterator[Ear]:
    """There are classes in which none may run."""
    with shared_worker() as ear:
        yield ear


@pytest.fixture
def robots(world: World, provider: Provider) -> list[Robot]:
    """Three who always say something new."""
    number = count(1)
    for model in ("ann", "bob", "eve"):
        provider.answers(model, lambda request: f"Word {next(number)} of {request.model}.")
    return [seat(world, provider, model, handle=model) for model in ("ann", "bob", "eve")]


def start(world: World, robots: list[Robot], strategy: str, **how: Any) -> Autopilot:
    session: Autopilot = Autopilot.objects.start(
        world.team, by=world.ben, strategy=strategy, robots=robots, **how
    )
    return session


def at_rest(session: Autopilot) -> Autopilot:
    """Once it is paused or over, and no turn is being taken."""

    def rests() -> bool:
        session.refresh_from_db()
        writing = Reply.objects.unfinished().filter(autopilot=session)
        return session.state != "running" and not writing.exists()

    wait_for(rests)
    return session


def speakers(session: Autopilot) -> list[str]:
    spoken = session.replies.filter(state=State.DONE).order_by("pk")
    return list(spoken.values_list("robot__user__handle", flat=True))


def next_is(handle: str | None, reason: str = "Because.") -> Script:
    named = "null" if handle is None else f'"{handle}"'
    return Script(text=f'{{"next": {named}, "reason": "{reason}"}}')


@pytest.mark.usefixtures("worker")
class TestToTheEnd:
    @pytest.mark.parametrize(
        ("strategy", "order"),
        [
            ("round_robin", ["ann", "bob", "eve"] * 4),
            ("relay", ["ann", "bob", "eve"]),
            ("debate", ["ann", "bob"] * 3 + ["eve"]),
            ("consensus", ["ann", "bob", "eve", "ann"]),
        ],
    )
    def test_each_strategy(
        self, world: World, robots: list[Robot], strategy: str, order: list[str]
    ) -> None:
        session = at_rest(start(world, robots, strategy, goal="Find a name for the cat"))
        assert (session.state, session.why) == ("done", "turns")
        assert speakers(session) == order

    def test_robots_are_told_what_it_is_about_and_what_the_others_said(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        at_rest(start(world, robots, "relay", goal="Find a name for the cat"))
        first, second, third = provider.requests
        assert "Find a name for the cat" in first.body["messages"][0]["content"]
        assert "Ben has Ann, Bob and Eve work" in first.question
        assert "of ann." in second.question
        assert "Ben has" not in str(second.body["messages"])
        assert "of bob." in third.question

    def test_in_a_support_room(self, world: World, provider: Provider) -> None:
        number = count(1)
        provider.answers("one", lambda request: f"Word {next(number)}.")
        pair = [seat(world, provider, "one", handle=handle) for handle in ("cid", "dan")]
        for robot in pair:
            world.support.invite(robot.user, by=world.ada)
        session = at_rest(
            Autopilot.objects.start(
                world.support, by=world.ada, strategy="round_robin", robots=pair, turns=4
            )
        )
        assert speakers(session) == ["cid", "dan"] * 2
        assert "Word 1." in provider.requests[1].question
        told = Message.objects.visible_to(world.carl).filter(room=world.support)
        assert not told.filter(author__in=[robot.user for robot in pair]).exists()

    @pytest.mark.parametrize(
        ("strategy", "tokens"),
        [("round_robin", 600), ("relay", 150), ("debate", 400), ("consensus", 200)],
    )
    def test_a_budget_is_overrun_by_one_answer_at_most(
        self, world: World, robots: list[Robot], strategy: str, tokens: int
    ) -> None:
        session = at_rest(start(world, robots, strategy, tokens=tokens))
        assert (session.state, session.why) == ("stopped", "tokens")
        *_, last = session.replies.order_by("pk")
        before = session.spent.tokens - (last.tokens_in or 0) - (last.tokens_out or 0)
        assert before < tokens <= session.spent.tokens

    @pytest.mark.parametrize("strategy", ["round_robin", "debate"])
    def test_so_is_one_of_money(self, world: World, provider: Provider, strategy: str) -> None:
        number, limit = count(1), Decimal("0.0001")
        provider.answers("gpt-4o-mini", lambda request: f"Word {next(number)}. {'word ' * 9}")
        dear = [
            seat(world, provider, "gpt-4o-mini", handle=handle) for handle in ("cid", "dan", "fay")
        ]
        session = at_rest(start(world, dear, strategy, cost=limit))
        assert (session.state, session.why) == ("stopped", "cost")
        *before, _ = session.replies.order_by("pk").values_list("cost", flat=True)
        assert before
        assert sum(before) < limit <= session.spent.cost

    def test_a_provider_that_is_down_fails_it(self, world: World, provider: Provider) -> None:
        pair = [seat(world, provider, "bad-key", handle=handle) for handle in ("cid", "dan")]
        session = at_rest(start(world, pair, "round_robin"))
        assert (session.state, session.turns_taken) == ("failed", 2)
        assert "key" in session.why_message


@pytest.mark.usefixtures("within_a_day", "worker")
class TestModerated:
    def test_the_moderator_names_who_is_next_and_ends_it(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        moderator = seat(world, provider, "lead", handle="lead")
        decided = ["bob", "ann", "bob", None]
        provider.script("lead", *(next_is(handle, "They agree.") for handle in decided))
        session = at_rest(start(world, [moderator, *robots], "moderated", goal="Agree"))
        assert speakers(session) == ["bob", "ann", "bob"]
        assert (session.state, session.why) == ("done", "ended")
        assert session.why_message == "Lead ended it. They agree."
        asked = provider.asked("lead")
        assert "Agree" in asked[0].body["messages"][0]["content"]
        assert "Ann (@ann): Word" in str(asked[2].body["messages"])
        assert "@bob" not in asked[1].body["messages"][0]["content"]

    def test_what_it_takes_counts(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        moderator = seat(world, provider, "lead", handle="lead")
        provider.script("lead", next_is("bob"), next_is(None))
        session = at_rest(start(world, [moderator, *robots], "moderated"))
        assert session.moderator_tokens > 0
        assert session.spent.tokens > session.moderator_tokens
        assert moderator.spent_today()[0] == session.moderator_tokens

    def test_a_budget_is_overrun_by_one_turn_at_most(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        """Or by one decision: the next thing that is asked is asked within the budget."""
        moderator = seat(world, provider, "lead", handle="lead")
        provider.script("lead", *(next_is(handle) for handle in ["bob", "ann"] * 10))
        session = at_rest(start(world, [moderator, *robots], "moderated", tokens=700))
        assert (session.state, session.why) == ("stopped", "tokens")
        asked = [request.tokens for request in provider.requests]
        assert len(asked) > 4
        assert sum(asked) == session.spent.tokens
        assert sum(asked[:-1]) < 700 <= sum(asked)

    def test_a_message_pauses_it_within_one_turn(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        moderator, go_on = seat(world, provider, "lead", handle="lead"), Event()
        provider.answers("bob", "One two three four.", hang="middle", until=go_on)
        provider.script("lead", *(next_is(handle) for handle in ["bob", "ann"] * 10))
        session = start(world, [moderator, *robots], "moderated")
        wait_for(session.replies.filter(state=State.STREAMING).exists)
        world.say(world.team, world.cleo, "May I?")
        go_on.set()
        at_rest(session)
        assert (session.state, session.why, speakers(session)) == ("paused", "spoken", ["bob"])
        assert len(provider.asked("lead")) == 1

    def test_it_is_asked_once_more_where_it_is_not_understood(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        moderator = seat(world, provider, "lead", handle="lead")
        provider.script("lead", Script(text="Well, Bob."), next_is("bob"), next_is(None))
        session = at_rest(start(world, [moderator, *robots], "moderated"))
        assert speakers(session) == ["bob"]
        assert session.errors == 0

    def test_it_fails_where_it_is_never_understood(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        moderator = seat(world, provider, "lead", handle="lead")
        provider.answers("lead", "Whoever likes.")
        session = at_rest(start(world, [moderator, *robots], "moderated"))
        assert (session.state, session.why) == ("failed", "errors")
        assert "The moderator named nobody" in session.why_message
        assert len(provider.asked("lead")) == 4

    def test_what_it_decides_while_it_is_paused_is_void(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        moderator, paused = seat(world, provider, "lead", handle="lead"), Event()
        provider.script("lead", replace(next_is("bob"), hang="first", until=paused))
        session = start(world, [moderator, *robots], "moderated")
        wait_for(lambda: provider.asked("lead"))
        session.pause(by=world.ben)
        paused.set()

        def charged() -> bool:
            session.refresh_from_db()
            return session.moderator_tokens > 0

        wait_for(charged)
        assert (session.state, session.turns_taken) == ("paused", 0)

    def test_what_was_whispered_to_it_decides_nothing(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        moderator = seat(world, provider, "lead", handle="lead", trigger="manual")
        world.whisper(world.team, world.ben, moderator.user, body="The secret plan")
        provider.script("lead", next_is("bob"), next_is(None))
        at_rest(start(world, [moderator, *robots], "moderated"))
        decisions = [r for r in provider.asked("lead") if "You moderate" in str(r.body)]
        assert decisions
        assert "secret" not in str([request.body for request in decisions])


@pytest.mark.usefixtures("worker")
class TestPeople:
    @pytest.fixture
    def go_on(self) -> Event:
        return Event()

    @pytest.fixture
    def slow(self, world: World, provider: Provider, go_on: Event) -> list[Robot]:
        number = count(1)
        provider.answers(
            "slow", lambda _: f"{next(number)} {'word ' * 9}", hang="middle", until=go_on
        )
        return [seat(world, provider, "slow", handle=handle) for handle in ("cid", "dan")]

    def being_written(self, session: Autopilot) -> Reply:
        streaming = session.replies.filter(state=State.STREAMING)
        reply: Reply = wait_for(lambda: streaming.first())
        return reply

    def test_a_message_pauses_it_within_one_turn(
        self, world: World, slow: list[Robot], go_on: Event
    ) -> None:
        session = start(world, slow, "round_robin")
        taking = self.being_written(session)
        world.say(world.team, world.cleo, "May I?")
        go_on.set()
        at_rest(session)
        assert (session.state, session.why) == ("paused", "spoken")
        assert (session.turns_taken, speakers(session)) == (1, ["cid"])
        taking.refresh_from_db()
        assert taking.state == State.DONE
        session.resume(by=world.cleo)
        wait_for(lambda: len(speakers(session)) > 1)
        session.stop(by=world.cleo)
        at_rest(session)

    def test_stop_interrupts_and_what_was_taken_is_told(
        self, world: World, slow: list[Robot]
    ) -> None:
        session = start(world, slow, "round_robin")
        taking = self.being_written(session)
        session.stop(by=world.ben)
        at_rest(session)
        taking.refresh_from_db()
        assert (taking.state, taking.stopped_by) == (State.STOPPED, world.ben)
        card = Message.objects.get(pk=session.card_id)
        assert card.data["autopilot"]["tokens"]["used"] == session.spent.tokens > 0


@pytest.mark.usefixtures("worker")
class TestTheMarkBrokenOff:
    """A turn that ends in the middle of the line by which it ends its session."""

    TEXT = "Tea.\nGOAL_REACHED"
    MIDDLE = TEXT[: len(TEXT) // 2]

    @pytest.fixture
    def heard(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        pieces: list[str] = []
        add = Heard.add

        def hear(self: Heard, piece: str) -> None:
            add(self, piece)
            pieces.append(piece)

        monkeypatch.setattr(Heard, "add", hear)
        return pieces

    def broken_off(self, world: World, provider: Provider, turns: int = 2, **how: Any) -> Reply:
        """The first turn of a session, of which MIDDLE is heard."""
        provider.answers("turn", self.TEXT, letters=True, **how)
        pair = [seat(world, provider, "turn", handle=handle) for handle in ("cid", "dan")]
        session = start(world, pair, "round_robin", goal="Tea?", turns=turns)
        turn: Reply = wait_for(lambda: session.replies.first())
        return turn

    def test_what_was_held_back_is_not_shown_when_it_is_stopped(
        self, world: World, provider: Provider, heard: list[str]
    ) -> None:
        turn = self.broken_off(world, provider, hang="middle")
        wait_for(lambda: "".join(heard) == self.MIDDLE)
        as_it_is(turn).stop(by=world.ben)
        over = ended(turn)
        assert (over.state, body_of(over)) == (State.STOPPED, "Tea.")

    def test_nor_when_it_fails(self, world: World, provider: Provider, heard: list[str]) -> None:
        over = ended(self.broken_off(world, provider, turns=1, cut="middle"))
        assert "".join(heard) == self.MIDDLE
        assert (over.state, body_of(over)) == (State.FAILED, "Tea.")

    def test_it_goes_on_from_what_was_shown_to_the_goal(
        self, world: World, provider: Provider, heard: list[str]
    ) -> None:
        turn = self.broken_off(world, provider, hang="middle")
        wait_for(lambda: "".join(heard) == self.MIDDLE)
        as_it_is(turn).stop(by=world.ben)
        session = at_rest(Autopilot.objects.get())
        assert (session.state, session.why) == ("paused", "interrupted")
        provider.answers("turn", "\n\nGOAL_REACHED", letters=True)
        ended(turn).go_on(by=world.ben)
        assert (ended(turn).state, body_of(turn)) == (State.DONE, "Tea.")
        session.refresh_from_db()
        assert (session.state, session.why) == ("done", "goal")


class TestAtOnce:
    def test_many_workers_begin_one_turn(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, "round_robin")

        def advance() -> bool:
            return Autopilot.objects.get(pk=session.pk).advance()

        assert race(*[advance] * 6) == [False] * 6
        assert Reply.objects.count() == 1

    def test_one_worker_asks_the_moderator(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, "moderated")

        def advance() -> bool:
            return Autopilot.objects.get(pk=session.pk).advance()

        assert sorted(map(bool, race(*[advance] * 6))) == [False] * 5 + [True]

    def test_one_session_is_started(self, world: World, robots: list[Robot]) -> None:
        outcomes = race(*[lambda: start(world, robots, "round_robin")] * 4)
        refused = [one for one in outcomes if isinstance(one, Autopilot.Running)]
        assert len(refused) == 3
        assert Autopilot.objects.count() == 1

    def test_continue_is_pressed_once(self, world: World, provider: Provider) -> None:
        pair = [seat(world, provider, handle, handle=handle) for handle in ("cid", "dan")]
        ask(world.team, "@cid begin", by=world.ben)
        for number in range(4):
            reply = Reply.objects.unfinished().get()
            named = pair[(number + 1) % 2].user.handle
            taken = Reply.objects.take(reply.pk, worker="worker")
            assert taken is not None
            taken.finish(Outcome(text=f"@{named} {number}"))
        hold = Hold.objects.get()
        outcomes = race(*[lambda: Hold.objects.get().release(by=world.ben)] * 4)
        assert sum(isinstance(one, Hold.Released) for one in outcomes) == 3
        assert Reply.objects.unfinished().get().robot == hold.summons.get().robot


class TestRestart:
    def test_it_goes_on_in_another_worker(
        self, world: World, provider: Provider, robots: list[Robot]
    ) -> None:
        provider.answers("bob", "Neither the one nor the other.", hang="middle")
        provider.script("bob", Script())
        with embedded_worker():
            session = start(world, robots, "relay")
            second = session.replies.filter(state=State.STREAMING, robot=robots[1])
            wait_for(second.exists)
        with embedded_worker():
            Reply.objects.sweep()
            Autopilot.objects.sweep()
            at_rest(session)
        assert (session.state, session.why) == ("done", "turns")
        assert session.turns_taken == 3


@pytest.mark.usefixtures("worker")
class TestLoops:
    def loop(self, world: World, provider: Provider, *handles: str) -> None:
        number = count(1)

        def name_the_next(request: Request) -> str:
            after = handles.index(request.model) + 1
            return f"@{handles[after % len(handles)]} number {next(number)}"

        for handle in handles:
            provider.answers(handle, name_the_next)
            seat(world, provider, handle, handle=handle)

    @pytest.mark.parametrize(
        ("handles", "answers"), [(("cid", "dan"), 4), (("cid", "dan", "fay"), 5)]
    )
    def test_they_stop_and_go_on(
        self, world: World, provider: Provider, handles: tuple[str, ...], answers: int
    ) -> None:
        self.loop(world, provider, *handles)
        ask(world.team, "@cid talk with the others, forever", by=world.ben)
        wait_for(lambda: Hold.objects.count() == 1)
        assert Reply.objects.filter(state=State.DONE).count() == answers
        card = Hold.objects.get().card
        assert "presses Continue" in card.body
        card.act("continue", version=card.version, data={}, by=world.cleo)
        wait_for(lambda: Hold.objects.count() == 2)
        assert not Reply.objects.unfinished().exists()
        assert Reply.objects.filter(state=State.DONE).count() == 2 * answers


def test_a_decision_is_understood_as_far_as_it_can_be() -> None:
    ann = Robot()
    speakers = {"ann": ann}
    for said in [
        '{"next": "ann", "reason": "r"}',
        '```json\n{"next": "@Ann", "reason": "r"}\n```',
        'I think {so}. {"reason": "r", "next": "ann"} Done.',
        '{"next": "nobody"} or {"next": "ann", "reason": "r"}',
    ]:
        choice = understood(said, speakers)
        assert choice is not None
        assert (choice.robot, choice.reason) == (ann, "r")
    ended = understood('{"next": null}', speakers)
    assert ended is not None
    assert ended.robot is None
    for said in ["", "ann", '{"next": "bob"}', "[1]", '{"who": "ann"}', "{" * 1000]:
        assert understood(said, speakers) is None
