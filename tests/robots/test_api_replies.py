"""The API of answers: who stops one, has it written anew or further."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from messages.models import Message
from robots.models import Reply, Robot, RobotPolicy, RobotSeat
from robots.outcome import Outcome
from rooms.models import Room
from tests.callers import TOO_LARGE, Caller, answered, code
from tests.live import contract
from tests.rooms.test_api_rooms import everybody, expected
from tests.world import World

VERBS = ("stop", "retry", "continue")


@pytest.fixture
def echo(world: World) -> Robot:
    """In the team's room and in the support room."""
    robot = Robot.objects.add("echo", "Echo", by=world.root, model="builtin/parrot")
    RobotSeat.objects.seat(robot, world.team, by=world.ben)
    RobotSeat.objects.seat(robot, world.support, by=world.ada)
    return robot


def asked(room: Room, by: Any, **how: Any) -> Message:
    """The message of an answer that a worker is writing."""
    question = room.messages.post("@echo hello", by=by, **how)
    reply = Reply.objects.take(Reply.objects.get(question=question).pk, worker="w")
    assert reply is not None
    assert reply.message is not None
    return reply.message


def failed(message: Message) -> Message:
    reply = Reply.objects.with_all().get(message=message)
    assert reply.finish(Outcome(text="Half an", error="cut_off", sentence="It broke off."))
    return message


def trying(world: World, message: Message, verb: str) -> dict[str, Any]:
    """What everybody gets, each in a state of its own."""

    def act(caller: Caller) -> Any:
        with transaction.atomic():
            answer = caller.post(f"messages/{message.pk}/{verb}/")
            transaction.set_rollback(True)
        return answer

    return everybody(world, act)


@pytest.mark.parametrize("verb", VERBS)
def test_who_may_in_a_team_room(world: World, echo: Robot, verb: str) -> None:
    message = asked(world.team, world.cleo)
    if verb != "stop":
        failed(message)
    wanted = expected(yes="ben cleo gus", forbidden="vic", otherwise="not_found")
    assert trying(world, message, verb) == wanted


@pytest.mark.parametrize("verb", VERBS)
def test_who_may_in_a_support_room(world: World, echo: Robot, verb: str) -> None:
    question = world.support.messages.post(
        "What do you think?", by=world.ada, audience="only", to=[echo.user]
    )
    reply = Reply.objects.take(Reply.objects.get(question=question).pk, worker="w")
    assert reply is not None
    assert reply.message is not None
    if verb != "stop":
        failed(reply.message)
    wanted = expected(yes="ada sue", otherwise="not_found")
    assert trying(world, reply.message, verb) == wanted


@pytest.mark.parametrize("verb", VERBS)
def test_what_was_whispered_is_nobody_elses_to_stop(world: World, echo: Robot, verb: str) -> None:
    message = asked(world.team, world.cleo, audience="only", to=[echo.user])
    if verb != "stop":
        failed(message)
    assert trying(world, message, verb) == expected(yes="cleo", otherwise="not_found")


@pytest.mark.parametrize("verb", VERBS)
def test_who_was_removed_may_nothing_any_more(world: World, echo: Robot, verb: str) -> None:
    message = asked(world.team, world.cleo)
    cleo = Caller(world.cleo)
    world.team.remove(world.cleo, by=world.ben)
    assert answered(cleo.post(f"messages/{message.pk}/{verb}/")) == (404, "not_found")
    assert Reply.objects.get(message=message).stop_requested_at is None


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_no_answer_is_404(world: World, echo: Robot, verb: str) -> None:
    said = world.say(world.team, world.ben)
    answer = asked(world.team, world.ben)
    shared = failed(answer).share(by=world.ben, audience="everyone", body="Look").message
    ben = Caller(world.ben)
    for pk in (said.pk, shared.pk, 999_999_999, TOO_LARGE, "me"):
        assert answered(ben.post(f"messages/{pk}/{verb}/")) == (404, "not_found")


def test_stopping_asks_the_worker_and_says_by_whom(world: World, echo: Robot) -> None:
    message = asked(world.team, world.cleo)
    stopped = Caller(world.ben).post(f"messages/{message.pk}/stop/")
    assert (stopped.status_code, stopped.json()["id"]) == (200, message.pk)
    reply = Reply.objects.with_all().get(message=message)
    assert reply.stopped_by == world.ben
    assert reply.finish(Outcome(text="Half an"))
    shown = Caller(world.cleo).get(f"messages/{message.pk}/").json()
    assert (shown["status"], shown["body"]) == ("stopped", "Half an")
    assert shown["data"]["reply"]["stopped_by"] == world.ben.pk
    assert code(Caller(world.ben).post(f"messages/{message.pk}/stop/")) == "reply_over"


