"""Leaving and being removed: what it takes, what it takes away, and what stays."""

import pytest

from accounts.errors import Forbidden, NotFound
from accounts.models import AuditEntry
from messages.models import Message
from rooms.models import Participant, Room
from tests.world import World, again, expected


def test_who_leaves_a_team_room(world: World) -> None:
    answers = world.answers(lambda who: again(world.team).leave(by=who))
    assert answers == expected(
        yes="cleo vic dee gus parrot", last_owner="ben", otherwise="not_found"
    )


def test_who_leaves_a_support_room(world: World) -> None:
    answers = world.answers(lambda who: again(world.support).leave(by=who))
    assert answers == expected(yes="ada sue carl dora parrot", otherwise="not_found")


def test_nobody_leaves_a_direct_room(world: World) -> None:
    answers = world.answers(lambda who: again(world.direct).leave(by=who))
    assert answers == expected(forbidden="ben cleo", otherwise="not_found")


def test_who_removes_people_from_a_team_room(world: World) -> None:
    answers = world.answers(lambda who: again(world.team).remove(world.cleo, by=who))
    assert answers == expected(yes="ben root system", otherwise="forbidden")


def test_who_removes_people_from_a_support_room(world: World) -> None:
    answers = world.answers(lambda who: again(world.support).remove(world.carl, by=who))
    assert answers == expected(yes="ada sue root system", otherwise="forbidden")


def test_nobody_is_removed_who_is_not_there(world: World) -> None:
    with pytest.raises(NotFound):
        world.team.remove(world.otto, by=world.ben)


def test_the_last_owner_stays_whoever_asks(world: World) -> None:
    for act in (
        lambda: again(world.team).leave(by=world.ben),
        lambda: again(world.team).remove(world.ben, by=world.ben),
        lambda: again(world.team).remove(world.ben, by=world.root),
        lambda: again(world.team).change_role(world.ben, "member", by=world.ben),
    ):
        with pytest.raises(Participant.LastOwner):
            act()
    assert world.seat(world.team, world.ben).role == "owner"


def test_one_of_two_owners_leaves(world: World) -> None:
    world.team.change_role(world.cleo, "owner", by=world.ben)
    world.team.leave(by=world.ben)
    with pytest.raises(Participant.LastOwner):
        again(world.team).leave(by=world.cleo)


def test_leaving_is_told_and_audited(world: World) -> None:
    world.team.leave(by=world.vic)
    note = Message.objects.filter(room=world.team).latest("pk")
    assert (note.body, note.audience, note.data["event"]) == ("Vic left.", "everyone", "left")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.by, entry.after) == ("room.left", world.vic, {"vic": "viewer"})
    again(world.team).remove(world.cleo, by=world.ben)
    note = Message.objects.filter(room=world.team).latest("pk")
    assert (note.body, note.data["event"]) == ("Ben removed Cleo.", "removed")


@pytest.mark.parametrize(
    ("name", "audience"),
    [("carl", "everyone"), ("sue", "staff"), ("ada", "staff"), ("parrot", "staff")],
)
def test_customers_do_not_hear_of_the_coming_and_going_of_staff(
    world: World, name: str, audience: str
) -> None:
    world.support.leave(by=world.people[name])
    note = Message.objects.filter(room=world.support).latest("pk")
    assert note.audience == audience


def test_a_support_room_waits_again_when_its_last_staff_leave(world: World) -> None:
    world.support.leave(by=world.ada)
    assert again(world.support).state == "active"
    again(world.support).leave(by=world.sue)
    room = again(world.support)
    assert room.state == "waiting"
    assert room.waiting_since is not None


def test_a_closed_support_room_stays_closed_when_its_staff_leave(world: World) -> None:
    world.support.leave(by=world.sue)
    again(world.support).close(by=world.ada)
    again(world.support).leave(by=world.ada)
    assert again(world.support).state == "closed"


def test_leaving_hides_everything_and_coming_back_shows_it_again(world: World) -> None:
    said = world.say(world.team, world.ben)
    whispered = world.whisper(world.team, world.ben, world.cleo)
    own = world.say(world.team, world.cleo)
    world.team.leave(by=world.cleo)
    assert not Message.objects.visible_to(world.cleo).filter(room=world.team).exists()
    with pytest.raises(NotFound):
        again(world.team).messages.post("still here", by=world.cleo)
    again(world.team).invite(world.cleo, by=world.ben)
    seen = set(
        Message.objects.visible_to(world.cleo).filter(room=world.team).values_list("pk", flat=True)
    )
    assert {said.pk, whispered.pk, own.pk} <= seen


def test_who_comes_back_starts_over(world: World) -> None:
    seat = world.seat(world.team, world.cleo)
    seat.set_preferences(muted=True, starred=True, notify="nothing")
    first = seat.view_since
    world.team.leave(by=world.cleo)
    world.say(world.team, world.ben)
    seat = again(world.team).invite(world.cleo, by=world.ben)
    assert seat.view_since > first
    assert (seat.muted, seat.starred, seat.notify) == (False, False, "mentions")


def test_a_direct_room_stays_between_its_two(world: World) -> None:
    with pytest.raises(Forbidden):
        world.direct.remove(world.cleo, by=world.ben)
    assert Room.objects.get(pk=world.direct.pk).participants.count() == 2
