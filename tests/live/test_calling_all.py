"""`@everyone` and `@here`: who is mentioned by them."""

from uuid import uuid4

from accounts.models import User
from live.models import Presence
from messages.overview import overview
from rooms.models import Room
from tests.world import World


def mentioned(room: Room, *people: User) -> list[int]:
    return [overview(person, [room])[0]["mentions"] for person in people]


def be(user: User, state: str) -> None:
    Presence.objects.hold(uuid4().hex, {user.pk: state})


def test_here_mentions_those_who_are_online(world: World) -> None:
    be(world.cleo, "online")
    be(world.vic, "away")
    world.say(world.team, world.ben, "@here look")
    assert mentioned(world.team, world.cleo, world.vic, world.gus) == [1, 0, 0]


def test_who_was_here_stays_mentioned_when_they_leave(world: World) -> None:
    be(world.cleo, "online")
    world.say(world.team, world.ben, "@here look")
    Presence.objects.all().delete()
    assert mentioned(world.team, world.cleo) == [1]


def test_here_and_a_name_mention_once(world: World) -> None:
    be(world.cleo, "online")
    world.say(world.team, world.ben, "@here and @cleo")
    assert mentioned(world.team, world.cleo) == [1]


def test_here_reveals_no_whisper(world: World) -> None:
    be(world.cleo, "online")
    be(world.gus, "online")
    world.say(world.team, world.ben, "@here psst", audience="only", to=[world.cleo])
    assert mentioned(world.team, world.cleo, world.gus) == [1, 0]


def test_everyone_mentions_all_others(world: World) -> None:
    world.say(world.team, world.ben, "@everyone look")
    assert mentioned(world.team, world.ben, world.cleo, world.vic, world.gus) == [0, 1, 1, 1]


def test_guests_call_nobody(world: World) -> None:
    be(world.cleo, "online")
    world.say(world.team, world.gus, "@here @everyone look")
    assert mentioned(world.team, world.ben, world.cleo) == [0, 0]
