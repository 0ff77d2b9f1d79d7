"""Opening side-bars: by whom, on what, and what they then are."""

from typing import Any

import pytest

from accounts.errors import DomainError, Invalid
from accounts.models import AuditEntry
from messages.models import Message
from rooms.models import Participant, Room
from tests.threads.beside import beside, private, seated, stubs_of
from tests.world import World, again, expected
from threads.models import Sidebar


@pytest.mark.parametrize("access", ["open", "private"])
def test_who_may_write_in_a_team_room_opens_them(world: World, said: Message, access: str) -> None:
    answers = world.answers(lambda who: beside(said, who, access=access))
    assert answers == expected(
        yes="ben cleo gus parrot", forbidden="vic", invalid="dee", otherwise="not_found"
    )


@pytest.mark.parametrize("access", ["open", "private"])
def test_staff_open_them_in_support_rooms(world: World, asked: Message, access: str) -> None:
    answers = world.answers(lambda who: beside(asked, who, access=access))
    assert answers == expected(yes="ada sue", forbidden="carl dora parrot", otherwise="not_found")


@pytest.mark.parametrize("room", ["direct", "public"])
def test_nobody_opens_them_in_a_room_they_are_not_in(world: World, room: str) -> None:
    message = world.say(world.rooms[room], world.ben)
    answers = world.answers(lambda who: beside(message, who))
    assert answers == expected(yes="ben cleo", otherwise="not_found")


def test_nobody_opens_one_on_what_they_do_not_see(world: World, said: Message) -> None:
    world.team.update(by=world.ben, history="joined")
    again(world.team).invite(world.otto, by=world.ben)
    answers = world.answers(lambda who: beside(said, who))
    assert answers["otto"] == "not_found"
    later = world.say(again(world.team), world.ben)
    assert world.answer(lambda who: beside(later, who), world.otto) == "yes"


@pytest.mark.parametrize("access", ["open", "private"])
def test_who_opens_one_and_who_is_invited_are_in_it_at_once(
    world: World, said: Message, access: str
) -> None:
    sidebar = beside(said, world.cleo, world.ben, world.vic, world.parrot, access=access)
    assert seated(sidebar) == {
        "cleo": "member",
        "ben": "owner",
        "vic": "viewer",
        "parrot": "robot",
    }
    outer = {seat.user: seat for seat in world.team.participants.all()}
    for seat in Participant.objects.filter(room=sidebar.pk):
        assert seat.outer == outer[seat.user]


def test_it_is_a_room_within_its_room(world: World, asked: Message) -> None:
    world.support.update(by=world.ada, history="joined")
    sidebar = private(asked, world.ada, title="  Where it is  ")
    room = Room.objects.get(pk=sidebar.pk)
    assert (room.parent, room.mode, room.history) == (world.support, "support", "joined")
    assert (room.visibility, room.state, room.name) == ("private", "active", "Where it is")
    assert (sidebar.anchor, sidebar.concluded_at, sidebar.conclusion) == (asked, None, None)
    assert not room.messages.exists()


def test_a_message_has_several(world: World, said: Message) -> None:
    some = {beside(said, world.ben).pk, beside(said, world.cleo).pk, private(said, world.ben).pk}
    assert set(stubs_of(world.ben, world.team)) == some


def test_a_side_bar_has_none_of_its_own(world: World, talk: Sidebar) -> None:
    message = world.say(talk.room, world.ben)
    world.say(again(talk.room), world.cleo)
    answers = world.answers(lambda who: beside(message, who))
    assert answers == expected(invalid="ben cleo", otherwise="not_found")
    assert not Room.objects.filter(parent=talk.pk).exists()


def test_notes_of_the_system_have_none(world: World) -> None:
    world.team.update(by=world.ben, name="Crew")
    note = Message.objects.filter(room=world.team, kind="system").latest("pk")
    assert world.answer(lambda who: beside(note, who), world.ben) == "invalid"


def test_cards_have_some(world: World) -> None:
    world.support.close(by=world.ada)
    card = Message.objects.filter(room=world.support, kind="card").latest("pk")
    again(world.support).reopen(by=world.ada)
    assert world.answer(lambda who: beside(card, who), world.sue) == "yes"


