"""What is asked again and again does no more where much was said."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Max

from live.arrival import Arrival, Asked, read_arrivals
from messages import cursor
from messages.history import History
from messages.models import Message
from messages.overview import overview
from notifications.models import Notification
from robots.router import propose
from rooms.models import Participant
from tests.robots.telling import answered, seated
from tests.steps import steps
from tests.threads.beside import beside, stubs_of
from tests.world import World, again

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="It counts what SQLite does."),
]


ALL = 2**40
"""Is read up to there: nothing is counted."""


def say_much(world: World) -> None:
    head = Message.objects.filter(room=world.team).aggregate(Max("revision"))["revision__max"]
    Message.objects.bulk_create(
        Message(room=world.team, author=world.ben, audience="everyone", revision=head + n)
        for n in range(1, 1_001)
    )


SURFACES = [
    *("the bell", "unread", "side-bars", "proposals"),
    *("coming in", "coming back", "a page", "the end of the feed", "what is being written"),
]


@pytest.mark.parametrize("surface", SURFACES)
def test_it_is_the_same_where_much_was_said(world: World, surface: str) -> None:
    ben, cleo = again(world.ben), again(world.cleo)
    poet = seated(world, world.team, "poet", persona="You write poems about the sea.")
    asked = world.say(world.team, world.ben, "@poet how do refunds work?")
    answered(asked)
    beside(asked, world.ben)
    world.say(world.team, world.ben, "@cleo look")
    say_much(world)  # more than is counted

    def ask() -> None:
        match surface:
            case "the bell":
                assert Notification.objects.count_unread(cleo) == 1
            case "unread":
                (shown,) = overview(cleo, [again(world.team)])
                assert (shown["unread"], shown["mentions"]) == (100, 1)
            case "side-bars":
                assert len(stubs_of(cleo, world.team)) == 1
            case "proposals":
                (proposal,) = propose("how do refunds work?", by=ben, room=again(world.team))
                assert proposal.robot == poet
            case "coming in":
                Participant.objects.filter(user=cleo).update(last_read=ALL)
                (came,) = read_arrivals([Asked(cleo, world.team.pk, None, False)], here={})
                assert isinstance(came, Arrival)
            case "coming back":
                here = cursor.seal(world.team.pk, again(world.team).revision)
                (came,) = read_arrivals([Asked(ben, world.team.pk, here, False)], here={})
                assert isinstance(came, Arrival)
            case "a page":
                assert len(History(world.team, ben).newest().rows) == 50
            case "the end of the feed":
                assert History(world.team, ben).since(again(world.team).revision).rows == []
            case "what is being written":
                assert History(world.team, ben).streaming() == []

    ask()  # what is asked of the database once is known then
    few = steps(ask)
    say_much(world)
    assert steps(ask) < 1.5 * few + 500
