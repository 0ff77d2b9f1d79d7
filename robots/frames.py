"""What robots add to the socket: a frame that stops one, and what `joined` tells of them."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.errors import NotFound
from accounts.models import User
from live import frames, protocol
from messages.encoding import Encoded
from messages.models import Message
from robots import actions
from rooms.models import Participant
from rooms.modes import Role


@protocol.takes("stop", room=frames.ROOM, message=frames.MESSAGE)
def stop(user: User, room: int, message: int) -> None:
    """Raises NotFound (also where the message is of another room), Forbidden, Reply.Over."""
    found = Message.objects.visible_to(user).filter(pk=message, room=room).first()
    if found is None:
        raise NotFound
    actions.reply_of(found).stop(by=user)


@protocol.tells("robots")
def robots(viewer: Participant, people: Sequence[Encoded]) -> list[Encoded]:
    """The robots among those the viewer is told of, with what they are here."""
    told = {person["id"]: person for person in people if person["role"] == Role.ROBOT}
    if not told:
        return []
    # In a side-bar they are what they are around it, until they are something else there.
    rooms = [viewer.room_id, viewer.room.parent_id]
    public = Participant.objects.filter(room__in=rooms, user__in=told).values_list(
        "user", "robot_seat__title", "user__robot__trigger", "user__robot__enabled"
    )
    titles: dict[int, str] = {}
    for user, title, trigger, enabled in public.order_by("room"):  # the one around is older
        if trigger is not None:
            titles[user] = title or titles.get(user, "")
            told[user] |= {"title": titles[user], "trigger": trigger, "enabled": enabled}
    return list(told.values())
