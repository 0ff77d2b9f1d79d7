"""What the room around a side-bar shows of it, and to whom; and what that costs."""

from typing import Any

import pytest

from accounts.models import User
from live.protocol import Viewer
from messages.models import Message
from messages.overview import overview
from rooms.models import Participant, Room
from tests.messages.test_query_counts import crowd, full_of, queries
from tests.threads.beside import beside, know_of, look, private, stub, stubs_of
from tests.world import World, again
from threads.frames import sidebars as told_in_joined
from threads.models import Sidebar
from threads.stubs import encode_for, stubs_for


def replies(who: User, sidebar: Sidebar) -> tuple[int, int | None]:
    """How many, and the newest."""
    shown = stub(who, sidebar)
    assert shown is not None
    return shown["replies"], shown["last"] and shown["last"]["id"]


def test_what_a_stub_says(world: World, said: Message) -> None:
    sidebar = private(said, world.cleo, world.ben, world.vic, title="Plans")
    first = world.say(again(sidebar.room), world.ben)
    last = world.say(again(sidebar.room), world.cleo)
    room = again(sidebar.room)
    assert stub(world.ben, sidebar) == {
        "id": sidebar.pk,
        "anchor": said.pk,
        "title": "Plans",
        "access": "private",
        "state": "active",
        "created_by": world.cleo.public(),
        "created_at": room.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "replies": 2,
        "last": {
            "id": last.pk,
            "author": world.cleo.public(),
            "created_at": last.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
        "people": [who.public() for who in (world.cleo, world.ben, world.vic)],
        "people_count": 3,
        "conclusion": None,
        "concluded_at": None,
    }
    assert first.pk < last.pk


def test_who_sees_the_message_sees_the_stub(world: World, talk: Sidebar, aside: Sidebar) -> None:
    note = beside(world.note(world.ada), world.ada)
    assert know_of(world, talk) == {"ben", "cleo", "vic", "dee", "gus", "parrot"}
    assert know_of(world, aside) == {"ben", "gus"}
    assert know_of(world, note) == {"ada", "sue"}, "no robot sees the note"


def test_customers_see_none_whatever_is_said(world: World, asked: Message) -> None:
    for sidebar in (beside(asked, world.ada), private(asked, world.ada, world.sue)):
        assert stub(world.carl, sidebar) is None
    seat = world.seat(world.support, world.carl)
    assert told_in_joined([Viewer(seat, [])]) == [[]]


def test_who_came_later_sees_those_beside_what_they_see(
    world: World, talk: Sidebar, said: Message
) -> None:
    world.team.update(by=world.ben, history="joined")
    again(world.team).invite(world.otto, by=world.ben)
    later = beside(world.say(again(world.team), world.ben), world.ben)
    assert set(stubs_of(world.otto, again(world.team))) == {later.pk}
    again(world.team).update(by=world.ben, history="all")
    assert set(stubs_of(world.otto, again(world.team))) == {later.pk, talk.pk}


def test_whispers_count_for_nobody(world: World, talk: Sidebar) -> None:
    look(talk, world.cleo)
    before = {name: stub(world.people[name], talk) for name in ("ben", "cleo", "vic")}
    world.whisper(again(talk.room), world.ben, world.cleo)
    again(talk.room).messages.latest("pk").react("👍", by=world.cleo)
    assert {name: stub(world.people[name], talk) for name in before} == before


def test_notes_of_the_system_count_for_nobody(world: World, aside: Sidebar) -> None:
    again(aside.room).update(by=world.ben, description="About plans")
    again(aside.room).close(by=world.ben)
    assert replies(world.ben, aside) == (0, None)


def test_what_was_deleted_counts_no_more(world: World, talk: Sidebar) -> None:
    first, last = (world.say(again(talk.room), world.ben) for _ in range(2))
    assert replies(world.vic, talk) == (2, last.pk)
    again(last).remove(by=world.ben)
    assert replies(world.vic, talk) == (1, first.pk)
    again(first).remove(by=world.ben)
    assert replies(world.vic, talk) == (0, None)


def test_notes_between_staff_count_for_those_who_see_them(world: World, internal: Sidebar) -> None:
    message = world.say(again(internal.room), world.ada, audience="staff")
    assert replies(world.sue, internal) == (1, message.pk)


def test_who_came_later_counts_what_they_may_read(world: World) -> None:
    """Beside a message of one's own, from before one left and came back."""
    said = world.say(world.team, world.cleo)
    sidebar = beside(said, world.ben)
    before = world.say(again(sidebar.room), world.ben)
    world.team.update(by=world.ben, history="joined")
    again(world.team).leave(by=world.cleo)
    again(world.team).invite(world.cleo, by=world.ben)
    assert replies(world.ben, sidebar) == (1, before.pk)
    assert replies(world.cleo, sidebar) == (0, None)
    after = world.say(again(sidebar.room), world.ben)
    assert replies(world.ben, sidebar) == (2, after.pk)
    assert replies(world.cleo, sidebar) == (1, after.pk)


def test_a_conclusion_from_before_one_came_is_not_named(world: World) -> None:
    sidebar = beside(world.say(world.team, world.cleo), world.ben)
    world.team.update(by=world.ben, history="joined")
    message = sidebar.conclude(by=world.ben, body="Done.").message
    again(world.team).leave(by=world.cleo)
    again(world.team).invite(world.cleo, by=world.ben)
    assert stub(world.ben, sidebar)["conclusion"] == message.pk
    assert stub(world.cleo, sidebar)["conclusion"] is None
    assert "cleo" not in world.readers(message)


def test_a_conclusion_is_named_where_everybody_sees_it(world: World, internal: Sidebar) -> None:
    message = internal.conclude(by=world.ada, body="Done.", audience="staff").message
    shown = stub(world.sue, internal)
    assert (shown["conclusion"], shown["state"]) == (message.pk, "closed")
    assert shown["concluded_at"] is not None


def test_the_first_five_who_came_have_faces(world: World, said: Message) -> None:
    people = [world.cleo, world.vic, world.parrot, world.gus]
    sidebar = private(said, world.ben, *people[:2])
    for who in people[2:]:
        again(sidebar.room).invite(who, by=world.ben)
    again(world.team).invite(world.otto, by=world.ben)
    again(sidebar.room).invite(world.otto, by=world.ben)
    shown = stub(world.ben, sidebar)
    assert shown["people"] == [who.public() for who in [world.ben, *people]]
    assert shown["people_count"] == 6


def test_side_bars_of_other_rooms_are_not_among_them(world: World, talk: Sidebar) -> None:
    other = beside(world.say(world.public, world.ben), world.ben)
    assert set(stubs_of(world.ben, world.team)) == {talk.pk}
    assert set(stubs_of(world.ben, world.public)) == {other.pk}


def test_those_opened_last_come_first_and_those_of_a_message_are_found(
    world: World, talk: Sidebar, said: Message
) -> None:
    other = beside(world.say(again(world.team), world.ben), world.ben)
    last = beside(said, world.ben)
    assert list(stubs_of(world.ben, world.team)) == [last.pk, other.pk, talk.pk]
    seat = world.seat(world.team, world.ben)
    assert [one.pk for one in stubs_for(seat, anchors=[said.pk])] == [last.pk, talk.pk]
    assert not stubs_for(seat, anchors=[])


def test_a_side_bar_shows_none(world: World, talk: Sidebar) -> None:
    seat = look(talk, world.ben)
    assert not stubs_for(seat)
    assert told_in_joined([Viewer(seat, [])]) == [[]]


def test_a_deleted_message_keeps_its_side_bars(world: World, talk: Sidebar, said: Message) -> None:
    again(said).remove(by=world.cleo)
    assert stub(world.vic, talk) is not None


# What it costs


@pytest.fixture
def ben(world: World) -> User:
    ben = again(world.ben)
    assert ben.site_role  # read once a request, whatever is done
    return ben


def many(world: World, said: Message, count: int) -> None:
    """More side-bars of the team, talked in, with more people."""
    for number in range(count):
        sidebar = (beside, private)[number % 2](said, world.ben, world.cleo, world.vic)
        world.say(again(sidebar.room), world.cleo)
        if number % 3 == 0:
            sidebar.conclude(by=world.ben, body="Done.")


def test_listing_them(world: World, said: Message, ben: User) -> None:
    many(world, said, 2)
    seat = world.seat(world.team, world.ben)
    seat.room, seat.user = again(world.team), ben

    def listed() -> int:
        return len(encode_for(seat, stubs_for(seat)))

    few = queries(listed)
    many(world, said, 12)
    assert listed() == 14
    assert queries(listed) == few <= 6
    # And which rooms have any, of all that are joined at once.
    assert queries(lambda: told_in_joined([Viewer(seat, [])])) == few + 1


def test_they_are_read_once_for_all_who_are_told_the_same(
    world: World, said: Message, ben: User
) -> None:
    many(world, said, 4)
    world.team.update(by=world.ben, history="joined")
    again(world.team).invite(world.otto, by=world.ben)
    many(world, world.say(again(world.team), world.ben), 1)
    seats = [world.seat(world.team, world.people[name]) for name in ("ben", "cleo", "vic", "otto")]
    for seat in seats:
        seat.room = again(world.team)

    def told(*some: Participant) -> list[Any]:
        return told_in_joined([Viewer(seat, []) for seat in some])

    assert told(*seats) == [one for seat in seats for one in told(seat)]
    alone = queries(lambda: told(seats[0]))
    assert queries(lambda: told(*seats[:3])) == alone + 2
    assert [len(stubs) for stubs in told(*seats)] == [5, 5, 5, 1]


def test_saying_something_in_one(world: World, said: Message, ben: User) -> None:
    def posting(sidebar: Sidebar) -> int:
        room = Room.objects.get(pk=sidebar.pk)
        return queries(lambda: room.messages.post("hello", by=ben))

    alone = beside(said, world.ben)
    posting(alone)
    few = posting(alone)
    many(world, said, 6)
    crowd(again(world.team), 200)
    full_of(again(alone.room), ben, 20)
    assert posting(alone) == few
    in_the_room = queries(lambda: again(world.team).messages.post("hello", by=ben)) - 1
    assert few <= in_the_room


def test_coming_by_one(world: World, talk: Sidebar, said: Message) -> None:
    cleo, vic = again(world.cleo), again(world.vic)
    few = queries(lambda: Room.objects.seat_in(talk.pk, cleo))
    many(world, said, 6)
    crowd(again(world.team), 200)
    full_of(again(talk.room), world.ben, 20)
    assert queries(lambda: Room.objects.seat_in(talk.pk, vic)) == few
    assert queries(lambda: Room.objects.seat_in(talk.pk, vic)) == 1, "and then it is a look"


def test_being_in_rooms_with_many(world: World, said: Message, ben: User) -> None:
    rooms = [again(world.team), again(world.public)]
    few = queries(lambda: overview(ben, rooms))
    many(world, said, 6)
    assert queries(lambda: overview(ben, rooms)) == few