def test_an_answer_that_nobody_took_ends_at_once(world: World, echo: Robot) -> None:
    question = world.say(world.team, world.ben, "@echo hello")
    message = Reply.objects.get(question=question).message
    assert message is not None
    stopped = Caller(world.ben).post(f"messages/{message.pk}/stop/").json()
    assert (stopped["status"], stopped["data"]["reply"]["state"]) == ("stopped", "stopped")


def test_retrying_begins_anew_and_continuing_goes_on(world: World, echo: Robot) -> None:
    ben, message = Caller(world.ben), failed(asked(world.team, world.ben))
    further = ben.post(f"messages/{message.pk}/continue/").json()
    assert (further["status"], further["body"]) == ("streaming", "Half an")
    assert further["data"]["reply"]["attempt"] == 2
    for verb in ("retry", "continue"):
        assert answered(ben.post(f"messages/{message.pk}/{verb}/")) == (409, "reply_not_over")
    ben.post(f"messages/{message.pk}/stop/")
    anew = ben.post(f"messages/{message.pk}/retry/").json()
    assert (anew["status"], anew["body"]) == ("streaming", "")
    assert anew["data"]["reply"]["attempt"] == 3
    assert anew["data"]["reply"]["error"] is None


def test_nothing_is_written_in_a_closed_room(world: World, echo: Robot) -> None:
    message = failed(asked(world.team, world.ben))
    world.team.close(by=world.ben)
    for verb in ("retry", "continue"):
        answer = Caller(world.ben).post(f"messages/{message.pk}/{verb}/")
        assert answered(answer) == (409, "room_closed")


def test_what_is_told_of_an_answer_is_what_the_contract_says(world: World, echo: Robot) -> None:
    shape = contract.validator(contract.blocks("shape")["reply"])
    known = set(contract.blocks("shape")["reply"]["properties"])
    message = asked(world.team, world.ben)
    ben = Caller(world.ben)
    for change in (lambda: None, lambda: failed(message)):
        change()
        told = ben.get(f"messages/{message.pk}/").json()["data"]["reply"]
        assert list(shape.iter_errors(told)) == []
        assert set(told) == known


def test_an_answer_is_shown_as_pages_show_it(world: World, echo: Robot) -> None:
    message = asked(world.team, world.ben)
    stopped = Caller(world.ben).client.post(f"/api/v1/messages/{message.pk}/stop/?render=html")
    assert "<" in stopped.json()["article"]


def test_what_costs_is_throttled_as_posting_is(world: World, echo: Robot, settings: Any) -> None:
    settings.CHAT_POST_RATE, settings.CHAT_POST_BURST = 0.001, 1
    message = failed(asked(world.team, world.ben))
    ben = Caller(world.ben)
    assert ben.post(f"messages/{message.pk}/retry/").status_code == 200
    assert answered(ben.post(f"messages/{message.pk}/continue/")) == (429, "rate_limited")
    assert ben.post(f"messages/{message.pk}/stop/").status_code == 200


