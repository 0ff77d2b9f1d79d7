"""What a socket is told when it comes: its rooms, and what it missed in the one it joins."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import orjson
from django.conf import settings

from accounts.errors import NotFound
from accounts.models import User
from accounts.status import Status, told_to
from live import frames, protocol
from live.bulletin import messages_frames, with_article
from live.models import Presence
from live.room import Listener
from messages import cursor
from messages.encoding import encode_for
from messages.history import History
from messages.models import Message
from messages.overview import overview
from messages.receipts import receipts
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
    shown: list[Message]
    """Of the messages in the frames those that are being written, or are newer than `after`."""


class Telling(NamedTuple):
    """Frames, and the messages in them."""

    frames: list[str]
    rows: list[Message]


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
    if room is None:
        raise NotFound
    seat = room.participant(user)
    if seat is None:
        seat = Room.objects.seat_in(room_id, user)
        room = seat.room
    listener = Listener.of(seat, as_of=room.people_revision)
    told = None if sealed is None else _catch_up(room, seat, sealed, html=html)
    if told is None:
        told = _joined(room, seat, html=html, here=here)
        if sealed is not None:
            told.frames.insert(0, frames.write("reset", room=room.pk))
    shown = [
        row
        for row in told.rows
        if row.status == Message.Status.STREAMING or row.revision > room.revision
    ]
    return Arrival(listener, room.mode, room.revision, told.frames, shown)


def read_afresh(user: User, room_id: int, *, html: bool, here: Collection[int]) -> Arrival:
    """Start a room over, since what the user may see in it has changed. Raises NotFound."""
    arrival = read_arrival(user, room_id, sealed=None, html=html, here=here)
    return replace(arrival, frames=[frames.write("reset", room=room_id), *arrival.frames])


def _catch_up(room: Room, seat: Participant, sealed: str, *, html: bool) -> Telling | None:
    """What was missed since a cursor, or None where the client must start over."""
    since = cursor.unseal(sealed, room=room.pk)
    if since is None or since < seat.view_since or since > room.revision:
        return None
    most = settings.CHAT_CATCH_UP_MAX
    history = History(room, seat.user)
    rows = list(history.visible.filter(revision__lte=room.revision).since(since)[: most + 1])
    if len(rows) > most:
        return None
    rows = history.with_streaming(rows)
    # What is being written may be older than where the client is already.
    revisions = [min(max(row.revision, since), room.revision) for row in rows]
    told = list(_in_chunks(seat, rows, revisions, html=html))
    told.append(frames.write("synced", room=room.pk, cursor=cursor.seal(room.pk, room.revision)))
    return Telling(told, rows)


def _in_chunks(
    seat: Participant, rows: list[Message], revisions: list[int], *, html: bool
) -> Iterable[str]:
    encoded = encode_for(seat.user, rows)
    parts = [orjson.dumps(with_article(message, html=html)) for message in encoded]
    return messages_frames(seat.room_id, parts, revisions)


def _joined(room: Room, seat: Participant, *, html: bool, here: Collection[int]) -> Telling:
    """The room and its newest messages; then, in frames of their own, older ones that are being
    written.
    """
    history = History(room, seat.user)
    page = history.newest()
    (told,) = overview(seat.user, [room])
    encoded = [with_article(m, html=html) for m in encode_for(seat.user, page.rows)]
    messages = _as_fits(encoded)
    rows = page.rows[-len(messages) :] if messages else []
    older = history.streaming(besides=rows)
    people = people_of(seat, here)
    joined = frames.write(
        "joined",
        room=told,
        me=told["me"],
        people=[person for person in people if person["role"] != Role.ROBOT],
        participants_count=told["participants_count"],
        **protocol.parts_for(seat, people),
        reads=[receipt._asdict() for receipt in receipts(seat)],
        messages=messages,
        has_older=page.has_older or len(messages) < len(encoded),
        cursor=cursor.seal(room.pk, room.revision),
    )
    more = _in_chunks(seat, older, [room.revision] * len(older), html=html)
    return Telling([joined, *more], [*rows, *older])


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
    return told_of(viewer, list(seats.values())[:PEOPLE_TOLD])


def told_of(viewer: Participant, seats: Collection[Participant]) -> list[dict[str, Any]]:
    """These people of the viewer's room, as the viewer is told of them."""
    standing = Presence.objects.standing([seat.user_id for seat in seats])
    return [
        {
            **seat.user.public(),
            "role": seat.role,
            "presence": standing[seat.user_id].state
            if seat.user_id in standing
            else Presence.State.OFFLINE,
            **status_for(viewer.user, seat.user),
        }
        for seat in seats
    ]


def status_for(viewer: User, user: User) -> dict[str, Status]:
    """What they say of themselves, where they do and the viewer may be told."""
    status = user.status if told_to(viewer) else None
    return {"status": status} if status else {}


def may_know(mode: str, viewer_role: str, role: str) -> bool:
    """Whether one in a room is shown another as a person there."""
    return role not in hidden_from(mode, viewer_role)
