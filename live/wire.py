"""Frames as they are on the wire, made once for all who are sent them.

A server that takes whole frames offers the extension `chat.whole_frames` in a socket's scope, as
ours does (`chatmanager/wire.py`). Everywhere else frames are sent as ASGI has it, text by text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

EXTENSION = "chat.whole_frames"

Write = Callable[[bytes], bool]
"""Gives the server a whole frame. False where it did not take it: `send` waits, or says why."""

TEXT = 0x81
"""A frame of text that is a whole message (RFC 6455, 5.2)."""


class Frame(str):
    """The text of a frame, which may be sent to many."""

    @cached_property
    def wire(self) -> bytes:
        return _whole(self)


def wire(frame: str) -> bytes:
    return frame.wire if isinstance(frame, Frame) else _whole(frame)


def way_into(scope: Mapping[str, Any]) -> Write | None:
    """How the server of this socket is given whole frames, where it takes any."""
    offered: Mapping[str, Write] = scope.get("extensions", {}).get(EXTENSION, {})
    return offered.get("write")


def _whole(text: str) -> bytes:
    """A server's frames are not masked."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return bytes((TEXT, length)) + payload
    if length < 1 << 16:
        return bytes((TEXT, 126)) + length.to_bytes(2, "big") + payload
    return bytes((TEXT, 127)) + length.to_bytes(8, "big") + payload