class TestAsking:
    """Somebody chooses robots to answer a message."""

    @pytest.fixture
    def muse(self, world: World) -> Robot:
        """Only ever chosen by hand."""
        robot = Robot.objects.add(
            "muse", "Muse", by=world.root, model="builtin/parrot", trigger="manual"
        )
        RobotSeat.objects.seat(robot, world.team, by=world.ben)
        RobotSeat.objects.seat(robot, world.support, by=world.ada)
        return robot

    def ask(self, world: World, message: Message, robot: Robot) -> dict[str, Any]:
        def act(caller: Caller) -> Any:
            with transaction.atomic():
                answer = caller.post(f"messages/{message.pk}/ask/", robots=[robot.pk])
                transaction.set_rollback(True)
            return answer

        return everybody(world, act)

    def test_who_chooses_in_a_team_room(self, world: World, muse: Robot) -> None:
        answers = self.ask(world, world.say(world.team, world.cleo), muse)
        wanted = {"ben": 201, "cleo": 201, "gus": 201, "vic": "forbidden"}
        assert answers == expected(otherwise="not_found") | wanted

    def test_who_chooses_in_a_support_room(self, world: World, muse: Robot) -> None:
        said = world.say(world.support, world.carl, "My lamp is broken")
        wanted = {"ada": 201, "sue": 201, "carl": "forbidden", "dora": "forbidden"}
        assert self.ask(world, said, muse) == expected(otherwise="not_found") | wanted

    def test_the_answers_begin_at_once(self, world: World, echo: Robot, muse: Robot) -> None:
        ben, said = Caller(world.ben), world.say(world.team, world.cleo)
        path = f"messages/{said.pk}/ask/"
        begun = ben.post(path, robots=[muse.pk, echo.pk, muse.pk])
        assert begun.status_code == 201
        messages = begun.json()["messages"]
        assert {message["author"]["handle"] for message in messages} == {"echo", "muse"}
        assert {message["reply_to"]["id"] for message in messages} == {said.pk}
        assert {message["status"] for message in messages} == {"streaming"}
        assert {reply.root for reply in Reply.objects.all()} == {world.ben}
        assert ben.post(path, robots=[muse.pk]).json() == {"messages": []}, "it was asked already"

    @pytest.mark.parametrize("end", [Reply.decline, Reply.finish])
    def test_what_it_left_unsaid_unseen_it_is_asked_again(
        self, world: World, muse: Robot, end: Callable[..., bool]
    ) -> None:
        Robot.objects.filter(pk=muse.pk).update(trigger="always")
        said = world.say(world.team, world.cleo)
        unsaid = Reply.objects.take(Reply.objects.get(robot=muse).pk, worker="w")
        assert unsaid is not None
        if end == Reply.finish:  # stopped before its first word
            unsaid.stop(by=world.cleo)
        assert end(unsaid, Outcome(text=""))
        assert Reply.objects.get(robot=muse).message is None
        ben, path = Caller(world.ben), f"messages/{said.pk}/ask/"
        (message,) = ben.post(path, robots=[muse.pk]).json()["messages"]
        again = Reply.objects.get(robot=muse)
        assert (again.cause, again.root) == ("chosen", world.ben)
        assert (again.state, again.attempt) == ("queued", 2)
        assert (message["author"]["handle"], message["status"]) == ("muse", "streaming")
        assert ben.post(path, robots=[muse.pk]).json() == {"messages": []}, "it is being answered"

    @pytest.mark.parametrize(
        ("when_busy", "answer", "state"),
        [("queue", 201, "queued"), ("interrupt", 201, "stopped"), ("refuse", 409, "queued")],
    )
    def test_where_it_is_busy_what_the_room_wants_holds_for_what_it_left_unsaid(
        self, world: World, muse: Robot, when_busy: str, answer: int, state: str
    ) -> None:
        Robot.objects.filter(pk=muse.pk).update(trigger="always")
        said = world.say(world.team, world.cleo)
        unsaid = Reply.objects.take(Reply.objects.get(robot=muse).pk, worker="w")
        assert unsaid is not None
        assert unsaid.decline(Outcome(text=""))
        busy = Reply.objects.get(question=world.say(world.team, world.cleo, "@muse?"), robot=muse)
        RobotPolicy.objects.of(world.team).update(when_busy=when_busy, by=world.ben)
        asked = Caller(world.ben).post(f"messages/{said.pk}/ask/", robots=[muse.pk])
        assert asked.status_code == answer
        busy.refresh_from_db()
        assert busy.state == state
        unsaid.refresh_from_db()
        assert unsaid.state == ("declined" if answer == 409 else "queued")

    def test_an_answer_to_a_customer_is_for_the_staff(self, world: World, muse: Robot) -> None:
        said = world.say(world.support, world.carl, "My lamp is broken")
        (answer,) = (
            Caller(world.ada).post(f"messages/{said.pk}/ask/", robots=[muse.pk]).json()["messages"]
        )
        assert answer["audience"] == "staff"
        assert answered(Caller(world.carl).get(f"messages/{answer['id']}/")) == (404, "not_found")

    def test_a_robot_that_does_not_sit_here_is_404(self, world: World, muse: Robot) -> None:
        other = Robot.objects.add("far", "Far", by=world.root, model="builtin/parrot")
        said, ben = world.say(world.team, world.cleo), Caller(world.ben)
        for robots in ([other.pk], [muse.pk, other.pk], [999_999_999]):
            assert answered(ben.post(f"messages/{said.pk}/ask/", robots=robots)) == (
                404,
                "not_found",
            )
        assert not Reply.objects.exists()

    def test_a_robot_is_not_told_what_it_may_not_hear(self, world: World, muse: Robot) -> None:
        whisper = world.whisper(world.team, world.cleo, world.ben)
        answer = Caller(world.ben).post(f"messages/{whisper.pk}/ask/", robots=[muse.pk])
        assert answered(answer) == (400, "invalid")
        assert not Reply.objects.exists()

    @pytest.mark.parametrize("robots", [None, [], "all", ["1"], [True], 5])
    def test_robots_are_named_by_numbers(self, world: World, muse: Robot, robots: Any) -> None:
        said = world.say(world.team, world.ben)
        answer = Caller(world.ben).post(f"messages/{said.pk}/ask/", robots=robots)
        assert answered(answer) == (400, "invalid")
