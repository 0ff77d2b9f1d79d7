"""Robots in side-bars: what they are told there, and as whom they answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.errors import Invalid
from accounts.models import User
from live import database
from live.protocol import Viewer
from messages.models import Message
from robots import frames, router
from robots.models import Autopilot, Reply, RobotSeat
from rooms.models import Participant, Room
from tests.robots.telling import reply_to, seated, system, told, words
from tests.world import World, again
from threads.models import Sidebar


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    yield World()
    database.close()


def beside(world: World, anchor: Message, access: str = "open") -> Room:
    """A side-bar of the team room, by ben."""
    return again(Sidebar.objects.open(anchor, by=world.ben, access=access).room)


def test_who_is_named_comes_by_and_answers(world: World) -> None:
    muse = seated(world, world.team)
    room = beside(world, world.say(world.team, world.cleo, "Lamps?"))
    assert room.participant(muse.user) is None
    question = world.say(room, world.ben, "@muse what do you think?")
    assert room.participant(muse.user) is not None
    assert Reply.objects.filter(question=question, robot=muse).exists()


def test_who_is_chosen_comes_by_and_answers(world: World) -> None:
    muse, echo = seated(world, world.team), seated(world, world.team, "echo")
    room = beside(world, world.say(world.team, world.cleo, "Lamps?"))
    question = world.say(room, world.ben, "Which would an echo take?")
    assert [one.robot for one in router.propose(question.body, by=world.ben, room=room)] == [echo]
    (reply,) = Reply.objects.ask(question, [muse], by=world.ben)
    assert (reply.robot, room.participant(muse.user) is None) == (muse, False)
    assert room.participant(echo.user) is None
    Autopilot.objects.start(room, by=world.ben, strategy="round_robin", robots=[muse, echo])
    assert room.participant(echo.user) is not None


@pytest.mark.parametrize("access", ["open", "private"])
def test_who_it_is_around_it_counts(world: World, access: str) -> None:
    """Of a persona, who opened the side-bar is told as much as they may read around it."""
    muse = seated(world, world.team)
    seat = RobotSeat.objects.get(robot=muse)
    seat.update(by=world.ben, title="Lamp smith", persona="You know every shade.")
    anchor = world.say(world.team, world.cleo, "Lamps?")
    people = [world.ben, muse.user] if access == "private" else []
    opened = Sidebar.objects.open(anchor, by=world.cleo, access=access, invite=people)
    room = again(opened.room)

    def reason(by: User) -> str:
        (proposal,) = router.propose("Which lamp, and which shade?", by=by, room=room)
        assert proposal.robot == muse
        return proposal.reason

    around = "It is Lamp smith here. "
    assert room.managed_by(world.cleo)
    assert reason(world.cleo) == around + "Its persona speaks of this."
    Room.objects.seat_in(room.pk, world.ben)
    assert reason(world.ben) == around + "Its persona speaks of shade."
    if access == "open":
        room.come_by([muse.user_id])
        assert reason(world.cleo) == around + "Its persona speaks of this."
    own = RobotSeat.objects.seat(muse, room, by=world.cleo)
    own.update(by=world.cleo, persona="You know no lamp.")
    assert reason(world.cleo) == around + "Its persona speaks of lamp."
    own.update(by=world.cleo, title="Lamp critic")
    assert reason(world.cleo) == "It is Lamp critic here. Its persona speaks of lamp."


def test_into_a_private_side_bar_nobody_comes_by_being_chosen(world: World) -> None:
    muse = seated(world, world.team)
    room = beside(world, world.say(world.team, world.cleo, "Lamps?"), access="private")
    with pytest.raises(Invalid):
        Reply.objects.ask(world.say(room, world.ben, "Which?"), [muse], by=world.ben)
    assert room.participant(muse.user) is None


def test_it_is_told_what_the_side_bar_is_about(world: World) -> None:
    seated(world, world.team)
    world.say(world.team, world.ben, "ELSEWHERE")
    room = beside(world, world.say(world.team, world.cleo, "Lamps?"))
    world.say(room, world.cleo, "Green ones")
    ((_, text),) = told(world.say(room, world.ben, "@muse which?"))
    assert text == (
        "[This is a side-bar, about a message of the room around it:]\nCleo (@cleo): Lamps?\n\n"
        "Cleo (@cleo): Green ones\n\nBen (@ben): @muse which?"
    )


def test_a_message_not_all_readers_may_see_is_not_told(world: World) -> None:
    world.team.update(by=world.ben, history="joined")
    seated(world, world.team)
    anchor = world.say(world.team, world.ben, "SECRET")
    world.team.invite(world.otto, by=world.ben)
    room = beside(world, anchor)
    question = world.say(room, world.ben, "@muse which?")
    assert "SECRET" not in words(question)
    again(world.team).remove(world.otto, by=world.ben)
    assert "SECRET" in words(world.say(room, world.ben, "@muse and now?"))


def test_a_message_taken_back_is_not_told(world: World) -> None:
    seated(world, world.team)
    anchor = world.say(world.team, world.ben, "SECRET")
    room = beside(world, anchor)
    anchor.remove(by=world.ben)
    assert "SECRET" not in words(world.say(room, world.ben, "@muse which?"))


def test_what_is_for_the_staff_alone_is_not_told_to_robots(world: World) -> None:
    seated(world, world.support)
    sidebar = Sidebar.objects.open(world.note(world.ada, "SECRET"), by=world.ada)
    question = world.say(again(sidebar.room), world.ada, "@muse which?")
    assert "SECRET" not in words(question)


def test_it_is_there_who_it_is_around(world: World) -> None:
    muse = seated(world, world.team)
    RobotSeat.objects.at(world.seat(world.team, muse.user)).update(
        by=world.ben, persona="You are a pirate."
    )
    room = beside(world, world.say(world.team, world.cleo, "Lamps?"))
    question = world.say(room, world.ben, "@muse which?")
    assert "You are a pirate." in system(question)
    RobotSeat.objects.at(world.seat(room, muse.user)).update(by=world.ben, persona="A poet.")
    assert "A poet." in system(reply_to(question, muse))
    assert "pirate" not in system(reply_to(question, muse))


def test_each_of_what_it_is_holds_until_it_is_given_another(world: World) -> None:
    muse = seated(world, world.team)
    around = RobotSeat.objects.get(robot=muse)
    around.update(by=world.ben, title="Critic", persona="You are a pirate.")
    room = beside(world, world.say(world.team, world.cleo, "Lamps?"))
    ben = Participant.objects.select_related("room", "user").get(room=room, user=world.ben)

    def title() -> str:
        people = [{"id": muse.user_id, "role": "robot"}]
        ((robot,),) = frames.robots([Viewer(ben, people)])
        return str(robot["title"])

    assert title() == "Critic"
    question = world.say(room, world.ben, "@muse which?")
    here = RobotSeat.objects.at(world.seat(room, muse.user))
    here.update(by=world.ben, persona="A poet.")
    assert "Muse (@muse), Critic here" in system(question)
    assert "A poet." in system(question)
    assert title() == "Critic"
    here.update(by=world.ben, title="Judge", persona="")
    assert "Muse (@muse), Judge here" in system(question)
    assert "You are a pirate." in system(question)
    assert title() == "Judge"
