"""What a socket is told when it comes: its rooms, and what it missed in the one it joins."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings

from accounts.errors import NotFound
from accounts.models import User
from live import frames
from live.bulletin import messages_frames, with_article
from live.models import Presence
from live.room import Listener
from messages import cursor
from messages.encoding import encode_for
from messages.history import History
from messages.models import Message
from messages.overview import overview
from rooms.models import Participant, Room
from rooms.modes import STAFF, Role, hidden_from

PEOPLE_TOLD = 100

JOINED_BYTES = 512 * 1024
"""Of messages in a `joined` frame."""


@dataclass(frozen=True)
class Arrival:
    """A socket's way into a room: what to send, and from which revision on to go on live."""

    listener: Listener
    mode: str
    after: int
    frames: list[str]


@dataclass(frozen=True)
class Membership:
    listener: Listener
    mode: str
    revision: int


def read_memberships(user: User) -> dict[int, Membership]:
    """All rooms of a user, each with where its feed ends."""
    seats = Participant.objects.filter(user=user).select_related("room")
    return {
        seat.room_id: Membership(
            Listener.of(seat, as_of=seat.room.people_revision), seat.room.mode, seat.room.revision
        )
        for seat in seats
    }


def read_arrival(
    user: User, room_id: int, *, sealed: str | None, html: bool, here: Collection[int]
) -> Arrival:
    """Join from a cursor, or afresh. `here` are users with sockets in the room in this process.

    The room is read before the seat, and the seat before the rows: whatever changes meanwhile
    is newer than `after`, and is told once more. Raises NotFound.
    """
    room = Room.objects.filter(pk=room_id).first()
    seat = room.participant(user) if room else None
    if room is None or seat is None:
        raise NotFound
    listener = Listener.of(seat, as_of=room.people_revision)
    told = None if sealed is None else _catch_up(room, seat, sealed, html=html)
    if told is None:
        told = [] if sealed is None else [frames.write("reset", room=room.pk)]
        told.append(_joined(room, seat, html=html, here=here))
    return Arrival(listener, room.mode, room.revision, told)


def read_afresh(user: User, room_id: int, *, html: bool, here: Collection[int]) -> Arrival:
    """Start a room over, since what the user may see in it has changed. Raises NotFound."""
    arrival = read_arrival(user, room_id, sealed=None, html=html, here=here)
    return Arrival(
        arrival.listener,
        arrival.mode,
        arrival.after,
        [frames.write("reset", room=room_id), *arrival.frames],
    )


def _catch_up(room: Room, seat: Participant, sealed: str, *, html: bool) -> list[str] | None:
    """What was missed since a cursor, or None where the client must start over."""
    since = cursor.unseal(sealed, room=room.pk)
    if since is None or since < seat.view_since or since > room.revision:
        return None
    most = settings.CHAT_CATCH_UP_MAX
    visible = Message.objects.visible_to(seat.user).filter(room=room).with_people()
    rows = list(visible.filter(revision__lte=room.revision).since(since)[: most + 1])
    if len(rows) > most:
        return None
    told = list(_in_chunks(room, rows, encode_for(seat.user, rows), html=html))
    told.append(frames.write("synced", room=room.pk, cursor=cursor.seal(room.pk, room.revision)))
    return told


def _in_chunks(
    room: Room, rows: list[Message], encoded: list[dict[str, Any]], *, html: bool
) -> Iterable[str]:
    parts = [orjson.dumps(with_article(message, html=html)) for message in encoded]
    return messages_frames(room.pk, parts, [row.revision for row in rows])


def _joined(room: Room, seat: Participant, *, html: bool, here: Collection[int]) -> str:
    page = History(room, seat.user).newest()
    (told,) = overview(seat.user, [room])
    encoded = [with_article(m, html=html) for m in encode_for(seat.user, page.rows)]
    messages = _as_fits(encoded)
    people = people_of(seat, here)
    return frames.write(
        "joined",
        room=told,
        me=told["me"],
        people=[person for person in people if person["role"] != Role.ROBOT],
        participants_count=told["participants_count"],
        robots=[person for person in people if person["role"] == Role.ROBOT],
        messages=messages,
        has_older=page.has_older or len(messages) < len(encoded),
        cursor=cursor.seal(room.pk, room.revision),
    )


def _as_fits(encoded: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest of them, as far as one frame holds them; older ones are paged back to."""
    size = 0
    for kept, message in enumerate(reversed(encoded)):
        size += len(orjson.dumps(message))
        if size > JOINED_BYTES and kept:
            return encoded[-kept:]
    return encoded


def people_of(viewer: Participant, here: Collection[int]) -> list[dict[str, Any]]:
    """At most a hundred people of the room: the viewer, owners, staff and robots, who is here,
    and others. Each list is asked for by itself, so that a large room costs no more than a small.
    """
    known = Participant.objects.shown_to(viewer).select_related("user").order_by("pk")
    first = (Role.OWNER, Role.ROBOT, *STAFF)
    seats = {viewer.user_id: viewer}
    for some in (
        known.filter(role__in=first),
        known.filter(user__in=list(here)[:PEOPLE_TOLD]),
        known,
    ):
        if len(seats) < PEOPLE_TOLD:
            seats.update((seat.user_id, seat) for seat in some[:PEOPLE_TOLD])
    told = list(seats.values())[:PEOPLE_TOLD]
    standing = Presence.objects.standing([seat.user_id for seat in told])
    return [
        {
            **seat.user.public(),
            "role": seat.role,
            "presence": standing[seat.user_id].state
            if seat.user_id in standing
            else Presence.State.OFFLINE,
        }
        for seat in told
    ]


def may_know(mode: str, viewer_role: str, role: str) -> bool:
    """Whether one in a room is shown another as a person there."""
    return role not in hidden_from(mode, viewer_role)
