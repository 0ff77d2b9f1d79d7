"""Side-bars to test with, and what each person is shown of them."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from messages.models import Message
from rooms.models import Participant, Room
from tests.world import World, again
from threads.models import Sidebar
from threads.stubs import Stub, encode_for, stubs_for


def beside(anchor: Message, by: User, *invite: User, access: str = "open", **how: Any) -> Sidebar:
    """A side-bar on a message."""
    return Sidebar.objects.open(again(anchor), by=by, access=access, invite=invite, **how)


def private(anchor: Message, by: User, *invite: User, **how: Any) -> Sidebar:
    """One for those invited."""
    return beside(anchor, by, *invite, access="private", **how)


def look(sidebar: Sidebar, who: User) -> Participant:
    """Come by, as one does by opening it. Raises NotFound."""
    return Room.objects.seat_in(sidebar.pk, again(who))


def seated(sidebar: Sidebar) -> dict[str, str]:
    """Who has a seat in it, as what."""
    return dict(Participant.objects.filter(room=sidebar.pk).values_list("user__handle", "role"))


def stubs_of(who: User, room: Room) -> dict[int, Stub]:
    """What a room shows somebody of its side-bars, by their ids."""
    seat = Participant.objects.select_related("room", "user").get(room=room, user=who)
    return {stub["id"]: stub for stub in encode_for(seat, stubs_for(seat))}


def stub(who: User, sidebar: Sidebar) -> Stub | None:
    """Nothing where they are not in the room around it, or may not know of it."""
    around = Participant.objects.filter(room=sidebar.room.parent_id, user=who)
    return stubs_of(who, around[0].room).get(sidebar.pk) if around else None


def know_of(world: World, sidebar: Sidebar) -> set[str]:
    """Whom the room around it shows it."""
    return {name for name, who in world.people.items() if stub(who, sidebar) is not None}