def test_whispers_have_none(world: World) -> None:
    whisper = world.whisper(world.team, world.ben, world.cleo)
    answers = world.answers(lambda who: beside(whisper, who))
    assert answers == expected(invalid="ben cleo", forbidden="vic", otherwise="not_found")


def test_what_was_deleted_has_none_any_more(world: World, said: Message) -> None:
    message = again(said)
    again(said).remove(by=world.cleo)
    with pytest.raises(Message.Deleted):
        Sidebar.objects.open(message, by=world.ben)


@pytest.mark.parametrize("archived", [False, True])
def test_a_closed_room_takes_none(world: World, said: Message, archived: bool) -> None:
    world.team.close(by=world.ben)
    if archived:
        again(world.team).archive(by=world.ben)
    code = "room_archived" if archived else "room_closed"
    assert world.answer(lambda who: beside(said, who), world.ben) == code


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"title": "x" * 81}, "title"), ({"access": "public"}, "access"), ({"access": ""}, "access")],
)
def test_what_is_wrong_makes_none(
    world: World, said: Message, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as error:
        Sidebar.objects.open(said, by=world.ben, **wrong)
    assert list(error.value.details) == [field]
    assert not Room.objects.exclude(parent=None).exists()


@pytest.mark.parametrize("access", ["open", "private"])
@pytest.mark.parametrize(
    ("name", "code"),
    [("carl", "role_not_allowed"), ("amy", "invalid"), ("root", "invalid"), ("sue", "yes")],
)
def test_people_of_the_room_but_customers_are_invited(
    world: World, asked: Message, access: str, name: str, code: str
) -> None:
    invited = world.people[name]
    assert world.answer(lambda who: beside(asked, who, invited, access=access), world.ada) == code


def test_the_deactivated_are_not_invited(world: World, said: Message) -> None:
    assert world.answer(lambda who: private(said, who, world.dee), world.ben) == "invalid"


def test_a_room_has_a_limit_of_them(world: World, said: Message, settings: Any) -> None:
    settings.CHAT_SIDEBARS_MAX = 2
    beside(said, world.ben)
    other = private(world.say(again(world.team), world.ben), world.ben)
    with pytest.raises(Sidebar.TooMany):
        beside(said, world.cleo)
    other.conclude(by=world.ben)
    with pytest.raises(Sidebar.TooMany):
        beside(said, world.cleo)
    assert beside(world.say(world.public, world.ben), world.ben).pk, "of each room"


def test_they_hold_as_many_people_as_a_room(world: World, said: Message, settings: Any) -> None:
    settings.CHAT_ROOM_MAX_PARTICIPANTS = 2
    private(said, world.ben, world.cleo)
    with pytest.raises(Room.Full):
        private(said, world.ben, world.cleo, world.gus)


def test_they_are_not_among_the_rooms_of_a_person(
    world: World, said: Message, settings: Any
) -> None:
    for _ in range(3):
        private(said, world.ben, world.vic)
    settings.CHAT_PERSON_MAX_ROOMS = 2  # vic is in one
    Room.objects.open("New", by=world.otto, people=[world.vic])
    with pytest.raises(Room.TooMany):
        Room.objects.open("Newer", by=world.otto, people=[world.vic])
    assert private(said, world.ben, world.vic).pk


def test_opening_leaves_an_audit_entry_that_names_everybody(world: World, said: Message) -> None:
    sidebar = private(said, world.cleo, world.vic)
    entry = AuditEntry.objects.get(action="room.opened", target_id=str(sidebar.pk))
    assert (entry.by, entry.after) == (world.cleo, {"cleo": "member", "vic": "viewer"})


def test_what_was_refused_leaves_nothing(world: World, said: Message) -> None:
    before = (Room.objects.count(), Participant.objects.count(), AuditEntry.objects.count())
    for act in (
        lambda: private(said, world.ben, world.otto),
        lambda: beside(said, world.vic),
        lambda: beside(said, world.ben, title="x" * 81),
    ):
        with pytest.raises(DomainError):
            act()
    assert before == (Room.objects.count(), Participant.objects.count(), AuditEntry.objects.count())
