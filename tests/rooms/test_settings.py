"""Name, description, visibility and history: who changes them, to what, and what follows."""

import pytest

from accounts.errors import Invalid
from accounts.models import AuditEntry
from messages.models import Message
from tests.world import World, again, expected


def test_who_changes_settings(world: World) -> None:
    team = world.answers(lambda who: again(world.team).update(by=who, name="Renamed"))
    assert team == expected(yes="ben root system", otherwise="forbidden")
    support = world.answers(lambda who: again(world.support).update(by=who, description="Slow"))
    assert support == expected(yes="ada sue root system", otherwise="forbidden")
    direct = world.answers(lambda who: again(world.direct).update(by=who, visibility="public"))
    assert direct == expected(otherwise="forbidden")


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"name": " \t"}, ["name"]),
        ({"name": "x" * 81}, ["name"]),
        ({"description": "x" * 4001}, ["description"]),
        ({"visibility": "secret", "history": "some"}, ["history", "visibility"]),
        ({"state": "closed"}, ["state"]),
        ({"mode": "support"}, ["mode"]),
    ],
)
def test_a_wrong_setting_changes_nothing(
    world: World, wrong: dict[str, str], fields: list[str]
) -> None:
    before = again(world.team)
    with pytest.raises(Invalid) as error:
        again(world.team).update(by=world.ben, **wrong)
    assert sorted(error.value.details) == fields
    after = again(world.team)
    assert (after.name, after.revision, after.mode, after.state) == (
        before.name,
        before.revision,
        before.mode,
        before.state,
    )


def test_support_rooms_are_never_public(world: World) -> None:
    with pytest.raises(Invalid):
        world.support.update(by=world.ada, visibility="public")


def test_the_same_again_changes_nothing(world: World) -> None:
    before = again(world.team).revision
    world.team.update(by=world.ben, name="Team", history="all")
    assert again(world.team).revision == before


def test_renaming_is_told_and_audited_with_both_names(world: World) -> None:
    world.team.update(by=world.ben, name="  Crew  ")
    assert again(world.team).name == "Crew"
    note = Message.objects.filter(room=world.team).latest("pk")
    assert note.body == "Ben named the room “Crew”."
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.before, entry.after) == (
        "room.updated",
        {"name": "Team"},
        {"name": "Crew"},
    )


@pytest.mark.parametrize("name", ["{people}", "{", "}{", "%s", "100 %", "<b>x</b>", "“quoted”"])
def test_any_name_can_be_told(world: World, name: str) -> None:
    world.team.update(by=world.ben, name=name)
    note = Message.objects.filter(room=world.team).latest("pk")
    assert note.body == f"Ben named the room “{name}”."
    assert "<b>" not in note.html


def test_a_name_is_told_as_it_is_and_not_as_markdown(world: World) -> None:
    world.team.update(by=world.ben, name="[free](https://evil.example) **now**")
    note = Message.objects.filter(room=world.team).latest("pk")
    assert "<a" not in note.html
    assert "<strong" not in note.html


def test_settings_of_a_support_room_are_told_to_staff(world: World) -> None:
    world.support.update(by=world.ada, description="Slow")
    assert world.readers(Message.objects.filter(room=world.support).latest("pk")) == {"ada", "sue"}


def test_newcomers_see_the_whole_history_or_from_their_joining_on(world: World) -> None:
    old = world.say(world.team, world.ben, "before")
    world.team.invite(world.otto, by=world.ben)
    new = world.say(world.team, world.ben, "after")
    assert "otto" in world.readers(old)
    again(world.team).update(by=world.ben, history="joined")
    assert "otto" not in world.readers(old)
    assert "otto" in world.readers(new)
    assert {"cleo", "vic"} <= world.readers(old), "who was there then"
    again(world.team).update(by=world.ben, history="all")
    assert "otto" in world.readers(old)


def test_ones_own_earlier_messages_are_always_seen(world: World) -> None:
    world.team.update(by=world.ben, history="joined")
    own = world.say(again(world.team), world.cleo)
    whisper = world.whisper(again(world.team), world.cleo, world.ben)
    others = world.say(again(world.team), world.ben)
    again(world.team).leave(by=world.cleo)
    again(world.team).invite(world.cleo, by=world.ben)
    assert "cleo" in world.readers(own)
    assert "cleo" in world.readers(whisper)
    assert "cleo" not in world.readers(others)


def test_ones_own_notes_from_before_are_seen_by_staff_alone(world: World) -> None:
    world.support.update(by=world.ada, history="joined")
    note = world.note(world.sue)
    again(world.support).leave(by=world.sue)
    again(world.support).invite(world.sue, by=world.ada, role="customer")
    assert "sue" not in world.readers(note)
    again(world.support).change_role(world.sue, "agent", by=world.ada)
    assert "sue" in world.readers(note)


def test_a_history_that_starts_elsewhere_starts_all_views_over(world: World) -> None:
    before = again(world.team).revision
    world.team.update(by=world.ben, history="joined")
    room = again(world.team)
    assert set(room.participants.values_list("view_since", flat=True)) == {room.people_revision}
    assert room.people_revision > before


def test_a_new_name_starts_no_view_over(world: World) -> None:
    before = dict(world.team.participants.values_list("user", "view_since"))
    world.team.update(by=world.ben, name="Crew")
    assert dict(world.team.participants.values_list("user", "view_since")) == before


def test_ones_own_preferences(world: World) -> None:
    seat = world.seat(world.team, world.cleo)
    seat.set_preferences(muted=True)
    seat.set_preferences(starred=True, notify="mentions")
    seat = again(seat)
    assert (seat.muted, seat.starred, seat.notify) == (True, True, "mentions")
    other = world.seat(world.team, world.vic)
    assert (other.muted, other.starred, other.notify) == (False, False, "mentions")
