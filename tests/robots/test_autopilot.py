"""Robots take turns until they are done, within their limits, and make way for people."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from accounts.errors import DomainError, Invalid
from accounts.models import AuditEntry
from live.signals import typed
from messages.models import Message
from robots import moderator, tasks, tokens
from robots.ending import Spent
from robots.models import Autopilot, Reply, Robot
from robots.models.autopilot import Choice
from robots.summons import Cause
from rooms.models import Room
from rooms.modes import Mode
from tests.callers import Caller, answered, code
from tests.live.contract import blocks, validator
from tests.robots.talking import Says, answer, seated
from tests.world import World, expected

pytestmark = pytest.mark.django_db


@pytest.fixture
def robots(world: World) -> list[Robot]:
    return seated(world, world.team, "ann", "bob", "eve")


def start(
    world: World, robots: list[Robot], strategy: str = "round_robin", **how: Any
) -> Autopilot:
    session: Autopilot = Autopilot.objects.start(
        how.pop("room", world.team),
        by=how.pop("by", world.ben),
        strategy=strategy,
        robots=robots,
        **how,
    )
    return session


def wait_no_more(session: Autopilot) -> None:
    """As if the pause between two turns were over."""
    running = Autopilot.objects.filter(pk=session.pk, next_at__isnull=False)
    running.update(next_at=timezone.now())


def turn(session: Autopilot) -> Reply:
    """Have the next turn begin, as a worker does."""
    reply = next_turn(session)
    assert reply is not None
    return reply


def next_turn(session: Autopilot) -> Reply | None:
    """The same; none where it is not due."""
    wait_no_more(session)
    tasks.advance_autopilot(session.pk)
    reply: Reply | None = Reply.objects.unfinished().filter(autopilot=session).first()
    return reply


def run(session: Autopilot, says: Says, **outcome: Any) -> list[str]:
    """Let it take turns until it is paused or over. Who spoke, in order."""
    spoken = []
    while (reply := next_turn(session)) and len(spoken) < 200:
        answer(reply, says(reply), **outcome)
        spoken.append(reply.robot.user.handle)
    session.refresh_from_db()
    return spoken


def something(reply: Reply) -> str:
    return f"Word {reply.pk}."


def card(session: Autopilot) -> dict[str, Any]:
    """What the session's card shows."""
    shown: dict[str, Any] = Message.objects.get(pk=session.card_id).data
    return shown


def faults(shown: Any) -> list[Any]:
    """Where a session is not as the contract has it."""
    return list(validator(blocks("shape")["autopilot"]).iter_errors(shown))


