"""What robots add to the socket: a frame that stops one, and what `joined` tells of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from accounts.errors import NotFound
from accounts.models import User
from live import frames, protocol
from live.protocol import Viewer
from messages.encoding import Encoded
from messages.models import Message
from robots import actions
from rooms.models import Participant, Room
from rooms.modes import Role


@protocol.takes("stop", room=frames.ROOM, message=frames.MESSAGE)
def stop(user: User, room: int, message: int) -> None:
    """Raises NotFound (also where the message is of another room), Forbidden, Reply.Over."""
    found = Message.objects.visible_to(user).filter(pk=message, room=room).first()
    if found is None:
        raise NotFound
    actions.reply_of(found).stop(by=user)


@protocol.tells("robots")
def robots(viewers: Sequence[Viewer]) -> list[object]:
    """The robots among those that viewers are told of, with what they are in the room."""
    told = [[one for one in viewer.people if one["role"] == Role.ROBOT] for viewer in viewers]
    seats = _seats_of(viewers, {robot["id"] for some in told for robot in some})
    return [
        [robot | _as_seated(viewer.seat.room, robot["id"], seats) for robot in some]
        for viewer, some in zip(viewers, told, strict=True)
    ]


Seats = Mapping[tuple[int, int], Encoded]
"""By room and user: what a robot is there."""


def _seats_of(viewers: Sequence[Viewer], robots: Collection[int]) -> Seats:
    """Of these robots, in the rooms of the viewers and around them."""
    if not robots:
        return {}
    rooms = {pk for viewer in viewers for pk in (viewer.seat.room_id, viewer.seat.room.parent_id)}
    found = Participant.objects.filter(room__in=rooms - {None}, user__in=robots).values_list(
        "room", "user", "robot_seat__title", "user__robot__trigger", "user__robot__enabled"
    )
    return {
        (room, user): {"title": title or "", "trigger": trigger, "enabled": enabled}
        for room, user, title, trigger, enabled in found
        if trigger is not None
    }


def _as_seated(room: Room, robot: int, seats: Seats) -> Encoded:
    """In a side-bar they are what they are around it, until they are something else there."""
    around, here = seats.get((room.parent_id or 0, robot), {}), seats.get((room.pk, robot), {})
    told = {**around, **here}
    if around and here:
        told["title"] = here["title"] or around["title"]
    return told
