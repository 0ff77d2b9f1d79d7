"""Making rooms: with people and robots at once, by whom, and what they then are."""

import pytest

from accounts.errors import Forbidden, Invalid
from accounts.models import AuditEntry
from rooms.models import Participant, Room
from tests.world import World, expected


def roles(room: Room) -> dict[str, str]:
    return dict(room.participants.values_list("user__name", "role"))


def test_any_member_of_the_site_makes_team_rooms(world: World) -> None:
    answers = world.answers(lambda who: Room.objects.open("New", by=who))
    assert answers == expected(
        yes="root sue ada amy ben cleo vic otto", invalid="dee", otherwise="forbidden"
    )


def test_agents_of_the_site_make_support_rooms(world: World) -> None:
    answers = world.answers(lambda who: Room.objects.open("New", by=who, mode="support"))
    assert answers == expected(yes="root sue ada amy", otherwise="forbidden")


def test_agents_of_the_site_open_support_rooms_on_behalf_of_customers(world: World) -> None:
    answers = world.answers(
        lambda who: Room.objects.open("New", by=who, mode="support", on_behalf_of=world.carl)
    )
    assert answers == expected(yes="root sue ada amy", otherwise="forbidden")


def test_who_opens_a_team_room_owns_it_and_its_people_are_members(world: World) -> None:
    room = Room.objects.open(
        "New", by=world.ben, people=[world.cleo, world.gus, world.parrot, world.ben]
    )
    assert roles(room) == {"Ben": "owner", "Cleo": "member", "Gus": "member", "Parrot": "robot"}
    assert (room.state, room.visibility, room.history) == ("active", "private", "all")


def test_who_opens_a_support_room_is_its_agent_and_it_is_active(world: World) -> None:
    people = [world.carl, world.amy, world.root, world.cleo, world.parrot]
    room = Room.objects.open("Help", by=world.sue, mode="support", people=people)
    assert roles(room) == {
        "Sue": "agent",
        "Amy": "agent",
        "Root": "supervisor",
        "Carl": "customer",
        "Cleo": "customer",
        "Parrot": "robot",
    }
    assert (room.state, room.waiting_since) == ("active", None)


def test_a_room_opened_on_behalf_of_a_customer_waits_for_staff(world: World) -> None:
    room = Room.objects.open("Help", by=world.ada, mode="support", on_behalf_of=world.carl)
    assert roles(room) == {"Carl": "customer"}
    assert room.state == "waiting"
    assert room.waiting_since is not None


def test_a_room_opened_on_behalf_with_staff_does_not_wait(world: World) -> None:
    room = Room.objects.open(
        "Help", by=world.ada, mode="support", on_behalf_of=world.carl, people=[world.amy]
    )
    assert (room.state, room.waiting_since) == ("active", None)


def test_only_support_rooms_are_opened_on_behalf(world: World) -> None:
    with pytest.raises(Invalid):
        Room.objects.open("Help", by=world.ada, on_behalf_of=world.carl)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"visibility": "secret"}, "visibility"),
        ({"history": "none"}, "history"),
        ({"description": "x" * 4001}, "description"),
        ({"mode": "support", "visibility": "public"}, "visibility"),
    ],
)
def test_a_wrong_setting_makes_no_room(world: World, wrong: dict[str, str], field: str) -> None:
    before = Room.objects.count()
    with pytest.raises(Invalid) as error:
        Room.objects.open(**{"name": "New", "by": world.ada, **wrong})
    assert list(error.value.details) == [field]
    assert Room.objects.count() == before


@pytest.mark.parametrize("name", ["dee", "system"])
def test_the_deactivated_and_the_system_are_in_no_room(world: World, name: str) -> None:
    before = Room.objects.count()
    with pytest.raises(Invalid):
        Room.objects.open("New", by=world.ben, people=[world.people[name]])
    assert Room.objects.count() == before


def test_opening_leaves_an_audit_entry_that_names_everybody(world: World) -> None:
    room = Room.objects.open("New", by=world.ben, people=[world.cleo])
    entry = AuditEntry.objects.get(action="room.opened", target_id=str(room.pk))
    assert (entry.by, entry.after) == (world.ben, {"ben": "owner", "cleo": "member"})


def test_nobody_else_is_in_a_new_room(world: World) -> None:
    room = Room.objects.open("New", by=world.ben)
    in_it = {
        name for name, who in world.people.items() if Room.objects.for_user(who).filter(pk=room.pk)
    }
    assert in_it == {"ben"}
    assert Participant.objects.get(room=room).invited_by is None
    with pytest.raises(Forbidden):
        room.invite(world.otto, by=world.cleo)
