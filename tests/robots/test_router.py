"""Who can answer this? Robots are proposed with reasons; a person chooses."""

from __future__ import annotations

import pytest

from accounts.errors import Invalid
from accounts.models import User
from messages.models import Message
from robots import router
from robots.models import Reply, Robot, RobotSeat
from robots.summons import Cause
from rooms.models import Room
from tests.robots.telling import answered, reply_to, seated
from tests.world import World, again, expected

QUESTION = "Who can tell me about refunds and invoices?"


@pytest.fixture
def billing(world: World) -> Robot:
    return seated(
        world, world.team, "billy", persona="You handle every Refund, and invoices of customers."
    )


@pytest.fixture
def poet(world: World) -> Robot:
    return seated(world, world.team, "poet", persona="You write poems about the sea.")


def handles(proposals: list[router.Proposal]) -> list[str]:
    return [proposal.robot.user.handle for proposal in proposals]


def test_a_persona_that_speaks_of_it_is_a_reason(world: World, billing: Robot, poet: Robot) -> None:
    (proposal,) = router.propose(QUESTION, by=world.ada)
    assert proposal.robot == billing
    assert proposal.reason == "Its persona speaks of refunds and invoices."
    assert 0 < proposal.score <= 1


def test_of_a_persona_no_word_is_told_to_who_may_not_read_it(
    world: World, billing: Robot, poet: Robot
) -> None:
    """A robot's own is for agents and above, what it is in a room for who manages that."""
    seat = RobotSeat.objects.get(robot=poet)
    seat.update(by=world.ben, persona="You know refunds and invoices.")
    world.team.invite(world.ada, by=world.ben)

    def reasons(by: User) -> dict[str, str]:
        proposals = router.propose(QUESTION, by=by, room=world.team)
        return {proposal.robot.user.handle: proposal.reason for proposal in proposals}

    hidden, told = "Its persona speaks of this.", "Its persona speaks of refunds and invoices."
    assert reasons(world.cleo) == {"billy": hidden, "poet": hidden}
    assert reasons(world.ben) == {"billy": hidden, "poet": told}
    assert reasons(world.ada) == {"billy": told, "poet": hidden}


def test_what_it_is_in_the_room_counts_there(world: World, billing: Robot, poet: Robot) -> None:
    seat = RobotSeat.objects.get(robot=poet)
    seat.update(by=world.ben, title="Refunds clerk", persona="You know refunds and invoices.")
    seat = RobotSeat.objects.get(robot=billing)
    seat.update(by=world.ben, persona="You dance.")
    (proposal,) = router.propose(QUESTION, by=world.ben, room=world.team)
    assert proposal.robot == poet
    assert proposal.reason.startswith("It is Refunds clerk here. Its persona speaks of")
    assert handles(router.propose(QUESTION, by=world.ada)) == ["billy"]


def test_what_it_is_called_counts(world: World) -> None:
    seated(world, world.team, "invoices")
    (proposal,) = router.propose(QUESTION, by=world.ben, room=world.team)
    assert proposal.reason == "It is called Invoices."


def test_what_it_answered_before_counts(world: World, poet: Robot) -> None:
    answered(world.say(world.team, world.ben, "@poet how do refunds work?"))
    (proposal,) = router.propose("refunds?", by=world.ben, room=world.team)
    assert proposal.robot == poet
    assert proposal.reason == (
        "It has answered something like it once before: “@poet how do refunds work?”"
    )


def test_what_one_may_not_see_speaks_for_nobody(world: World, poet: Robot) -> None:
    question = world.whisper(world.team, world.cleo, poet.user, body="how do refunds work?")
    answered(question)
    assert router.propose("refunds?", by=world.ben, room=world.team) == []
    assert handles(router.propose("refunds?", by=world.cleo, room=world.team)) == ["poet"]
    question.remove(by=world.cleo)
    assert router.propose("refunds?", by=world.cleo, room=world.team) == []


def test_what_it_failed_at_speaks_for_nobody(world: World, poet: Robot) -> None:
    reply = reply_to(world.say(world.team, world.ben, "@poet how do refunds work?"))
    reply.stop(by=world.ben)
    assert router.propose("refunds?", by=world.ben, room=world.team) == []


def test_five_of_those_that_can_answer_the_best_first(world: World, billing: Robot) -> None:
    for number in range(6):
        seated(world, world.team, f"clerk-{number}", persona="You know refunds.")
    off = seated(world, world.team, "off", persona="You know refunds and invoices.")
    off.update(by=world.root, enabled=False)
    gone = seated(world, world.team, "gone", persona="You know refunds and invoices.")
    gone.retire(by=world.root)
    found = router.propose(QUESTION, by=world.ben, room=world.team)
    assert len(found) == 5
    assert found[0].robot == billing
    assert not {"off", "gone"} & set(handles(found))


