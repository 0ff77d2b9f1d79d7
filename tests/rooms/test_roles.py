"""Roles: who gives which to whom, handing a room over, and what a change of role changes."""

import pytest

from accounts.errors import Invalid, NotFound
from accounts.models import AuditEntry, User
from accounts.roles import SiteRole
from messages.models import Message
from rooms.models import Participant, Room
from tests.world import World, again, expected


def test_who_changes_roles_in_a_team_room(world: World) -> None:
    answers = world.answers(lambda who: again(world.team).change_role(world.cleo, "viewer", by=who))
    assert answers == expected(yes="ben root system", otherwise="forbidden")


def test_who_changes_roles_in_a_support_room(world: World) -> None:
    answers = world.answers(
        lambda who: again(world.support).change_role(world.sue, "agent", by=who)
    )
    assert answers == expected(yes="ada sue root system", otherwise="forbidden")


def test_nobody_changes_roles_in_a_direct_room(world: World) -> None:
    answers = world.answers(
        lambda who: again(world.direct).change_role(world.cleo, "viewer", by=who)
    )
    assert answers == expected(otherwise="forbidden")


@pytest.mark.parametrize(
    "role", ["owner", "member", "viewer", "customer", "agent", "supervisor", "robot", "king"]
)
def test_who_may_be_given_a_role_of_a_support_room(world: World, role: str) -> None:
    room = Room.objects.open("Help", by=world.ada, mode="support")
    people = [who for name, who in world.people.items() if name not in ("dee", "system", "ada")]
    for person in people:
        room.invite(person, by=world.ada)
    given = {
        world.name_of(who)
        for who in people
        if world.answer(lambda who: again(room).change_role(who, role, by=world.ada), who) == "yes"
    }
    allowed = {
        "customer": {world.name_of(who) for who in people} - {"parrot"},
        "agent": {"amy", "sue", "root"},
        "supervisor": {"sue", "root"},
        "robot": {"parrot"},
    }
    assert given == allowed.get(role, set())


def test_guests_and_customers_own_no_room(world: World) -> None:
    for person in (world.gus, world.parrot):
        with pytest.raises(Participant.RoleNotAllowed):
            again(world.team).change_role(person, "owner", by=world.ben)
        with pytest.raises(Participant.RoleNotAllowed):
            again(world.team).transfer(person, by=world.ben)
    assert world.seat(world.team, world.ben).role == "owner"


def test_the_same_role_again_changes_nothing(world: World) -> None:
    before = again(world.team).revision
    world.team.change_role(world.cleo, "member", by=world.ben)
    assert again(world.team).revision == before


def test_who_is_not_there_gets_no_role(world: World) -> None:
    with pytest.raises(NotFound):
        world.team.change_role(world.otto, "viewer", by=world.ben)


def test_a_change_of_role_is_told_audited_and_starts_the_view_over(world: World) -> None:
    before = again(world.team).revision
    seat = world.team.change_role(world.cleo, "viewer", by=world.ben)
    assert (
        seat.view_since == again(world.cleo.participations.get(room=world.team)).view_since > before
    )
    assert again(world.team).people_revision == seat.view_since
    note = Message.objects.filter(room=world.team).latest("pk")
    assert (note.body, note.audience) == ("Ben made Cleo viewer.", "everyone")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.by) == ("room.role_changed", world.ben)
    assert entry.before == {"cleo": "member"}
    assert entry.after == {"role": "viewer", "cleo": "viewer"}


def test_promotion_shows_old_notes_and_demotion_hides_them(world: World) -> None:
    note = world.note(world.ada)
    world.support.invite(world.amy, by=world.ada, role="customer")
    assert world.readers(note) == {"ada", "sue"}
    again(world.support).change_role(world.amy, "agent", by=world.ada)
    assert world.readers(note) == {"ada", "sue", "amy"}
    again(world.support).change_role(world.ada, "customer", by=world.sue)
    assert world.readers(note) == {"sue", "amy"}, "not even to their author"


def test_only_staff_hear_of_roles_in_a_support_room(world: World) -> None:
    world.support.change_role(world.sue, "agent", by=world.ada)
    assert world.readers(Message.objects.filter(room=world.support).latest("pk")) == {"ada", "sue"}


def test_a_support_room_waits_when_its_last_staff_become_customers(world: World) -> None:
    world.support.leave(by=world.sue)
    world.support.change_role(world.ada, "customer", by=world.ada)
    assert again(world.support).state == "waiting"
    again(world.support).change_role(world.ada, "agent", by=world.root)
    assert again(world.support).state == "active"


def test_transferring_makes_one_owner_and_one_member(world: World) -> None:
    world.team.transfer(world.cleo, by=world.ben)
    roles = dict(world.team.participants.values_list("user__handle", "role"))
    assert (roles["ben"], roles["cleo"]) == ("member", "owner")
    note = Message.objects.filter(room=world.team).latest("pk")
    assert note.body == "Ben handed the room over to Cleo."


def test_who_hands_a_team_room_over(world: World) -> None:
    answers = world.answers(lambda who: again(world.team).transfer(world.cleo, by=who))
    inside = "cleo vic dee gus parrot"
    assert answers == expected(yes="ben", forbidden=inside, otherwise="not_found")


def test_nobody_hands_a_support_or_direct_room_over(world: World) -> None:
    answers = world.answers(lambda who: again(world.support).transfer(world.sue, by=who))
    assert "yes" not in answers.values()
    answers = world.answers(lambda who: again(world.direct).transfer(world.cleo, by=who))
    assert "yes" not in answers.values()


def test_a_room_is_not_handed_to_oneself_or_to_somebody_outside(world: World) -> None:
    with pytest.raises(Invalid):
        world.team.transfer(world.ben, by=world.ben)
    with pytest.raises(NotFound):
        world.team.transfer(world.otto, by=world.ben)


def test_who_manages_what(world: World) -> None:
    def managers(room: Room) -> set[str]:
        return {name for name, who in world.people.items() if again(room).managed_by(again(who))}

    assert managers(world.team) == {"ben", "root", "system"}
    assert managers(world.support) == {"ada", "sue", "root", "system"}
    assert managers(world.public) == {"ben", "root", "system"}
    assert managers(world.direct) == set()


def test_a_site_admin_inside_a_room_is_what_their_seat_says(world: World) -> None:
    world.team.invite(world.root, by=world.ben, role="viewer")
    assert not again(world.team).managed_by(again(world.root))


def test_losing_the_site_role_does_not_give_one_in_rooms(world: World) -> None:
    world.sue.set_site_role(SiteRole.AGENT, by=world.root)
    with pytest.raises(Participant.RoleNotAllowed):
        again(world.support).change_role(
            User.objects.get(pk=world.sue.pk), "supervisor", by=world.ada
        )
