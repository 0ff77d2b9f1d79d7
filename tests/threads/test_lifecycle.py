"""A side-bar lives and dies with the room around it, and may end before."""

import pytest

from messages.models import Message
from rooms.models import Participant, Room
from tests.threads.beside import beside, look, private, seated
from tests.world import World, again, expected
from threads.models import Sidebar


def states(*sidebars: Sidebar) -> list[str]:
    return [again(sidebar.room).state for sidebar in sidebars]


def test_closing_the_room_closes_its_side_bars_at_the_same_moment(
    world: World, talk: Sidebar, aside: Sidebar
) -> None:
    other = beside(world.say(world.public, world.ben), world.ben)
    again(world.team).close(by=world.ben)
    assert states(talk, aside, other) == ["closed", "closed", "active"]
    at = again(world.team).closed_at
    assert [again(sidebar.room).closed_at for sidebar in (talk, aside)] == [at, at]
    for sidebar in (talk, aside):
        note = again(sidebar.room).messages.latest("pk")
        assert note.data["event"] == "closed"
        assert world.answer(lambda who: look(talk, who), world.cleo) == "yes"
    answers = world.answers(lambda who: again(talk.room).messages.post("hi", by=who))
    assert answers == expected(room_closed="ben cleo vic dee gus parrot", otherwise="not_found")


def test_reopening_it_reopens_those_that_were_closed_with_it(
    world: World, talk: Sidebar, aside: Sidebar, said: Message
) -> None:
    ended, closed = beside(said, world.ben), beside(said, world.ben)
    ended.conclude(by=world.ben, body="Done.")
    closed.room.close(by=world.ben)
    again(world.team).close(by=world.ben)
    again(world.team).reopen(by=world.ben)
    assert states(talk, aside, ended, closed) == ["active", "active", "closed", "closed"]
    assert again(ended).concluded_at is not None
    assert again(talk.room).closed_at is None
    assert world.say(again(talk.room), world.cleo)


def test_from_the_archive_they_come_back_with_it(world: World, talk: Sidebar) -> None:
    again(world.team).close(by=world.ben)
    again(world.team).archive(by=world.ben)
    assert world.answer(lambda who: again(talk.room).messages.post("hi", by=who), world.ben) in (
        "room_closed",
        "room_archived",
    )
    again(world.team).reopen(by=world.ben)
    assert states(talk) == ["active"]


def test_a_customers_message_reopens_them_with_the_room(world: World, internal: Sidebar) -> None:
    again(world.support).close(by=world.ada)
    world.say(again(world.support), world.carl, "one more thing")
    assert (again(world.support).state, *states(internal)) == ("active", "active")


def test_nothing_is_reopened_in_a_closed_room(world: World, talk: Sidebar, said: Message) -> None:
    ended = beside(said, world.ben)
    ended.conclude(by=world.ben, body="Done.")
    again(world.team).close(by=world.ben)
    for sidebar in (talk, ended):
        answers = world.answers(lambda who: again(sidebar.room).reopen(by=who))  # noqa: B023
        assert answers == expected(room_closed="ben root system", otherwise="forbidden")
    assert again(ended).concluded_at is not None


def test_who_closes_and_archives_a_side_bar(world: World, said: Message) -> None:
    sidebar = private(said, world.cleo, world.ben, world.gus, world.vic)
    answers = world.answers(lambda who: again(sidebar.room).close(by=who))
    assert answers == expected(yes="ben cleo root system", otherwise="forbidden")
    again(sidebar.room).close(by=world.cleo)
    answers = world.answers(lambda who: again(sidebar.room).archive(by=who))
    assert answers == expected(yes="ben cleo root system", otherwise="forbidden")
    again(sidebar.room).archive(by=world.cleo)
    again(world.team).close(by=world.ben)
    again(world.team).reopen(by=world.ben)
    assert states(sidebar) == ["archived"], "put away it was before"


def test_what_happens_to_a_side_bar_does_nothing_to_the_room(
    world: World, talk: Sidebar, aside: Sidebar
) -> None:
    before = again(world.team).revision
    again(talk.room).close(by=world.ben)
    again(talk.room).reopen(by=world.ben)
    again(talk.room).update(by=world.ben, name="Plans")
    world.say(again(aside.room), world.gus)
    again(aside.room).leave(by=world.gus)
    assert again(world.team).revision == before
    assert world.seat(world.team, world.gus)


def test_a_side_bar_of_a_support_room_waits_for_nobody(world: World, internal: Sidebar) -> None:
    again(internal.room).leave(by=world.ada)
    assert (again(internal.room).state, again(internal.room).waiting_since) == ("active", None)


def test_coming_and_going_is_told_in_closed_ones_too(world: World, talk: Sidebar) -> None:
    """As it is in closed rooms."""
    look(talk, world.cleo)
    again(talk.room).close(by=world.ben)
    again(world.team).leave(by=world.cleo)
    assert seated(talk) == {"ben": "owner"}
    assert states(talk) == ["closed"]


@pytest.mark.parametrize("concluded", [False, True])
def test_purging_the_room_takes_its_side_bars(
    world: World, talk: Sidebar, aside: Sidebar, concluded: bool
) -> None:
    world.say(again(talk.room), world.ben)
    message = world.say(again(aside.room), world.gus)
    aside.share([message.pk], by=world.ben, audience="everyone")
    if concluded:
        talk.conclude(by=world.ben, body="Done.")
    world.team.delete()
    pks = [talk.pk, aside.pk]
    assert not Room.objects.filter(pk__in=pks).exists()
    assert not Sidebar.objects.filter(pk__in=pks).exists()
    assert not Participant.objects.filter(room__in=pks).exists()
    assert not Message.objects.filter(room__in=pks).exists()


def test_a_side_bar_of_a_direct_room_is_between_its_two(world: World) -> None:
    sidebar = beside(world.say(world.direct, world.ben), world.ben)
    answers = world.answers(lambda who: look(sidebar, who))
    assert answers == expected(yes="ben cleo", otherwise="not_found")
    look(sidebar, world.cleo)
    again(sidebar.room).leave(by=world.ben)
    assert seated(sidebar) == {"cleo": "owner"}
    assert world.seat(world.direct, world.ben)
    sidebar.conclude(by=world.cleo, body="Good.")
    assert states(sidebar) == ["closed"]


def test_the_message_it_is_beside_may_be_deleted(
    world: World, talk: Sidebar, said: Message
) -> None:
    again(said).remove(by=world.cleo)
    assert states(talk) == ["active"]
    assert world.say(again(talk.room), world.cleo)


def test_what_is_said_of_it_in_a_support_room_is_said_to_staff(
    world: World, internal: Sidebar
) -> None:
    """Not in the words that customers are told, who are in none."""
    internal.conclude(by=world.sue, body="Done.")
    again(internal.room).reopen(by=world.ada)
    notes = [(note.body, note.audience) for note in again(internal.room).messages.order_by("pk")]
    assert notes == [
        ("Sue closed the side-bar.", "staff"),
        ("Ada reopened the side-bar.", "staff"),
    ]
