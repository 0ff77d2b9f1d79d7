"""Who is to answer a message, in which audience, written down with the message itself."""

from __future__ import annotations

import pytest

from accounts.models import User
from messages.audience import Audience
from messages.models import Message
from robots.models import Reply, Robot, RobotPolicy, RobotSeat
from robots.summons import Cause
from rooms.models import Room
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return World()


def seated(world: World, room: Room, handle: str = "echo", **config: str) -> Robot:
    """A robot of its own, in a room."""
    robot = Robot.objects.add(
        handle, handle.title(), by=world.ada, model="builtin/parrot", **config
    )
    by = world.ben if room == world.team else world.ada
    RobotSeat.objects.seat(robot, room, by=by)
    return robot


def test_a_mention_queues_a_reply_and_begins_its_message(world: World) -> None:
    robot = seated(world, world.team)
    question = world.team.messages.post("@echo say hello", by=world.ben)
    reply = Reply.objects.get(question=question)
    assert (reply.robot, reply.cause, reply.root) == (robot, Cause.NAMED, world.ben)
    message = reply.message
    assert message.status == Message.Status.STREAMING
    assert message.reply_to == question
    assert message.data["reply"]["id"] == reply.pk
    assert message.attempt == reply.attempt == 1
    assert (message.author, message.body) == (robot.user, "")


def test_a_whisper_is_answered_in_its_audience(world: World) -> None:
    robot = seated(world, world.team)
    question = world.team.messages.post(
        "Between us?", by=world.ben, audience=Audience.ONLY, to=[robot.user, world.cleo]
    )
    message = Reply.objects.get(question=question).message
    assert message.audience == Audience.ONLY
    assert set(message.to) == {world.ben.pk, world.cleo.pk}


def test_in_a_support_room_an_answer_is_for_the_staff(world: World) -> None:
    robot = seated(world, world.support, trigger="always")
    question = world.support.messages.post("My lamp is broken", by=world.carl)
    reply = Reply.objects.get(question=question)
    assert reply.cause == Cause.ALWAYS
    assert reply.message is None
    assert reply.answer_to() == (Audience.STAFF, ())
    assert robot.user_id


def test_customers_summon_no_robots(world: World) -> None:
    seated(world, world.support)
    world.support.messages.post("@echo help", by=world.carl)
    assert not Reply.objects.exists()


def test_who_answers_everything_answers_customers_who_name_it_too(world: World) -> None:
    seated(world, world.support, trigger="always")
    world.support.messages.post("@echo my lamp is broken", by=world.carl)
    assert Reply.objects.get().cause == Cause.ALWAYS


@pytest.mark.parametrize("body", ["`@echo` in code", "> @echo in a quote", "echo", "@ech"])
def test_what_names_nobody_summons_nobody(world: World, body: str) -> None:
    seated(world, world.team)
    world.team.messages.post(body, by=world.ben)
    assert not Reply.objects.exists()


def test_a_note_to_staff_is_unknown_to_robots(world: World) -> None:
    seated(world, world.support)
    world.support.messages.post("@echo?", by=world.ada, audience=Audience.STAFF)
    assert not Reply.objects.exists()


def test_robots_names_them_all(world: World) -> None:
    both = {seated(world, world.team), seated(world, world.team, "muse")}
    world.team.messages.post("@robots who knows?", by=world.ben)
    assert {reply.robot for reply in Reply.objects.all()} == both


def test_a_robot_chosen_by_hand_alone_is_not_summoned_by_a_mention(world: World) -> None:
    robot = seated(world, world.team, trigger="manual")
    world.team.messages.post("@echo and @robots", by=world.ben)
    assert not Reply.objects.exists()
    world.team.messages.post("You.", by=world.ben, audience="only", to=[robot.user])
    assert Reply.objects.count() == 1


