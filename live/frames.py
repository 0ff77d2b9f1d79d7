"""What clients may send: each frame's fields, checked here and nowhere else.

Apps above add theirs by `live.protocol`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings

from accounts.errors import Invalid, TooLarge
from live.wire import Frame
from messages.audience import Audience

LARGEST_ID = 2**63 - 1
NAMED_AT_ONCE = 1_000
NAME_MAX = 100
"""Characters of a `client_id` that an error repeats."""


class UnknownType(Invalid):
    """No frame is called that."""

    code = "unknown_type"
    message = "There is no such frame."


class Field(NamedTuple):
    read: Callable[[Any], Any]
    """The value, or ValueError."""
    wanted: str
    required: bool = False


def _id(value: Any) -> int:
    if type(value) is not int or not 0 < value <= LARGEST_ID:
        raise ValueError
    return value


def _ids(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > NAMED_AT_ONCE:
        raise ValueError
    return tuple(_id(item) for item in value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _uuid(value: Any) -> str:
    """As it was sent: the answer names it so, however UUIDs are written."""
    UUID(_text(value))
    return str(value)


def _audience(value: Any) -> str:
    if value not in Audience.values:
        raise ValueError
    return str(value)


def _echo(value: Any) -> Any:
    """Anything that can be written again: we write less deep than we read."""
    try:
        orjson.dumps([value])
    except orjson.JSONEncodeError:
        raise ValueError from None
    return value


def _state(value: Any) -> str:
    if value not in ("active", "away"):
        raise ValueError
    return str(value)


ROOM = Field(_id, "a room’s id", required=True)
MESSAGE = Field(_id, "a message’s id", required=True)
AUDIENCE = Field(_audience, f"one of {', '.join(Audience.values)}")
IDS = Field(_ids, "a list of ids")

FRAMES: dict[str, Mapping[str, Field]] = {
    "join": {"room": ROOM, "cursor": Field(_text, "a string")},
    "leave": {"room": ROOM},
    "post": {
        "room": ROOM,
        "client_id": Field(_uuid, "a UUID", required=True),
        "body": Field(_text, "a string", required=True),
        "audience": AUDIENCE,
        "to": IDS,
        "reply_to": Field(_id, "a message’s id"),
        "attachments": IDS,
    },
    "typing": {"room": ROOM, "audience": AUDIENCE, "to": IDS},
    "read": {"room": ROOM, "message": MESSAGE},
    "presence": {"state": Field(_state, "active or away", required=True)},
    "ping": {"t": Field(_echo, "something not too deep")},
}


def read(text: str) -> tuple[str, dict[str, Any]]:
    """A frame's type and fields. A field that is null is as if absent.

    Raises TooLarge, Invalid (with details by field), UnknownType.
    """
    if len(text) > settings.CHAT_SOCKET_FRAME_MAX or (
        len(text) * 4 > settings.CHAT_SOCKET_FRAME_MAX
        and len(text.encode(errors="replace")) > settings.CHAT_SOCKET_FRAME_MAX
    ):
        raise TooLarge(f"A frame has at most {settings.CHAT_SOCKET_FRAME_MAX // 1024} KiB.")
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Invalid("This is not JSON.") from None
    if not isinstance(frame, dict):
        raise Invalid("A frame is a JSON object with a `type`.")
    kind = frame.get("type")
    if not isinstance(kind, str) or kind not in FRAMES:
        raise UnknownType
    return kind, _fields(frame, FRAMES[kind])


def about(text: str) -> dict[str, Any]:
    """What an error may name of a refused frame: `client_id` and `room`, as they were sent.

    What no honest client sends is not sent back.
    """
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(frame, dict):
        return {}
    return {name: frame[name] for name in ("client_id", "room") if _is_short(frame.get(name))}


def _fields(frame: dict[str, Any], table: Mapping[str, Field]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    for name, field in table.items():
        value = frame.get(name)
        if value is None:
            if field.required:
                wrong[name] = [f"Send {field.wanted}."]
            continue
        try:
            fields[name] = field.read(value)
        except ValueError:
            wrong[name] = [f"This must be {field.wanted}."]
    if wrong:
        raise Invalid(details=wrong)
    return fields


def _is_short(value: Any) -> bool:
    return type(value) is int or (isinstance(value, str) and len(value) <= NAME_MAX)


def write(kind: str, **fields: Any) -> Frame:
    """A frame for a client."""
    return Frame(orjson.dumps({"type": kind, **fields}).decode())
