"""An answer that is written anew, or further: who may have that, and that nothing is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from messages.models import Message
from robots.models import Reply, Robot, RobotSeat
from robots.outcome import Outcome
from tests.callers import Caller, answered
from tests.robots.talking import answer, seated
from tests.rooms.test_api_rooms import everybody, expected
from tests.world import World, again

BOTH = pytest.mark.parametrize("verb", ["retry", "continue"])
FAILED = Outcome(text="", error="timeout", sentence="It took too long.")


@pytest.fixture
def echo(world: World) -> Robot:
    (robot,) = seated(world, world.team, "echo")
    return robot


@pytest.fixture
def said(world: World, echo: Robot) -> Message:
    """What it has finished, as Cleo asked."""
    world.say(world.team, world.cleo, "@echo hello")
    return answer(Reply.objects.get(), "Well said.")


def taken() -> Reply:
    """By a worker."""
    reply = Reply.objects.take(Reply.objects.get().pk, worker="w")
    assert reply is not None
    return reply


class TestWhatIsFinished:
    """Somebody may rest on it: it is not for everybody to have begun again."""

    def trying(self, world: World, message: Message, verb: str) -> dict[str, Any]:
        def act(caller: Caller) -> Any:
            with transaction.atomic():
                done = caller.post(f"messages/{message.pk}/{verb}/")
                transaction.set_rollback(True)
            return done

        return everybody(world, act)

    @BOTH
    def test_who_asked_and_who_manages_the_room(
        self, world: World, said: Message, verb: str
    ) -> None:
        wanted = expected(yes="ben cleo", forbidden="gus vic", otherwise="not_found")
        assert self.trying(world, said, verb) == wanted

    @BOTH
    def test_who_sets_robots_up_and_sits_there(
        self, world: World, said: Message, verb: str
    ) -> None:
        world.team.invite(world.ada, by=world.ben)
        wanted = expected(yes="ben cleo ada", forbidden="gus vic", otherwise="not_found")
        assert self.trying(world, said, verb) == wanted

    def test_what_broke_off_is_for_all_who_write(self, world: World, echo: Robot) -> None:
        world.say(world.team, world.cleo, "@echo hello")
        message = answer(Reply.objects.get(), "Half", error="cut_off", sentence="It broke off.")
        gus, path = Caller(world.gus), f"messages/{message.pk}/"
        assert gus.post(f"{path}retry/").status_code == 200
        # And once it is finished, it is theirs too, who had it begun again.
        assert taken().finish(Outcome(text="Whole."))
        assert gus.post(f"{path}retry/").status_code == 200

    def test_a_card_is_no_way_around(self, world: World, said: Message) -> None:
        given = {"action": "retry", "version": said.version}
        assert Caller(world.gus).post(f"messages/{said.pk}/actions/", **given).status_code >= 400
        assert again(said).body == "Well said."


def switch_off(world: World, echo: Robot) -> None:
    echo.update(by=world.root, enabled=False)


def retire(world: World, echo: Robot) -> None:
    echo.retire(by=world.root)


def take_out(world: World, echo: Robot) -> None:
    RobotSeat.objects.get(robot=echo).remove(by=world.ben)


def spend(world: World, echo: Robot) -> None:
    echo.update(by=world.root, daily_tokens=0)


def delete_the_question(world: World, echo: Robot) -> None:
    Message.objects.get(body="@echo hello").remove(by=world.cleo)


class TestNothingIsEmptiedForNothing:
    @BOTH
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (switch_off, "robot_off"),
            (retire, "robot_retired"),
            (take_out, "robot_not_here"),
            (spend, "budget_spent"),
            (delete_the_question, "message_deleted"),
        ],
    )
    def test_what_cannot_be_answered_now_is_left_alone(
        self,
        world: World,
        echo: Robot,
        said: Message,
        change: Callable[[World, Robot], None],
        code: str,
        verb: str,
    ) -> None:
        change(world, echo)
        refused = Caller(world.cleo).post(f"messages/{said.pk}/{verb}/")
        assert answered(refused) == (409, code)
        after = again(said)
        assert (after.body, after.status, after.attempt) == ("Well said.", "complete", 1)

    @pytest.mark.parametrize("end", ["finish", "give_up", "stop", "stop early"])
    def test_what_it_said_comes_back_where_nothing_comes_of_it(
        self, world: World, said: Message, end: str
    ) -> None:
        cleo, path = Caller(world.cleo), f"messages/{said.pk}/"
        assert cleo.post(f"{path}retry/").json()["body"] == ""
        if end == "stop early":
            cleo.post(f"{path}stop/")
        else:
            reply = taken()
            if end == "finish":
                assert reply.finish(FAILED)
            elif end == "give_up":
                Reply.objects.update(lease_until=reply.created_at)
                reply.give_up()
            else:
                cleo.post(f"{path}stop/")
                assert reply.finish(Outcome(text=""))
        shown = cleo.get(path).json()
        assert shown["body"] == "Well said."
        assert "Well said." in shown["html"]
        assert shown["status"] == ("failed" if end in {"finish", "give_up"} else "stopped")
        assert [one["name"] for one in shown["data"]["actions"]] == ["retry", "continue"]
        assert Reply.objects.get().earlier == ""

    def test_it_comes_back_however_often(self, world: World, said: Message) -> None:
        for _ in range(3):
            assert Caller(world.cleo).post(f"messages/{said.pk}/retry/").status_code == 200
            assert taken().finish(FAILED)
            assert again(said).body == "Well said."

    def test_its_first_new_word_takes_its_place(self, world: World, said: Message) -> None:
        Caller(world.cleo).post(f"messages/{said.pk}/retry/")
        reply = taken()
        assert reply.begin_streaming(ttft_ms=1)
        assert Reply.objects.get().earlier == ""
        assert reply.finish(Outcome(text="New", error="cut_off", sentence="It broke off."))
        assert again(said).body == "New"

    def test_one_that_now_declines_has_nothing_to_say(self, world: World, said: Message) -> None:
        Caller(world.cleo).post(f"messages/{said.pk}/retry/")
        assert taken().decline(Outcome(text=""))
        assert again(said).body == ""

    def test_of_what_is_deleted_meanwhile_no_word_stays(self, world: World, said: Message) -> None:
        Caller(world.cleo).post(f"messages/{said.pk}/retry/")
        again(said).remove(by=world.ben)
        assert again(said).body == ""
        assert Reply.objects.get().earlier == ""


class TestHowFarItIs:
    def state(self, world: World) -> str:
        message = Reply.objects.get().message_id
        shown = Caller(world.ben).get(f"messages/{message}/").json()
        return str(shown["data"]["reply"]["state"])

    def test_it_is_queued_then_thinking_then_streaming(
        self, world: World, echo: Robot, django_capture_on_commit_callbacks: Any
    ) -> None:
        world.say(world.team, world.ben, "@echo hello")
        assert self.state(world) == "queued"
        with django_capture_on_commit_callbacks(execute=True):
            reply = taken()
        assert self.state(world) == "thinking"
        assert reply.put_back(Outcome(text=""))
        assert self.state(world) == "queued"
        assert taken().begin_streaming(ttft_ms=1)
        assert self.state(world) == "streaming"

    def test_who_waits_for_what_is_left_of_a_budget_is_queued(
        self, world: World, echo: Robot, django_capture_on_commit_callbacks: Any
    ) -> None:
        echo.update(by=world.root, daily_tokens=10)
        world.say(world.team, world.ben, "@echo hello")
        reply = taken()
        beside = world.say(world.team, world.ben, "nothing")
        Reply.objects.create(
            robot=echo,
            room=world.support,
            question=beside,
            cause="named",
            state="streaming",
            started_at=reply.started_at,
            tokens_reserved=10,
        )
        with django_capture_on_commit_callbacks(execute=True):
            assert not reply.reserve(5, None)
        shown = Caller(world.ben).get(f"messages/{reply.message_id}/").json()
        assert shown["data"]["reply"]["state"] == "queued"