class TestStrategies:
    def test_in_the_round_each_has_its_turn(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        assert run(session, something) == ["ann", "bob", "eve"] * 4
        assert (session.state, session.why) == ("done", "turns")

    def test_a_turn_answers_the_one_before(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, turns=3)
        run(session, something)
        first, second, third = Reply.objects.order_by("pk")
        assert first.question_id == session.card_id
        assert (second.question_id, third.question_id) == (first.message_id, second.message_id)
        assert {reply.cause for reply in (first, second, third)} == {Cause.AUTOPILOT}
        assert {reply.root for reply in (first, second, third)} == {world.ben}

    def test_a_relay_passes_once(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, "relay")
        assert run(session, something) == ["ann", "bob", "eve"]
        told = [reply.instruction for reply in Reply.objects.order_by("pk")]
        assert "You begin" in told[0]
        assert "build on it" in told[1]
        assert "finish it" in told[2]

    def test_in_a_debate_two_argue_and_the_third_judges(
        self, world: World, robots: list[Robot]
    ) -> None:
        session = start(world, robots, "debate", goal="Is tea better than coffee?")
        assert run(session, something) == ["ann", "bob"] * 3 + ["eve"]
        told = [reply.instruction for reply in Reply.objects.order_by("pk")]
        assert "in favour" in told[0]
        assert "against it" in told[1]
        assert "judge" in told[-1]

    def test_a_consensus_is_brought_together_at_the_end(
        self, world: World, robots: list[Robot]
    ) -> None:
        session = start(world, robots, "consensus")
        assert run(session, something) == ["ann", "bob", "eve", "ann"]
        told = [reply.instruction for reply in Reply.objects.order_by("pk")]
        assert "your own view" in told[2]
        assert "Bring together" in told[3]

    def test_in_a_consensus_all_speak(self, world: World, robots: list[Robot]) -> None:
        with pytest.raises(Invalid):
            start(world, robots, "consensus", turns=3)
        session = start(world, robots, "consensus", turns=6)
        assert run(session, something) == ["ann", "bob", "eve", "ann", "bob", "ann"]

    def test_nobody_answers_itself_where_one_has_left(
        self, world: World, robots: list[Robot]
    ) -> None:
        session = start(world, robots, turns=5)
        for _ in range(3):
            answer(turn(session), "Indeed.")
        world.team.remove(robots[0].user, by=world.ben)
        assert run(session, something) == ["bob", "eve"]

    def test_mentions_of_each_other_summon_nobody(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, turns=2)
        assert run(session, lambda reply: f"@eve @robots {reply.pk}") == ["ann", "bob"]
        assert Reply.objects.count() == 2

    @pytest.mark.parametrize(
        ("strategy", "count", "field"),
        [
            ("debate", 2, "robots"),
            ("relay", 1, "robots"),
            ("round_robin", 0, "robots"),
            ("waltz", 3, "strategy"),
        ],
    )
    def test_each_wants_its_number_of_robots(
        self, world: World, robots: list[Robot], strategy: str, count: int, field: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            start(world, robots[:count], strategy)
        assert field in refused.value.details

    def test_robots_must_sit_here_once_and_be_on(self, world: World, robots: list[Robot]) -> None:
        (far,) = seated(world, world.support, "far")
        (off,) = seated(world, world.team, "off", enabled=False)
        for named in ([robots[0], far], [robots[0], off], [robots[0], robots[0]]):
            with pytest.raises(Invalid):
                start(world, named)


class TestLimits:
    def test_turns(self, world: World, robots: list[Robot]) -> None:
        assert len(run(start(world, robots, turns=5), something)) == 5

    def test_tokens_are_overrun_by_one_answer_at_most(
        self, world: World, robots: list[Robot]
    ) -> None:
        session = start(world, robots, tokens=100)
        assert len(run(session, something, tokens_in=20, tokens_out=13)) == 4
        assert (session.state, session.why) == ("stopped", "tokens")
        assert session.spent.tokens == 132

    def test_so_is_money(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, cost=Decimal("0.05"))
        assert len(run(session, something, cost=Decimal("0.02"))) == 3
        assert (session.state, session.why) == ("stopped", "cost")
        assert card(session)["autopilot"]["cost"] == {"used": 0.06, "limit": 0.05}

    def test_time(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, lasting=timedelta(seconds=60))
        answer(turn(session), "One.")
        Autopilot.objects.update(deadline=timezone.now())
        assert next_turn(session) is None
        session.refresh_from_db()
        assert (session.state, session.why) == ("stopped", "deadline")

    def test_a_pause_takes_no_time(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        before = session.deadline
        session.pause(by=world.ben)
        Autopilot.objects.update(paused_at=timezone.now() - timedelta(hours=1))
        session.resume(by=world.ben)
        assert session.deadline - before >= timedelta(hours=1)

    def test_a_turn_waits_for_its_time(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        first = turn(session)
        with time_machine.travel(timezone.now(), tick=False):
            answer(first, "One.")
            tasks.advance_autopilot(session.pk)
            assert not Reply.objects.unfinished().exists()
            session.refresh_from_db()
            assert session.next_at == timezone.now() + settings.CHAT_AUTOPILOT_PAUSE


class TestEnds:
    def test_a_robot_ends_it_at_its_goal(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, goal="Find a name")
        texts = iter(["Tea?", "Agreed: Tea.\n\n**GOAL_REACHED**\n"])
        assert run(session, lambda reply: next(texts)) == ["ann", "bob"]
        assert (session.state, session.why) == ("done", "goal")
        said = Reply.objects.order_by("pk").last()
        assert said is not None
        assert said.message is not None
        assert said.message.body == "Agreed: Tea."

    @pytest.mark.parametrize("text", ["GOAL_REACHED is not yet so", "GOAL_REACHED\nNo."])
    def test_not_where_it_only_says_so(self, world: World, robots: list[Robot], text: str) -> None:
        session = start(world, robots, goal="Find a name", turns=2)
        assert len(run(session, lambda reply: f"{text} {reply.pk}")) == 2

    def test_not_without_a_goal(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, turns=2)
        assert len(run(session, lambda reply: f"{reply.pk}\nGOAL_REACHED")) == 2

    def test_two_errors_in_a_row(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        run(session, something, error="timeout", sentence="The model took too long.")
        assert session.turns_taken == 2
        assert (session.state, session.why) == ("failed", "errors")
        assert "took too long" in session.why_message

    def test_one_error_alone_does_not(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, turns=4)
        for number in range(4):
            reply = turn(session)
            answer(reply, something(reply), error="timeout" if number % 2 else "")
        session.refresh_from_db()
        assert (session.state, session.why) == ("done", "turns")

    def test_stop_ends_the_turn_that_is_being_taken(
        self, world: World, robots: list[Robot]
    ) -> None:
        session = start(world, robots)
        reply = turn(session)
        session.stop(by=world.cleo)
        reply.refresh_from_db()
        assert (reply.state, reply.stopped_by) == (Reply.State.STOPPED, world.cleo)
        assert (session.state, session.why_message) == ("stopped", "Cleo stopped it.")
        assert next_turn(session) is None
        with pytest.raises(Autopilot.Over):
            session.stop(by=world.cleo)

    def test_the_room_is_closed(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        reply = turn(session)
        world.team.close(by=world.ben)
        session.refresh_from_db()
        assert (session.state, session.why) == ("stopped", "room_closed")
        reply.refresh_from_db()
        assert reply.is_over

    def test_one_robot_less_goes_on(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, turns=4)
        answer(turn(session), "One.")
        world.team.remove(robots[1].user, by=world.ben)
        assert run(session, something) == ["eve", "ann", "eve"]

    def test_the_robot_whose_turn_it_is_leaves(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, turns=3)
        turn(session)
        world.team.remove(robots[0].user, by=world.ben)
        session.refresh_from_db()
        assert session.state == "running"
        assert run(session, something) == ["eve", "bob"]

    def test_without_its_moderator_it_ends(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, "moderated")
        world.team.remove(robots[0].user, by=world.ben)
        session.refresh_from_db()
        assert (session.state, session.why) == ("stopped", "robot_left")

    def test_too_few_are_left(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, "debate")
        world.team.remove(robots[2].user, by=world.ben)
        session.refresh_from_db()
        assert (session.state, session.why) == ("stopped", "robot_left")


class TestPeople:
    def test_a_message_pauses_it_within_one_turn(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        reply = turn(session)
        world.say(world.team, world.cleo, "May I?")
        session.refresh_from_db()
        assert (session.state, session.why) == ("paused", "spoken")
        said = answer(reply, "I was saying …")
        assert said.status == Message.Status.COMPLETE
        assert next_turn(session) is None

    def test_so_does_something_shared(self, world: World, robots: list[Robot]) -> None:
        said = world.say(world.public, world.ben, "Look")
        session = start(world, robots)
        said.share(by=world.ben, audience="everyone", room=world.team)
        session.refresh_from_db()
        assert session.why_message == "Ben wrote something."

    def test_it_goes_on_where_it_was(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, turns=3)
        answer(turn(session), "One.")
        world.say(world.team, world.cleo, "May I?")
        session.resume(by=world.cleo)
        assert run(session, something) == ["bob", "eve"]

    def test_resumed_during_a_turn_it_waits_for_its_end(
        self, world: World, robots: list[Robot]
    ) -> None:
        session = start(world, robots)
        reply = turn(session)
        session.pause(by=world.ben)
        session.resume(by=world.ben)
        assert turn(session) == reply
        assert Reply.objects.count() == 1

    def test_a_whisper_does_not(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        world.whisper(world.team, world.cleo, world.ben)
        session.refresh_from_db()
        assert session.state == "running"

    def test_a_robot_and_a_note_do_not(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        world.say(world.team, world.parrot)
        world.team.update(name="Another", by=world.ben)
        session.refresh_from_db()
        assert session.state == "running"

    def test_who_types_is_waited_for(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        type_in(world.team)
        assert next_turn(session) is None
        Autopilot.objects.update(held_until=timezone.now())
        assert next_turn(session) is not None

    def test_who_types_a_whisper_is_not(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        type_in(world.team, audience="only")
        type_in(world.public)
        assert next_turn(session) is not None

    def test_stopping_a_turn_pauses_it(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        reply = turn(session)
        reply.stop(by=world.cleo)
        session.refresh_from_db()
        assert (session.state, session.why_message) == ("paused", "Cleo stopped a turn.")

    def test_a_turn_deleted_is_not_answered(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        first = answer(turn(session), "One.")
        answer(turn(session), "Two.").remove(by=world.ben)
        reply = turn(session)
        assert reply.question == first

    def test_writing_a_turn_anew_holds_it(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        first = turn(session)
        answer(first, "", error="timeout", sentence="Too late.")
        first.refresh_from_db()
        first.retry(by=world.ben)
        assert turn(session) == first
        answer(first, "One.")
        session.refresh_from_db()
        assert (session.errors, session.turns_taken) == (0, 1)


def type_in(room: Room, audience: str = "everyone") -> None:
    typed.send(None, room=room.pk, user=1, audience=audience, to=())


class TestSupportRooms:
    @pytest.fixture
    def session(self, world: World) -> Autopilot:
        robots = seated(world, world.support, "ann", "bob")
        return start(world, robots, room=world.support, by=world.ada)

    def test_it_is_for_the_staff_and_its_robots(self, world: World, session: Autopilot) -> None:
        assert len(run(session, something)) == 12
        mine = Message.objects.filter(room=world.support, data__has_any_keys=["reply", "autopilot"])
        assert mine.count() == 13
        for person in (world.carl, world.dora):
            assert not Message.objects.visible_to(person).filter(pk__in=mine).exists()
        for reader in (world.ada, world.sue):
            assert Message.objects.visible_to(reader).filter(pk__in=mine).count() == 13

    def test_robots_hear_each_other(self, world: World, session: Autopilot) -> None:
        said = answer(turn(session), "One.")
        bob = Robot.objects.get(user__handle="bob")
        assert Message.objects.visible_to(bob.user).filter(pk=said.pk).exists()

    def test_whoever_writes_pauses_it(self, world: World, session: Autopilot) -> None:
        world.say(world.support, world.carl, "Is anybody there?")
        session.refresh_from_db()
        assert session.state == "paused"

    def test_so_does_a_note_among_staff(self, world: World, session: Autopilot) -> None:
        world.note(world.sue)
        session.refresh_from_db()
        assert session.state == "paused"

    def test_who_types_to_staff_is_waited_for(self, world: World, session: Autopilot) -> None:
        type_in(world.support, audience="staff")
        assert next_turn(session) is None


class TestWorkers:
    def test_twice_is_once(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        other = Autopilot.objects.get(pk=session.pk)
        session.advance()
        other.advance()
        tasks.advance_autopilot(session.pk)
        assert Reply.objects.count() == 1

    def test_rows_are_enough(
        self, world: World, robots: list[Robot], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All words are lost: the sweeper finds what is due, again and again."""
        told: list[int] = []
        monkeypatch.setattr("robots.work.tell_of_turn", lambda pk, **_: told.append(pk))
        session = start(world, robots, turns=4)
        spoken = 0
        while told.clear() or Autopilot.objects.running().exists():
            wait_no_more(session)
            tasks.advance_autopilots()
            assert told == [session.pk]
            tasks.advance_autopilot(session.pk)
            answer(Reply.objects.unfinished().get(), f"Word {spoken}")
            spoken += 1
        assert spoken == 4

    def test_what_a_moderator_decided_before_it_was_asked_again_is_void(
        self, world: World, robots: list[Robot]
    ) -> None:
        first = start(world, robots, "moderated")
        assert first.advance()
        second = Autopilot.objects.get(pk=first.pk)
        second.pause(by=world.ben)
        second.resume(by=world.ben)
        assert second.advance()
        first.follow(1, Choice(robots[1], ""), Spent(5, None))
        assert not Reply.objects.exists()
        second.follow(2, Choice(robots[2], ""), Spent(5, None))
        assert Reply.objects.get().robot == robots[2]
        assert second.spent.tokens == 10

    def test_what_a_moderator_decides_while_it_is_paused_is_void(
        self, world: World, robots: list[Robot]
    ) -> None:
        session = start(world, robots, "moderated")
        assert session.advance()
        Autopilot.objects.get().pause(by=world.ben)
        session.follow(1, Choice(None, "Enough."), Spent(5, None))
        assert (session.state, session.spent.tokens) == ("paused", 5)

    def test_what_a_moderator_took_counts_once_however_often_it_is_told(
        self, world: World, robots: list[Robot]
    ) -> None:
        """The connection was lost with the answer that it is written down."""
        session = start(world, robots, "moderated")
        assert session.advance()
        for _ in range(2):
            session.do_without(1, "It took too long.", Spent(5, Decimal(1)))
        assert (session.state, session.errors) == ("running", 1)
        assert session.spent == (5, 1)

    def test_what_was_set_aside_stands_for_an_answer_that_comes_too_late(
        self, world: World, robots: list[Robot]
    ) -> None:
        """Which is tried again as any other, where it is not heard that it was written down."""
        Robot.objects.filter(pk=robots[0].pk).update(daily_tokens=100)
        first = start(world, robots, "moderated")
        assert first.advance()
        assert first.reserve(40, Decimal(1))
        wait_no_more(first)
        second = Autopilot.objects.get(pk=first.pk)
        assert second.advance()
        assert second.spent == (40, 1)
        first.follow(1, Choice(robots[1], ""), Spent(5, Decimal(2)))
        assert second.spent == (40, 1)
        second.follow(2, Choice(robots[2], ""), Spent(7, Decimal(3)))
        first.follow(1, Choice(robots[1], ""), Spent(5, Decimal(2)))
        second.refresh_from_db()
        assert second.spent == (47, 4)
        assert Reply.objects.get().robot == robots[2]

    def test_answers_that_cross_are_never_counted_twice(
        self, world: World, robots: list[Robot]
    ) -> None:
        first = start(world, robots, "moderated")
        assert first.advance()
        wait_no_more(first)
        second = Autopilot.objects.get(pk=first.pk)
        assert second.advance()
        second.follow(2, Choice(robots[2], ""), Spent(7, None))
        for _ in range(2):
            first.do_without(1, "It took too long.", Spent(5, None))
        assert first.spent.tokens == 7

    def test_a_try_that_failed_makes_no_old_decision_a_new_one(
        self, world: World, robots: list[Robot], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = start(world, robots, "moderated")
        assert first.advance()
        second = Autopilot.objects.get(pk=first.pk)
        second.pause(by=world.ben)
        second.resume(by=world.ben)
        assert second.advance()
        with monkeypatch.context() as patched:
            patched.setattr(Autopilot, "_show", Mock(side_effect=OperationalError("gone")))
            with pytest.raises(OperationalError):
                first.follow(1, Choice(None, "Enough."), Spent(5, None))
        first.follow(1, Choice(None, "Enough."), Spent(5, None))
        assert (first.state, first.spent.tokens) == ("running", 5)

    def test_a_turn_whose_row_is_gone_is_followed_by_another(
        self, world: World, robots: list[Robot]
    ) -> None:
        session = start(world, robots)
        turn(session)
        Reply.objects.all().delete()
        assert Autopilot.objects.due().exists()


class TestCard:
    def test_it_shows_the_session(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, goal="Find a name", tokens=1000, turns=6)
        shown = Message.objects.get(pk=session.card_id)
        assert shown.kind == Message.Kind.CARD
        assert shown.body == "Ben has Ann, Bob and Eve take turns. The goal: Find a name"
        assert (
            list(validator(blocks("shape")["autopilot"]).iter_errors(shown.data["autopilot"])) == []
        )
        assert [offer["name"] for offer in shown.data["actions"]] == ["pause", "stop"]

    def test_its_budget_runs_down(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots, tokens=1000, turns=6)
        seen = []
        for _ in range(3):
            reply = turn(session)
            answer(reply, something(reply), tokens_in=10, tokens_out=5)
            shown = card(session)["autopilot"]
            seen.append((shown["turns"]["used"], shown["tokens"]["used"]))
        assert seen == [(1, 15), (2, 30), (3, 45)]

    def test_it_is_steered_by_its_card(self, world: World, robots: list[Robot]) -> None:
        session = start(world, robots)
        for action, state in [("pause", "paused"), ("resume", "running"), ("stop", "stopped")]:
            done = act(world, session, action)
            assert done.json()["data"]["autopilot"]["state"] == state
        assert card(session)["actions"] == []
        assert answered(act(world, session, "pause")) == (400, "invalid")


def act(world: World, session: Autopilot, action: str) -> Any:
    shown = Message.objects.get(pk=session.card_id)
    return Caller(world.cleo).post(
        f"messages/{shown.pk}/actions/", action=action, version=shown.version
    )


class TestWhoMay:
    IN_TEAM = expected(yes="ben cleo dee gus", forbidden="vic parrot", otherwise="not_found")
    IN_SUPPORT = expected(yes="ada sue", otherwise="not_found")

    @pytest.fixture(params=[Mode.TEAM, Mode.SUPPORT])
    def room(self, world: World, request: pytest.FixtureRequest) -> Room:
        return world.team if request.param == Mode.TEAM else world.support

    @pytest.fixture
    def session(self, world: World, room: Room) -> Autopilot:
        by = world.ben if room.mode == Mode.TEAM else world.ada
        return start(world, seated(world, room, "ann", "bob"), room=room, by=by)

    def test_start(self, world: World, room: Room) -> None:
        robots = seated(world, room, "ann", "bob")
        answers = world.answers(lambda person: start(world, robots, room=room, by=person))
        wanted = self.IN_TEAM if room.mode == Mode.TEAM else self.IN_SUPPORT
        if room.mode == Mode.SUPPORT:
            wanted = wanted | dict.fromkeys(["carl", "dora", "parrot"], "forbidden")
        assert answers == wanted

    @pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
    def test_steer(self, world: World, room: Room, session: Autopilot, verb: str) -> None:
        answers = world.answers(lambda person: getattr(again(session), verb)(by=person))
        wanted = self.IN_TEAM if room.mode == Mode.TEAM else self.IN_SUPPORT
        assert answers == wanted | {"root": "yes", "system": "yes"}  # as in the Django admin

    def test_who_is_outside_finds_none_by_the_api(
        self, world: World, room: Room, session: Autopilot
    ) -> None:
        root, path = Caller(world.root), f"rooms/{room.pk}/autopilot/"
        for call in (lambda: root.post(f"{path}pause/"), lambda: root.delete(path)):
            assert answered(call()) == (404, "not_found")

    def test_see(self, world: World, room: Room, session: Autopilot) -> None:
        seeing = {
            name
            for name, person in world.people.items()
            if Autopilot.objects.visible_to(person).exists()
        }
        in_team = {"ben", "cleo", "vic", "dee", "gus", "parrot"}
        assert seeing == (in_team if room.mode == Mode.TEAM else {"ada", "sue"})


def again(session: Autopilot) -> Autopilot:
    found: Autopilot = Autopilot.objects.get(pk=session.pk)
    return found


class TestApi:
    def path(self, room: Room, *more: str) -> str:
        return "/".join([f"rooms/{room.pk}/autopilot", *more, ""])

    def begin(self, world: World, sitting: list[Robot], **how: Any) -> Any:
        given = {"strategy": "round_robin", "robots": [robot.pk for robot in sitting], **how}
        return Caller(world.ben).post(self.path(world.team), **given)

    def test_the_whole_of_it(self, world: World, robots: list[Robot]) -> None:
        ben, team = Caller(world.ben), world.team
        assert answered(ben.get(self.path(team))) == (404, "not_found")
        started = self.begin(world, robots, turns=4, tokens=500, cost=0.5, seconds=60, goal="Tea")
        assert started.status_code == 201
        assert faults(started.json()) == []
        assert started.json()["tokens"] == {"used": 0, "limit": 500}
        assert ben.get(self.path(team)).json() == started.json()
        assert ben.post(self.path(team, "pause")).json()["state"] == "paused"
        assert ben.post(self.path(team, "resume")).json()["state"] == "running"
        assert ben.delete(self.path(team)).json()["state"] == "stopped"
        assert ben.get(self.path(team)).json()["why"]["code"] == "stopped"
        assert answered(ben.delete(self.path(team))) == (409, "autopilot_over")
        assert answered(ben.post(self.path(team, "resume"))) == (409, "autopilot_over")

    def test_one_at_a_time(self, world: World, robots: list[Robot]) -> None:
        self.begin(world, robots)
        assert answered(self.begin(world, robots)) == (409, "autopilot_running")
        Autopilot.objects.get().pause(by=world.ben)
        assert answered(self.begin(world, robots)) == (409, "autopilot_running")
        Autopilot.objects.get().stop(by=world.ben)
        assert self.begin(world, robots).status_code == 201

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"strategy": "waltz"}, "strategy"),
            ({"robots": []}, "robots"),
            ({"robots": [2**62]}, "robots"),
            ({"turns": 0}, "turns"),
            ({"turns": 101}, "turns"),
            ({"tokens": 0}, "tokens"),
            ({"cost": -1}, "cost"),
            ({"seconds": 0}, "seconds"),
            ({"goal": "x" * 2001}, "goal"),
            ({"strategy": "debate", "turns": 2}, "turns"),
        ],
    )
    def test_what_does_not_fit(
        self, world: World, robots: list[Robot], wrong: dict[str, Any], field: str
    ) -> None:
        refused = self.begin(world, robots, **wrong)
        assert answered(refused) == (400, "invalid")
        assert field in refused.json()["error"]["details"]
        assert not Autopilot.objects.exists()

    def test_who_calls(self, world: World, robots: list[Robot]) -> None:
        def begin(caller: Caller) -> Any:
            Autopilot.objects.all().delete()
            return code(
                caller.post(
                    self.path(world.team),
                    strategy="round_robin",
                    robots=[robot.pk for robot in robots],
                )
            )

        callers = {name: Caller(getattr(world, name)) for name in ("ben", "gus", "vic", "otto")}
        answers = {name: begin(caller) for name, caller in callers.items()}
        assert answers == {"ben": 201, "gus": 201, "vic": "forbidden", "otto": "not_found"}
        assert begin(Caller(None)) == "not_authenticated"

    def test_a_closed_room(self, world: World, robots: list[Robot]) -> None:
        world.team.close(by=world.ben)
        assert answered(self.begin(world, robots)) == (409, "room_closed")

    def test_it_is_audited(self, world: World, robots: list[Robot]) -> None:
        self.begin(world, robots)
        Caller(world.gus).post(self.path(world.team, "pause"))
        Caller(world.ben).post(self.path(world.team, "resume"))
        Caller(world.cleo).delete(self.path(world.team))
        entries = AuditEntry.objects.filter(action__startswith="autopilot.").order_by("pk")
        assert [(entry.action, entry.by_label) for entry in entries] == [
            ("autopilot.started", str(world.ben)),
            ("autopilot.paused", str(world.gus)),
            ("autopilot.resumed", str(world.ben)),
            ("autopilot.stopped", str(world.cleo)),
        ]
        assert entries[0].after["robots"] == ["ann", "bob", "eve"]
        assert json.dumps(entries[0].after)


def test_a_session_is_over_for_good(world: World, robots: list[Robot]) -> None:
    session = start(world, robots)
    session.stop(by=world.ben)
    for verb in (session.pause, session.resume, session.stop):
        with pytest.raises(DomainError):
            verb(by=world.ben)


def test_a_moderator_with_little_room_is_told_what_was_said(world: World) -> None:
    narrow = {"context_window": 4_096, "max_tokens": 4_000}
    robots = seated(world, world.team, "lead", "ann", "bob", **narrow)
    session = Autopilot.objects.start(world.team, by=world.ben, strategy="moderated", robots=robots)
    world.say(world.team, world.ben, "Which lamps?")
    call = moderator._asking(session).call
    assert "Which lamps?" in call.messages[1]["content"]
    assert tokens.count_messages(call.messages) + call.max_tokens <= 4_096
