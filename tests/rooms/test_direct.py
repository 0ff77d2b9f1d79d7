"""Direct rooms: of two, found again and never made twice."""

import pytest

from accounts.errors import Invalid
from accounts.models import AuditEntry
from rooms.models import Participant, Room
from tests.race import race
from tests.world import World, expected


def test_who_opens_a_direct_room(world: World) -> None:
    answers = world.answers(lambda who: Room.objects.direct(world.vic, by=who))
    assert answers == expected(
        invalid="vic dee", yes="root sue ada amy ben cleo otto", otherwise="forbidden"
    )


def test_with_whom_one_opens_a_direct_room(world: World) -> None:
    answers = world.answers(lambda who: Room.objects.direct(who, by=world.vic))
    assert answers == expected(invalid="vic dee", forbidden="gus carl dora system", otherwise="yes")


def test_both_find_the_same_room(world: World) -> None:
    rooms = {
        Room.objects.direct(world.cleo, by=world.ben),
        Room.objects.direct(world.ben, by=world.cleo),
        world.direct,
    }
    assert len(rooms) == 1
    assert dict(world.direct.participants.values_list("user__handle", "role")) == {
        "ben": "owner",
        "cleo": "owner",
    }


def test_a_robot_has_its_own_role_in_a_direct_room(world: World) -> None:
    room = Room.objects.direct(world.parrot, by=world.ben)
    assert dict(room.participants.values_list("user__handle", "role")) == {
        "ben": "owner",
        "parrot": "robot",
    }


def test_a_direct_room_is_private_and_on_no_list(world: World) -> None:
    for name, person in world.people.items():
        found = Room.objects.findable_by(person).filter(pk=world.direct.pk).exists()
        assert found == (name in ("ben", "cleo"))


def test_a_direct_room_has_no_third_by_any_way(world: World) -> None:
    with pytest.raises(Invalid):
        Room.objects.direct(world.ben, by=world.ben)
    assert Participant.objects.filter(room=world.direct).count() == 2


def test_opening_a_direct_room_is_audited_once(world: World) -> None:
    room = Room.objects.direct(world.vic, by=world.ben)
    Room.objects.direct(world.ben, by=world.vic)
    (entry,) = AuditEntry.objects.filter(target_id=str(room.pk), target_type="rooms.room")
    assert (entry.by, entry.after) == (world.ben, {"ben": "owner", "vic": "owner"})


@pytest.mark.django_db(transaction=True)
def test_racing_to_open_it_makes_one_room(world: World) -> None:
    calls = [
        lambda: Room.objects.direct(world.vic, by=world.ben),
        lambda: Room.objects.direct(world.ben, by=world.vic),
    ]
    outcomes = race(*calls * 3)
    assert len({room.pk for room in outcomes}) == 1
    assert Participant.objects.filter(room=outcomes[0]).count() == 2
