"""Posts that race each other, through the API, on real connections."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from messages.models import Message
from rooms.models import Invitation, Participant, Room
from tests.callers import Caller, code
from tests.race import race as at_once
from tests.world import World

RACERS = 8

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def race(callers: list[Caller], act: Callable[[int, Caller], Any]) -> list[Any]:
    """What all of them came to, at the same moment."""
    return at_once(*(partial(act, number, caller) for number, caller in enumerate(callers)))


def test_racing_posts_with_one_client_id_make_one_message(world: World) -> None:
    ben, client_id = [Caller(world.ben) for _ in range(RACERS)], str(uuid4())
    answers = race(ben, lambda _, caller: caller.say(world.team.pk, "once", client_id=client_id))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: RACERS - 1}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Counter(answer.json()["replayed"] for answer in answers) == {False: 1, True: RACERS - 1}
    assert Message.objects.filter(room=world.team, body="once").count() == 1


def test_racing_posts_that_differ_make_one_message_and_conflicts(world: World) -> None:
    ben, client_id = [Caller(world.ben) for _ in range(RACERS)], str(uuid4())
    answers = race(
        ben, lambda number, caller: caller.say(world.team.pk, f"m{number}", client_id=client_id)
    )
    assert Counter(map(code, answers)) == {201: 1, "idempotency_conflict": RACERS - 1}
    assert Message.objects.filter(room=world.team, client_id=client_id).count() == 1


def test_racing_posts_of_many_take_revisions_without_a_gap(world: World) -> None:
    before = Room.objects.get(pk=world.team.pk).revision
    people = [Caller(person) for person in (world.ben, world.cleo, world.gus) * 3]
    answers = race(people, lambda number, caller: caller.say(world.team.pk, f"m{number}"))
    assert {answer.status_code for answer in answers} == {201}
    said = Message.objects.filter(room=world.team, kind="text")
    assert sorted(said.values_list("revision", flat=True)) == list(
        range(before + 1, before + 1 + len(people))
    )
    assert list(said.order_by("revision")) == list(said.order_by("pk"))
    assert Room.objects.get(pk=world.team.pk).revision == before + len(people)


def test_racing_guests_share_the_uses_of_a_link(world: World) -> None:
    _, token = world.team.create_invitation(by=world.ben, uses=3)
    nobodies = [Caller(None) for _ in range(RACERS)]
    before = Participant.objects.filter(room=world.team).count()
    answers = race(
        nobodies, lambda number, caller: caller.post("auth/guest/", invite=token, name=f"G{number}")
    )
    assert Counter(map(code, answers)) == {200: 3, "not_found": RACERS - 3}
    assert Participant.objects.filter(room=world.team).count() == before + 3
    assert Invitation.objects.filter(uses_left__lt=0).count() == 0


def test_racing_owners_do_not_both_leave(world: World) -> None:
    world.team.change_role(world.cleo, "owner", by=world.ben)
    owners = [Caller(world.ben), Caller(world.cleo)]
    answers = race(owners, lambda _, caller: caller.post(f"rooms/{world.team.pk}/leave/"))
    assert Counter(map(code, answers)) == {204: 1, "last_owner": 1}


def test_racing_direct_rooms_are_one(world: World) -> None:
    pairs = [Caller(world.otto), Caller(world.vic)] * 3
    answers = race(
        pairs,
        lambda number, caller: caller.post(
            "rooms/direct/", user=(world.vic if number % 2 == 0 else world.otto).pk
        ),
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