def test_a_direct_room_always_answers(world: World) -> None:
    robot = Robot.objects.add("echo", "Echo", by=world.ada, model="builtin/parrot")
    room = Room.objects.direct(robot.user, by=world.ben)
    room.messages.post("Hi", by=world.ben)
    assert Reply.objects.get().cause == Cause.DIRECT


def test_one_reply_a_robot_and_message(world: World) -> None:
    seated(world, world.team)
    world.team.messages.post("@echo @echo @robots", by=world.ben)
    assert Reply.objects.count() == 1


def test_shares_and_edits_summon_nobody(world: World) -> None:
    question = world.team.messages.post("@echo hello", by=world.ben)
    seated(world, world.team)
    question.share(by=world.ben, audience=Audience.EVERYONE)
    question.edit("@echo hello there", by=world.ben)
    assert not Reply.objects.exists()


class TestWhenBusy:
    @pytest.fixture
    def running(self, world: World) -> Reply:
        seated(world, world.team)
        world.team.messages.post("@echo first", by=world.ben)
        reply = Reply.objects.take(Reply.objects.get().pk, worker="w")
        assert reply is not None
        return reply

    def ask(self, world: World, policy: str, by: User) -> Message:
        RobotPolicy.objects.of(world.team).update(when_busy=policy, by=world.ben)
        return world.team.messages.post("@echo second", by=by)

    def test_it_waits_its_turn(self, world: World, running: Reply) -> None:
        second = Reply.objects.get(question=self.ask(world, "queue", world.cleo))
        assert Reply.objects.take(second.pk, worker="w") is None
        from robots.outcome import Outcome

        assert running.finish(Outcome(text="First."))
        assert Reply.objects.take(second.pk, worker="w") is not None

    def test_it_interrupts(self, world: World, running: Reply) -> None:
        self.ask(world, "interrupt", world.cleo)
        running.refresh_from_db()
        assert running.stop_requested_at
        assert running.stopped_by == world.cleo

    def test_it_is_refused_and_leaves_nothing(self, world: World, running: Reply) -> None:
        with pytest.raises(Reply.Busy):
            self.ask(world, "refuse", world.cleo)
        assert not Message.objects.filter(body="@echo second").exists()

    @pytest.mark.parametrize("policy", ["refuse", "interrupt"])
    def test_what_is_not_put_to_it_waits(self, world: World, running: Reply, policy: str) -> None:
        Robot.objects.update(trigger="always")
        RobotPolicy.objects.of(world.team).update(when_busy=policy, by=world.ben)
        second = world.team.messages.post("by the way", by=world.cleo)
        assert Reply.objects.get(question=second).state == Reply.State.QUEUED
        running.refresh_from_db()
        assert running.stop_requested_at is None

    def test_who_may_not_see_what_is_written_waits(self, world: World) -> None:
        robot = seated(world, world.team)
        world.team.messages.post("@echo psst", by=world.ben, audience="only", to=[robot.user])
        Reply.objects.take(Reply.objects.get().pk, worker="w")
        second = self.ask(world, "refuse", world.cleo)
        assert Reply.objects.get(question=second).state == Reply.State.QUEUED


def test_deleting_the_question_stops_the_answer(world: World) -> None:
    seated(world, world.team)
    question = world.team.messages.post("@echo hello", by=world.ben)
    question.remove(by=world.ben)
    reply = Reply.objects.get()
    assert reply.state == Reply.State.STOPPED
    assert reply.message.status == Message.Status.STOPPED


def test_a_robot_taken_out_of_the_room_stops(world: World) -> None:
    robot = seated(world, world.team)
    world.team.messages.post("@echo hello", by=world.ben)
    world.team.remove(robot.user, by=world.ben)
    assert Reply.objects.get().state == Reply.State.STOPPED


def test_a_robot_that_is_shut_out_is_not_summoned(world: World) -> None:
    robot = seated(world, world.team)
    robot.user.deactivate(by=world.root)
    world.team.messages.post("@echo hello", by=world.ben)
    assert not Reply.objects.exists()
