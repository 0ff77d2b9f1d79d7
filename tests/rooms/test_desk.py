"""The desk: support rooms as site agents find them, and the people as each is shown them."""

import pytest

from rooms.models import Participant, Room
from tests.race import race
from tests.world import World, again


def test_customers_are_shown_customers_and_agents_alone(world: World) -> None:
    shown = {
        name: {
            world.name_of(seat.user)
            for seat in Participant.objects.shown_to(world.seat(world.support, who))
        }
        for name, who in world.people.items()
        if world.support.participant(who)
    }
    everybody = {"ada", "sue", "carl", "dora", "parrot"}
    narrow = {"ada", "carl", "dora"}
    assert shown == {
        "ada": everybody,
        "sue": everybody,
        "parrot": everybody,
        "carl": narrow,
        "dora": narrow,
    }


def test_in_team_rooms_everybody_is_shown(world: World) -> None:
    for seat in world.team.participants.all():
        seat.room = world.team
        assert Participant.objects.shown_to(seat).count() == 6


def test_the_desk_has_support_rooms_of_every_state(world: World) -> None:
    for state in Room.State.values:
        Room.objects.filter(pk=world.support.pk).update(state=state)
        assert world.support in Room.objects.desk_for(world.amy)


@pytest.mark.django_db(transaction=True)
def test_two_agents_racing_for_a_waiting_room_are_both_in_it(world: World) -> None:
    room = Room.objects.open("Help", by=world.ada, mode="support", on_behalf_of=world.carl)
    outcomes = race(lambda: again(room).join(by=world.amy), lambda: again(room).join(by=world.ada))
    assert {type(outcome) for outcome in outcomes} == {Participant}
    assert again(room).state == "active"


@pytest.mark.django_db(transaction=True)
def test_two_owners_racing_to_leave_leave_one(world: World) -> None:
    world.team.change_role(world.cleo, "owner", by=world.ben)
    outcomes = race(
        lambda: again(world.team).leave(by=world.ben),
        lambda: again(world.team).leave(by=world.cleo),
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastOwner", "NoneType"]


@pytest.mark.django_db(transaction=True)
def test_racing_for_the_last_seat_lets_one_in(world: World, settings: object) -> None:
    settings.CHAT_ROOM_MAX_PARTICIPANTS = 3
    racers = [world.otto, world.amy, world.vic]
    outcomes = race(*(lambda who=who: again(world.public).join(by=who) for who in racers))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Full", "Full", "Participant"]