def test_only_robots_of_the_room_are_proposed_for_it(world: World, billing: Robot) -> None:
    assert router.propose(QUESTION, by=world.ada, room=world.support) == []
    assert handles(router.propose(QUESTION, by=world.ada)) == ["billy"]


def test_who_may_have_robots_proposed(world: World, billing: Robot) -> None:
    in_team = world.answers(lambda who: router.propose("?", by=who, room=world.team))
    assert in_team == expected(
        yes="ben cleo dee gus", forbidden="vic parrot", otherwise="not_found"
    )
    in_support = world.answers(lambda who: router.propose("?", by=who, room=world.support))
    assert in_support == expected(
        yes="ada sue", forbidden="carl dora parrot", otherwise="not_found"
    )
    anywhere = world.answers(lambda who: router.propose("?", by=who))
    assert anywhere == expected(yes="root sue ada amy", otherwise="forbidden")


# Choosing


def ask(world: World, question: Message, *robots: Robot) -> list[Reply]:
    return Reply.objects.ask(question, robots, by=world.cleo)


def test_who_is_chosen_answers(world: World, billing: Robot, poet: Robot) -> None:
    question = world.say(world.team, world.ben, QUESTION)
    replies = ask(world, question, billing, poet)
    assert {reply.robot for reply in replies} == {billing, poet}
    for reply in replies:
        assert (reply.cause, reply.root, reply.state) == (Cause.CHOSEN, world.cleo, "queued")
        assert reply.message.reply_to == question


def test_who_answered_already_is_left_alone(world: World, billing: Robot, poet: Robot) -> None:
    question = world.say(world.team, world.ben, f"@billy {QUESTION}")
    answered(question)
    (reply,) = ask(world, question, billing, poet)
    assert reply.robot == poet
    assert ask(world, question, billing, poet) == []


def test_a_robot_chosen_by_hand_alone_can_be_chosen(world: World) -> None:
    robot = seated(world, world.team, "shy", trigger="manual")
    assert len(ask(world, world.say(world.team, world.ben, QUESTION), robot)) == 1


def test_who_may_choose(world: World, billing: Robot) -> None:
    question = world.say(world.team, world.ben, QUESTION)
    choose = world.answers(lambda who: Reply.objects.ask(question, [billing], by=who))
    assert choose == expected(yes="ben cleo dee gus", forbidden="vic parrot", otherwise="not_found")
    RobotSeat.objects.seat(billing, world.support, by=world.ada)
    question = world.say(world.support, world.carl, QUESTION)
    choose = world.answers(lambda who: Reply.objects.ask(question, [billing], by=who))
    assert choose == expected(yes="ada sue", forbidden="carl dora parrot", otherwise="not_found")


def test_what_one_may_not_see_is_not_there_to_be_answered(world: World, billing: Robot) -> None:
    whisper = world.whisper(world.team, world.ben, world.vic)
    may = world.answer(lambda who: Reply.objects.ask(whisper, [billing], by=who), world.cleo)
    assert may == "not_found"


def test_a_robot_answers_what_it_hears_where_it_is(
    world: World, billing: Robot, poet: Robot
) -> None:
    elsewhere = Robot.objects.add("far", "Far", by=world.root, model="builtin/parrot")
    question = world.say(world.team, world.ben, QUESTION)
    whisper = world.whisper(world.team, world.ben, world.cleo)
    own = answered(world.say(world.team, world.ben, "@poet hello"))
    poet.update(by=world.root, enabled=False)
    for message, robot in (
        (question, elsewhere),
        (whisper, billing),
        (own, poet),
        (question, poet),
    ):
        with pytest.raises(Invalid):
            ask(world, message, robot)


def test_what_cannot_be_answered(world: World, billing: Robot) -> None:
    deleted = world.say(world.team, world.ben, QUESTION)
    deleted.remove(by=world.ben)
    note = world.team.messages.filter(kind="system").first()
    question = world.say(world.team, world.ben, QUESTION)

    def answer(message: Message) -> str:
        return world.answer(lambda who: Reply.objects.ask(message, [billing], by=who), world.cleo)

    assert answer(deleted) == "message_deleted"
    assert answer(note) == "invalid"
    Room.objects.get(pk=world.team.pk).close(by=world.ben)
    assert answer(again(question)) == "room_closed"
