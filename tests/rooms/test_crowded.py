"""Rooms with so many people that they are told little of each other."""

import pytest

from rooms.models import Room
from tests.threads.beside import beside
from tests.world import World


@pytest.mark.parametrize(
    ("most", "crowded"),
    [
        (5, set()),
        (4, {"team", "beside team"}),
        (3, {"team", "beside team", "support"}),
        (1, {"team", "beside team", "support", "beside support", "public", "direct", "aside"}),
    ],
)
def test_people_count_robots_do_not_and_an_open_side_bar_has_those_around_it(
    world: World, settings: pytest.FixtureRequest, most: int, crowded: set[str]
) -> None:
    """Whether they have come to it or not; customers never do."""
    settings.CHAT_PRESENCE_MAX_ROOM = most
    around = world.say(world.team, world.ben)
    rooms = {
        **world.rooms,
        "beside team": beside(around, world.ben).room,
        "beside support": beside(world.note(world.ada), world.ada).room,
        "aside": beside(around, world.ben, world.cleo, access="private").room,
    }
    assert {name for name, room in rooms.items() if room.is_crowded} == crowded
    found = set(Room.objects.crowded().values_list("pk", flat=True))
    assert found == {rooms[name].pk for name in crowded}
