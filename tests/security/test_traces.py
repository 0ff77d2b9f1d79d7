"""Who may not see a message learns nothing of it from what they may see."""

import pytest

from messages.models import Message
from rooms.models import Invitation
from tests.callers import Caller
from tests.world import World


def last_read(caller: Caller, room: int) -> int:
    return caller.get(f"rooms/{room}/").json()["me"]["last_read"]


@pytest.mark.parametrize("how", ["link", "invited", "joined"])
def test_a_newcomer_has_read_up_to_something_they_may_see(world: World, how: str) -> None:
    """Not up to the whisper or note that happened to be the newest when they came."""
    room, newcomer = (world.support, world.dora) if how != "joined" else (world.public, world.otto)
    if how != "joined":
        world.support.remove(world.dora, by=world.ada)
        world.note(world.ada)
    else:
        world.whisper(world.public, world.ben, world.cleo)
    hidden = Message.objects.filter(room=room).latest("pk")
    if how == "link":
        _, token = room.create_invitation(by=world.ada)
        Invitation.objects.accept(token, user=newcomer)
    elif how == "invited":
        room.invite(newcomer, by=world.ada)
    else:
        room.join(by=newcomer)
    caller = Caller(newcomer)
    assert caller.get(f"messages/{hidden.pk}/").status_code == 404
    assert caller.get(f"messages/{last_read(caller, room.pk)}/").status_code == 200


def test_what_was_said_before_a_newcomer_came_is_not_unread(world: World) -> None:
    world.say(world.public, world.ben)
    world.public.join(by=world.otto)
    caller = Caller(world.otto)
    assert caller.get(f"rooms/{world.public.pk}/").json()["unread"] == 0
    world.say(world.public, world.ben)
    assert caller.get(f"rooms/{world.public.pk}/").json()["unread"] == 1
