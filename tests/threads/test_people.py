"""Who is in a side-bar: those around it who came by, those invited, and nobody for longer than they
are in the room around it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.errors import Forbidden, Invalid, NotFound
from accounts.models import AuditEntry
from accounts.roles import SiteRole
from messages.models import Message
from messages.overview import overview
from rooms.models import Participant, Room
from tests.threads.beside import beside, know_of, look, private, seated
from tests.world import World, again, expected
from threads.models import Sidebar

TEAM = {"ben", "cleo", "vic", "dee", "gus", "parrot"}


def came_in(world: World, sidebar: Sidebar) -> set[str]:
    return {world.name_of(seat.user) for seat in again(sidebar.room).participants.all()}


def counts(world: World, name: str, sidebar: Sidebar) -> tuple[int, int]:
    """Unread, and mentions among it."""
    (shown,) = overview(world.people[name], [again(sidebar.room)])
    return shown["unread"], shown["mentions"]


# Who may look


def test_open_ones_are_for_all_around_them(world: World, talk: Sidebar) -> None:
    answers = world.answers(lambda who: look(talk, who))
    assert answers == expected(yes=TEAM, otherwise="not_found")
    assert know_of(world, talk) == TEAM


def test_open_ones_of_support_rooms_are_not_for_customers(world: World, internal: Sidebar) -> None:
    answers = world.answers(lambda who: look(internal, who))
    assert answers == expected(yes="ada sue parrot", otherwise="not_found")
    assert know_of(world, internal) == {"ada", "sue", "parrot"}


@pytest.mark.parametrize("room", ["direct", "public"])
def test_open_ones_are_not_for_who_could_only_enter_around_them(world: World, room: str) -> None:
    sidebar = beside(world.say(world.rooms[room], world.ben), world.ben)
    answers = world.answers(lambda who: look(sidebar, who))
    assert answers == expected(yes="ben cleo", otherwise="not_found")
    assert know_of(world, sidebar) == {"ben", "cleo"}


def test_private_ones_are_for_those_invited(world: World, aside: Sidebar) -> None:
    answers = world.answers(lambda who: look(aside, who))
    assert answers == expected(yes="ben gus", otherwise="not_found")
    assert know_of(world, aside) == {"ben", "gus"}


def test_private_ones_of_support_rooms_are_not_for_other_staff(
    world: World, asked: Message
) -> None:
    sidebar = private(asked, world.ada)
    assert world.answers(lambda who: look(sidebar, who)) == expected(
        yes="ada", otherwise="not_found"
    )
    assert know_of(world, sidebar) == {"ada"}


def test_which_rooms_exist_for_whom(world: World, talk: Sidebar, aside: Sidebar) -> None:
    for sidebar, people in ((talk, TEAM), (aside, {"ben", "gus"})):
        found = {
            name
            for name, who in world.people.items()
            if Room.objects.findable_by(who).filter(pk=sidebar.pk).exists()
        }
        assert found == people


# Coming by


def test_coming_by_is_being_what_one_is_around_it(world: World, talk: Sidebar) -> None:
    for name in ("vic", "cleo", "gus", "cleo"):
        seat = look(talk, world.people[name])
        assert (seat.role, seat.room) == (world.seat(world.team, seat.user).role, talk.room)
    assert seated(talk) == {
        "ben": "owner",
        "vic": "viewer",
        "cleo": "member",
        world.gus.handle: "member",
    }


def test_coming_by_leaves_no_note_and_no_audit_entry(world: World, talk: Sidebar) -> None:
    before, revision = AuditEntry.objects.count(), again(talk.room).people_revision
    look(talk, world.cleo)
    assert AuditEntry.objects.count() == before
    assert not again(talk.room).messages.exists()
    assert again(talk.room).people_revision > revision


def test_joining_is_coming_by(world: World, talk: Sidebar, aside: Sidebar) -> None:
    answers = world.answers(lambda who: again(talk.room).join(by=who))
    assert answers == expected(yes=TEAM, otherwise="not_found")
    answers = world.answers(lambda who: again(aside.room).join(by=who))
    assert answers == expected(yes="ben gus", otherwise="not_found")


def test_what_was_said_before_one_came_by_is_not_unread(world: World, talk: Sidebar) -> None:
    world.say(talk.room, world.ben)
    assert counts(world, "cleo", talk) == (0, 0)
    look(talk, world.cleo)
    assert counts(world, "cleo", talk) == (0, 0)
    world.say(again(talk.room), world.ben)
    assert counts(world, "cleo", talk) == (1, 0)


def test_who_comes_by_has_read_up_to_something_they_may_see(world: World, talk: Sidebar) -> None:
    said = world.say(talk.room, world.ben)
    look(talk, world.gus)
    world.whisper(again(talk.room), world.ben, world.gus)
    assert look(talk, world.cleo).last_read == again(talk.room).participant(world.cleo).last_read
    assert world.seat(talk.room, world.cleo).last_read == said.pk


def test_saying_something_is_coming_by(world: World, talk: Sidebar) -> None:
    answers = world.answers(lambda who: again(talk.room).messages.post("hi", by=who))
    assert answers == expected(
        yes="ben cleo dee gus parrot", forbidden="vic", otherwise="not_found"
    )
    world.say(again(talk.room), world.cleo)
    assert came_in(world, talk) == {"ben", "cleo"}


def test_what_was_refused_seats_nobody(world: World, talk: Sidebar) -> None:
    for act in (
        lambda who: again(talk.room).messages.post(" ", by=world.cleo),
        lambda who: again(talk.room).messages.post("hi", by=world.vic),
        lambda who: world.whisper(again(talk.room), world.ben, world.cleo, world.otto),
    ):
        assert world.answer(act, world.ben) != "yes"
    assert came_in(world, talk) == {"ben"}


def test_whispering_brings_in_whom_it_is_for(world: World, talk: Sidebar) -> None:
    world.say(talk.room, world.ben)
    whisper = world.whisper(again(talk.room), world.ben, world.cleo, world.vic)
    assert came_in(world, talk) == {"ben", "cleo", "vic"}
    assert world.readers(whisper) == {"ben", "cleo", "vic"}
    assert counts(world, "cleo", talk) == (1, 0), "the whisper, and nothing before it"


def test_naming_brings_in_who_is_named(world: World, talk: Sidebar) -> None:
    world.say(talk.room, world.ben)
    world.say(again(talk.room), world.ben, f"@cleo @{world.gus.handle} @otto look")
    assert came_in(world, talk) == {"ben", "cleo", "gus"}
    assert counts(world, "cleo", talk) == (1, 1)
    assert counts(world, "vic", talk) == (0, 0)


def test_a_whisper_that_names_somebody_else_brings_them_not_in(world: World, talk: Sidebar) -> None:
    world.whisper(again(talk.room), world.ben, world.vic, body="what does @cleo say?")
    assert came_in(world, talk) == {"ben", "vic"}


def test_calling_everyone_brings_nobody_in(world: World, talk: Sidebar) -> None:
    look(talk, world.cleo)
    world.say(again(talk.room), world.ben, "@everyone")
    assert came_in(world, talk) == {"ben", "cleo"}
    assert counts(world, "cleo", talk) == (1, 1)


def test_naming_the_customer_brings_them_not_in(world: World, internal: Sidebar) -> None:
    world.say(again(internal.room), world.ada, f"@{world.carl.handle} @sue")
    assert came_in(world, internal) == {"ada", "sue"}
    assert (
        world.answer(lambda who: world.whisper(again(internal.room), who, world.carl), world.ada)
        == "invalid"
    )


def test_naming_in_a_private_one_brings_nobody_in(world: World, aside: Sidebar) -> None:
    world.say(again(aside.room), world.ben, "@cleo @vic")
    assert came_in(world, aside) == {"ben", "gus"}
    assert (
        world.answer(lambda who: world.whisper(again(aside.room), who, world.cleo), world.ben)
        == "invalid"
    )


def test_a_robot_around_it_is_brought_in_when_it_is_named(world: World, talk: Sidebar) -> None:
    world.say(talk.room, world.ben, "@parrot hello")
    assert seated(talk)["parrot"] == "robot"


# Inviting


def test_who_brings_people_into_a_private_one(world: World, said: Message) -> None:
    sidebar = private(said, world.gus, world.ben, world.vic, world.parrot, world.cleo)
    world.dee.is_active = True
    world.dee.save()
    answers = world.answers(lambda who: again(sidebar.room).invite(world.dee, by=who))
    assert answers == expected(yes="ben gus root system", otherwise="forbidden")


def test_all_staff_in_it_bring_people_into_one_of_a_support_room(
    world: World, asked: Message
) -> None:
    sidebar = private(asked, world.ada, world.sue)
    answers = world.answers(lambda who: again(sidebar.room).invite(world.parrot, by=who))
    assert answers == expected(yes="ada sue root system", otherwise="forbidden")


def test_only_people_of_the_room_around_it_are_brought_in(
    world: World, aside: Sidebar, asked: Message
) -> None:
    answers = world.answers(lambda who: again(aside.room).invite(who, by=world.ben))
    assert answers == expected(yes="ben gus cleo vic parrot", otherwise="invalid")
    sidebar = private(asked, world.ada)
    answers = world.answers(lambda who: again(sidebar.room).invite(who, by=world.ada))
    assert answers == expected(
        yes="ada sue parrot", role_not_allowed="carl dora", otherwise="invalid"
    )


def test_nobody_becomes_something_else_in_it(world: World, aside: Sidebar) -> None:
    for act in (
        lambda who: again(aside.room).invite(world.cleo, by=who, role="owner"),
        lambda who: again(aside.room).invite(world.cleo, by=who, role="viewer"),
    ):
        assert world.answer(act, world.ben) == "role_not_allowed"
    for act in (
        lambda who: again(aside.room).change_role(world.gus, "viewer", by=who),
        lambda who: again(aside.room).transfer(world.gus, by=who),
    ):
        assert world.answer(act, world.ben) == "forbidden"


def test_who_is_brought_in_is_told_of_and_reads_what_was_said(world: World, aside: Sidebar) -> None:
    said = world.say(aside.room, world.ben)
    again(aside.room).invite(world.cleo, by=world.ben)
    note = again(aside.room).messages.latest("pk")
    assert (note.body, note.data["event"]) == ("Ben brought in Cleo.", "invited")
    assert world.readers(said) == {"ben", "gus", "cleo"}
    assert counts(world, "cleo", aside) == (0, 0)


def test_there_are_no_links_into_them(world: World, talk: Sidebar, aside: Sidebar) -> None:
    for room in (talk.room, aside.room):
        with pytest.raises(Forbidden):
            again(room).create_invitation(by=world.ben, expires_in=timedelta(hours=1))


def test_what_comes_from_around_is_not_set_in_them(world: World, talk: Sidebar) -> None:
    for field, value in (("history", "joined"), ("visibility", "private")):
        with pytest.raises(Invalid):
            again(talk.room).update(by=world.ben, **{field: value})
    again(talk.room).update(by=world.ben, name="Plans")
    assert again(talk.room).name == "Plans"


# Late joiners


def test_who_comes_into_the_room_later_comes_by_open_ones(
    world: World, talk: Sidebar, aside: Sidebar
) -> None:
    said = world.say(talk.room, world.ben)
    again(world.team).invite(world.otto, by=world.ben)
    look(talk, world.otto)
    assert "otto" in world.readers(said)
    with pytest.raises(NotFound):
        look(aside, world.otto)


def test_who_was_not_there_yet_reads_nothing_from_before(world: World, talk: Sidebar) -> None:
    """Where the room shows newcomers nothing from before, its side-bars do not, either."""
    world.team.update(by=world.ben, history="joined")
    before = world.say(again(talk.room), world.ben)
    again(world.team).invite(world.otto, by=world.ben)
    after = world.say(again(talk.room), world.ben)
    look(talk, world.otto)
    look(talk, world.cleo)
    assert world.readers(before) == {"ben", "cleo"}
    assert world.readers(after) == {"ben", "cleo", "otto"}


def test_one_reads_what_was_said_in_it_since_one_is_around(world: World, said: Message) -> None:
    """Not since one came by, or was invited."""
    world.team.update(by=world.ben, history="joined")
    sidebar = private(said, world.ben)
    message = world.say(sidebar.room, world.ben)
    again(sidebar.room).invite(world.cleo, by=world.ben)
    assert world.readers(message) == {"ben", "cleo"}


@pytest.mark.parametrize("history", ["all", "joined"])
def test_what_newcomers_read_changes_with_the_room(
    world: World, talk: Sidebar, history: str
) -> None:
    world.team.update(by=world.ben, history="all" if history == "joined" else "joined")
    before = world.say(again(talk.room), world.ben)
    again(world.team).invite(world.otto, by=world.ben)
    seat = look(talk, world.otto)
    again(world.team).update(by=world.ben, history=history)
    assert again(talk.room).history == history
    assert ("otto" in world.readers(before)) == (history == "all")
    assert again(seat).view_since > seat.view_since
    assert again(talk.room).messages.latest("pk").data["changed"] == {"history": history}


# Leaving and changing


@pytest.mark.parametrize("how", ["leaves", "is removed"])
def test_who_leaves_the_room_is_in_none_of_its_side_bars(
    world: World, talk: Sidebar, aside: Sidebar, how: str
) -> None:
    look(talk, world.gus)
    elsewhere = beside(world.say(world.public, world.ben), world.ben)
    said = world.say(again(aside.room), world.gus)
    if how == "leaves":
        again(world.team).leave(by=world.gus)
    else:
        again(world.team).remove(world.gus, by=world.ben)
    assert came_in(world, talk) == came_in(world, aside) == {"ben"}
    assert world.readers(said) == {"ben"}
    for sidebar in (talk, aside):
        with pytest.raises(NotFound):
            look(sidebar, world.gus)
        note = again(sidebar.room).messages.latest("pk")
        assert note.body == ("Gus left." if how == "leaves" else "Ben removed Gus.")
    assert came_in(world, elsewhere) == {"ben"}


def test_who_comes_back_comes_by_open_ones_and_is_invited_again_to_others(
    world: World, talk: Sidebar, aside: Sidebar
) -> None:
    said = world.say(again(talk.room), world.gus)
    again(world.team).remove(world.gus, by=world.ben)
    again(world.team).invite(world.gus, by=world.ben)
    look(talk, world.gus)
    assert "gus" in world.readers(said)
    with pytest.raises(NotFound):
        look(aside, world.gus)
    again(aside.room).invite(world.gus, by=world.ben)
    assert look(aside, world.gus).role == "member"


def test_the_robot_goes_with_the_others(world: World, talk: Sidebar) -> None:
    look(talk, world.parrot)
    again(world.team).remove(world.parrot, by=world.ben)
    assert came_in(world, talk) == {"ben"}


@pytest.mark.parametrize(
    "left", [lambda room, world: room.leave(by=world.ben), lambda r, w: r.remove(w.ben, by=w.ben)]
)
def test_anybody_leaves_a_side_bar(
    world: World, aside: Sidebar, left: Callable[[Room, World], None]
) -> None:
    left(again(aside.room), world)
    assert came_in(world, aside) == {"gus"}
    with pytest.raises(NotFound):
        look(aside, world.ben)
    assert world.seat(world.team, world.ben)


def test_who_removes_people_from_one(world: World, said: Message) -> None:
    sidebar = private(said, world.gus, world.ben, world.vic, world.parrot, world.cleo)
    answers = world.answers(lambda who: again(sidebar.room).remove(world.vic, by=who))
    assert answers == expected(yes="ben gus root system", otherwise="forbidden")


def test_who_is_made_something_else_is_that_in_side_bars_too(
    world: World, talk: Sidebar, aside: Sidebar
) -> None:
    look(talk, world.gus)
    before = world.seat(talk.room, world.gus)
    again(world.team).change_role(world.gus, "viewer", by=world.ben)
    for sidebar in (talk, aside):
        seat = world.seat(sidebar.room, world.gus)
        assert (seat.role, seat.view_since) == ("viewer", again(sidebar.room).people_revision)
        note = again(sidebar.room).messages.latest("pk")
        assert (note.body, note.data["event"]) == ("Ben made Gus viewer.", "role_changed")
    assert world.seat(talk.room, world.gus).view_since > before.view_since
    for act in (
        lambda who: again(aside.room).messages.post("hi", by=who),
        lambda who: aside.share([before.pk], by=who, audience="everyone"),
        lambda who: beside(aside.anchor, who),
        lambda who: again(aside).conclude(by=who),
    ):
        assert world.answer(act, world.gus) == "forbidden"


def test_an_opener_made_viewer_manages_it_no_more(world: World, said: Message) -> None:
    """Or they would end it, and delete what others say there, who may only read."""
    sidebar = private(said, world.cleo, world.ben)
    answer = lambda: world.answer(lambda who: again(sidebar.room).close(by=who), world.cleo)  # noqa: E731
    assert answer() == "yes"
    again(world.team).change_role(world.cleo, "viewer", by=world.ben)
    assert answer() == "forbidden"
    again(world.team).change_role(world.cleo, "member", by=world.ben)
    assert answer() == "yes"


def test_handing_the_room_over_is_told_inside(world: World, talk: Sidebar) -> None:
    look(talk, world.cleo)
    again(world.team).transfer(world.cleo, by=world.ben)
    assert seated(talk) == {"ben": "member", "cleo": "owner"}


def test_an_agent_made_a_customer_is_out_of_side_bars(world: World, asked: Message) -> None:
    some = [beside(asked, world.ada, world.sue), private(asked, world.sue, world.ada)]
    said = [world.say(sidebar.room, world.sue) for sidebar in some]
    again(world.support).change_role(world.ada, "customer", by=world.sue)
    for sidebar, message in zip(some, said, strict=True):
        assert came_in(world, sidebar) == {"sue"}
        assert world.readers(message) == {"sue"}
        with pytest.raises(NotFound):
            look(sidebar, world.ada)
        note = again(sidebar.room).messages.latest("pk")
        assert (note.body, note.data["event"]) == ("Sue removed Ada.", "removed")
        assert again(sidebar.room).state == "active"
    again(world.support).change_role(world.ada, "agent", by=world.sue)
    look(some[0], world.ada)
    with pytest.raises(NotFound):
        look(some[1], world.ada)


def test_who_loses_the_site_role_is_out_of_side_bars_of_support_rooms(
    world: World, asked: Message
) -> None:
    some = [beside(asked, world.ada, world.sue), private(asked, world.sue, world.ada)]
    world.ada.set_site_role(SiteRole.MEMBER, by=world.root)
    for sidebar in some:
        assert came_in(world, sidebar) == {"sue"}
        with pytest.raises(NotFound):
            look(sidebar, world.ada)
    world.sue.set_site_role(SiteRole.AGENT, by=world.root)
    for sidebar in some:
        assert seated(sidebar) == {"sue": "agent"}


def test_all_leave_with_their_last_seat_around(world: World, internal: Sidebar) -> None:
    again(world.support).leave(by=world.sue)
    again(world.support).leave(by=world.ada)
    assert seated(internal) == {}
    assert (again(internal.room).state, again(world.support).state) == ("active", "waiting")


# What there is no trace of


def test_side_bars_are_not_among_ones_rooms(world: World, talk: Sidebar, aside: Sidebar) -> None:
    for name, who in world.people.items():
        rooms = Room.objects.for_user(who).top()
        assert not rooms.exclude(parent=None).exists(), name
        assert not Room.objects.desk_for(who).exclude(parent=None).exists(), name
        assert not Room.objects.public_for(who).exclude(parent=None).exists(), name


def test_people_of_an_open_one_are_those_around_it(world: World, internal: Sidebar) -> None:
    seat = look(internal, world.sue)
    shown = Participant.objects.shown_to(seat).values_list("user__handle", flat=True)
    assert set(shown) == {"ada", "sue", "parrot"}
    (room,) = overview(world.sue, [again(internal.room)])
    assert room["participants_count"] == 3
    sidebar = private(internal.anchor, world.ada)
    seat = look(sidebar, world.ada)
    assert [seat.user for seat in Participant.objects.shown_to(seat)] == [world.ada]
    (room,) = overview(world.ada, [sidebar.room])
    assert room["participants_count"] == 1


def test_site_admins_who_are_not_in_the_room_read_no_side_bar(
    world: World, internal: Sidebar, talk: Sidebar
) -> None:
    message = world.say(internal.room, world.ada)
    for sidebar in (internal, talk):
        with pytest.raises(NotFound):
            look(sidebar, world.root)
    assert "root" not in world.readers(message)
    again(world.support).join(by=world.root)
    look(internal, world.root)
    assert "root" in world.readers(message)


def test_limits_of_a_room_do_not_keep_anybody_out_of_open_ones(
    world: World, talk: Sidebar, settings: Any
) -> None:
    settings.CHAT_PERSON_MAX_ROOMS = 1
    assert look(talk, world.cleo).role == "member"


def test_a_private_one_full_takes_nobody_more(world: World, aside: Sidebar, settings: Any) -> None:
    settings.CHAT_ROOM_MAX_PARTICIPANTS = 2
    with pytest.raises(Room.Full):
        again(aside.room).invite(world.cleo, by=world.ben)


def test_nobody_comes_into_a_closed_private_one(world: World, aside: Sidebar) -> None:
    aside.conclude(by=world.ben)
    with pytest.raises(Room.Closed):
        again(aside.room).invite(world.cleo, by=world.ben)


def test_the_system_opens_none(world: World, said: Message) -> None:
    with pytest.raises((NotFound, Forbidden)):
        beside(said, world.system)
