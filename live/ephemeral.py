"""News that is not kept: who types, who has read. It may be lost, and is told to who may know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from accounts.errors import Forbidden, NotFound
from live import database, frames, signals
from live.people import may_know
from live.stream import Delta
from messages.audience import SPEECH

if TYPE_CHECKING:
    from live.hub import Hub

TYPING_LASTS = 6
"""Seconds after which somebody who has not typed on is no longer shown as typing."""

TYPING_ANNOUNCED = 5.0
"""Seconds between two signals of a room that somebody types to the same audience."""

ABOUT_TO_BE = 2**63
"""The id of a message that is still being typed: later than any."""


def typing(
    hub: Hub, user: int, room_id: int, audience: str | None, to: tuple[int, ...]
) -> dict[str, Any]:
    """The news that `user` types, for those who would see what they type.

    Raises NotFound, Forbidden.
    """
    room = hub.rooms.get(room_id)
    listener = room.roster.get(user) if room else None
    if room is None or listener is None:
        raise NotFound
    speech = SPEECH.get((room.mode, listener.reader.role))
    if speech is None or (audience and audience not in speech.allowed):
        raise Forbidden("You cannot write that here.")
    return {
        "kind": "typing",
        "room": room_id,
        "user": user,
        "role": listener.reader.role,
        "audience": audience or speech.default.value,
        "to": list(to),
        "people_revision": room.people_revision,
    }


def announce_typing(hub: Hub, news: Mapping[str, Any]) -> None:
    """Let apps above know that somebody types here."""
    room, now = hub.rooms[news["room"]], hub.loop.time()
    if now - room.typed_at.get(news["audience"], -TYPING_ANNOUNCED) >= TYPING_ANNOUNCED:
        room.typed_at[news["audience"]] = now
        hub.spawn(database.run(_send_typed, news))


def _send_typed(news: Mapping[str, Any]) -> None:
    who = {name: news[name] for name in ("room", "user", "audience", "to")}
    signals.typed.send_robust(None, **who)


def _tell_typing(hub: Hub, news: Mapping[str, Any]) -> None:
    room = hub.rooms.get(news["room"])
    if room is None:
        return
    if room.people_revision < news["people_revision"]:
        hub.puller.want(room.pk)  # our roster is old: rather say nothing
        return
    frame = frames.write(
        "typing",
        room=room.pk,
        user=news["user"],
        audience=news["audience"],
        expires_in=TYPING_LASTS,
    )
    for seat in room.others_than(news["user"]):
        listener = room.roster.get(seat.socket.user_id)
        if listener is None:
            continue
        reader = listener.reader
        hears = reader.hears(news["user"], news["audience"], news["to"], ABOUT_TO_BE)
        if hears and may_know(room.mode, reader.role, news["role"]):
            seat.socket.send(frame)


def _tell_read(hub: Hub, news: Mapping[str, Any]) -> None:
    """To one's own sockets exactly; to others by a message that everyone may see."""
    room_id, user = news["room"], news["user"]
    mine = frames.write("read", room=room_id, user=user, message=news["message"])
    for socket in hub.sockets.get(user, ()):
        socket.send(mine)
    hub.activity.note(room_id, [user])
    room = hub.rooms.get(room_id)
    if room is None or news["shown"] is None:
        return
    if room.people_revision < news["people_revision"]:
        hub.puller.want(room.pk)
        return
    shown = frames.write("read", room=room_id, user=user, message=news["shown"])
    for seat in room.others_than(user):
        listener = room.roster.get(seat.socket.user_id)
        if listener is None or news["shown"] <= listener.reader.history_from:
            continue
        if may_know(room.mode, listener.reader.role, news["role"]):
            seat.socket.send(shown)


def _tell_presence(hub: Hub, news: Mapping[str, Any]) -> None:
    hub.presence.hear(news["users"])


def _tell_status(hub: Hub, news: Mapping[str, Any]) -> None:
    hub.spawn(hub.presence.tell_status(news["user"]))


def _tell_deltas(hub: Hub, news: Mapping[str, Any]) -> None:
    hub.streams.hear(Delta(**delta) for delta in news["deltas"])


def _end_logins(hub: Hub, news: Mapping[str, Any]) -> None:
    ended = set(news["logins"])
    for user in news["users"]:
        for socket in hub.sockets.get(user, ()):
            if socket.login.pk in ended:
                hub.spawn(socket.close("signed_out"))


TELLERS: Mapping[str, Callable[[Hub, Mapping[str, Any]], None]] = {
    "typing": _tell_typing,
    "read": _tell_read,
    "presence": _tell_presence,
    "status": _tell_status,
    "deltas": _tell_deltas,
    "logins_ended": _end_logins,
}
