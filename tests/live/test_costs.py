"""What a socket costs the database does not grow with rooms, messages and people."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Login, User
from live import arrival, feed
from live.arrival import Asked
from rooms.models import Room
from tests.world import World

MANY = 30


def queries(work: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


@pytest.fixture
def crowd(db: None) -> list[User]:
    return [User.objects.create_person(f"p{n}", f"P {n}", None) for n in range(MANY)]


def grow(world: World, crowd: list[User]) -> None:
    """More rooms for ben, and more people and messages in the team's."""
    for n in range(MANY):
        Room.objects.open(f"Room {n}", by=world.ben, people=[world.cleo])
        world.team.invite(crowd[n], by=world.ben)
        message = world.say(world.team, crowd[n], f"message {n}")
        world.whisper(world.team, crowd[n], world.ben)
        world.say(world.team, world.ben, "indeed", reply_to=message)
        message.react("👍", by=world.ben)


def test_joining_a_room(world: World, crowd: list[User]) -> None:
    first = world.say(world.team, world.ben, "first")
    first.react("👍", by=world.ben)
    world.say(world.team, world.cleo, "unread", reply_to=first)

    def join() -> None:
        arrival.read_arrivals([Asked(world.ben, world.team.pk, None, html=False)], here={})

    few = queries(join)
    grow(world, crowd)
    assert queries(join) == few


def test_joining_a_room_together(world: World, crowd: list[User]) -> None:
    """However many come to whom something is unread."""
    for one in crowd:
        world.team.invite(one, by=world.ben)
    world.say(world.team, world.ben, "unread, @p1")

    def join(people: list[User]) -> None:
        arrival.read_arrivals([Asked(one, world.team.pk, None, False) for one in people], here={})

    few = queries(lambda: join(crowd[:2]))
    assert queries(lambda: join(crowd)) == few


def test_connecting(world: World, crowd: list[User]) -> None:
    """However many connect at once: one question for their logins, one for all their seats."""
    logins = [Login.objects.start(user, kind=Login.Kind.TOKEN) for user in (world.ben, world.cleo)]
    few = queries(lambda: arrival.read_memberships(logins[:1]))
    grow(world, crowd)
    assert queries(lambda: arrival.read_memberships(logins)) == few == 2


def test_pulling_what_is_new(world: World, crowd: list[User]) -> None:
    """One question a kind, for all rooms that have news."""

    def pull(rooms: list[Room]) -> None:
        questions = [
            feed.Question(room.pk, 0, 0, frozenset([world.ben.pk]), must_ask=False)
            for room in rooms
        ]
        assert feed.read(questions)

    world.say(world.team, world.ben).react("👍", by=world.ben)
    few = queries(lambda: pull([world.team]))
    grow(world, crowd)
    rooms = list(Room.objects.for_user(world.ben))
    assert len(rooms) > MANY
    assert queries(lambda: pull(rooms)) == few
