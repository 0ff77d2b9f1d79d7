"""What apps above add to the socket, from `ready` of their `AppConfig`: `live` knows none of them.

    @protocol.takes("stop", room=frames.ROOM, message=frames.MESSAGE)
    def stop(user: User, room: int, message: int) -> None: ...

    @protocol.tells("robots")
    def robots(viewers: Sequence[Viewer]) -> list[object]: ...

    @protocol.hears("sidebar")
    class Board:
        def __init__(self, hub: Hub) -> None: ...
        def __call__(self, news: Mapping[str, Any]) -> None: ...

What `takes` and `tells` add belongs to the contract: docs/protocol.md has the schemas. News that
is heard is sent by `live.listeners.tell`, and may be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from live.frames import FRAMES, Field
from messages.encoding import Encoded
from rooms.models import Participant
from rooms.modes import Role

if TYPE_CHECKING:
    from live.hub import Hub

Handler = Callable[..., None]
"""Takes the user and the frame's fields; runs in a thread of the database pool. A DomainError is
told to the client."""


class Viewer(NamedTuple):
    """Somebody who is told of a room, and the people that they are told of."""

    seat: Participant
    """With its room and user at hand."""
    people: Sequence[Encoded]
    """The same for others who see the same: not to be changed."""


Part = Callable[[Sequence[Viewer]], Sequence[object]]
"""Makes a field of `joined`, for each of some viewers who come at the same time."""

Hearer = Callable[[Mapping[str, Any]], None]
"""Takes news that another process may have sent: a dictionary whose `kind` it is registered for.
Runs on the hub's loop."""

H = TypeVar("H", bound=Handler)
P = TypeVar("P", bound=Part)
N = TypeVar("N", bound=Callable[["Hub"], Hearer])

_handlers: dict[str, Handler] = {}
_parts: dict[str, Part] = {}
_hearers: dict[str, Callable[[Hub], Hearer]] = {}


def takes(kind: str, **fields: Field) -> Callable[[H], H]:
    """Register what is done with a frame that clients send."""

    def register(handler: H) -> H:
        if kind in FRAMES and kind not in _handlers:
            raise ValueError(f"`{kind}` is a frame of `live` itself.")
        FRAMES[kind] = fields
        _handlers[kind] = handler
        return handler

    return register


def tells(field: str) -> Callable[[P], P]:
    """Register what a field of `joined` holds, in place of what it held before."""

    def register(part: P) -> P:
        _parts[field] = part
        return part

    return register


def hears(kind: str) -> Callable[[N], N]:
    """Register what makes the hearer of a kind of news, once for each hub."""

    def register(make: N) -> N:
        _hearers[kind] = make
        return make

    return register


def hearers_of(hub: Hub) -> dict[str, Hearer]:
    """New ones, by the kind they are for."""
    return {kind: make(hub) for kind, make in _hearers.items()}


def handler_of(kind: str) -> Handler | None:
    return _handlers.get(kind)


def parts_for(viewers: Sequence[Viewer]) -> list[dict[str, object]]:
    """The registered fields of `joined`, for each of these viewers."""
    told: list[dict[str, object]] = [{} for _ in viewers]
    for field, part in _parts.items() if viewers else ():
        for fields, made in zip(told, part(viewers), strict=True):
            fields[field] = made
    return told


@tells("robots")
def robots(viewers: Sequence[Viewer]) -> list[object]:
    return [
        [person for person in viewer.people if person["role"] == Role.ROBOT] for viewer in viewers
    ]
