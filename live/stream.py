"""The text of a message that is being written, as far as it was heard whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live import frames
from messages.audience import Reader
from messages.models import Message

MOST_AHEAD = 512
"""Deltas kept beyond a gap. The earliest go first: what is read again covers those."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text, from code point `offset` of a message's body on.

    `author`, `audience` and `to` are the message's. `people_revision` is the room's, as lately
    as the writer knows it: nobody is told who left before it.
    """

    room: int
    message: int
    attempt: int
    offset: int
    text: str
    author: int
    audience: str
    to: Sequence[int]
    people_revision: int


@dataclass(slots=True)
class Told:
    """How far a socket was told a message."""

    version: int
    attempt: int
    """0 where it was shown as ended."""
    length: int
    """Code points of its body."""

    @classmethod
    def of(cls, message: Message) -> Told:
        """By a frame that shows it."""
        goes_on = message.status == Message.Status.STREAMING
        return cls(message.version, message.attempt if goes_on else 0, len(message.body))


class Stream:
    """Whatever is heard of one attempt says the same, so that pieces may come twice and in any
    order. What lies beyond a gap waits until the gap is closed.
    """

    __slots__ = (
        "_ahead", "_frames", "asked_at", "attempt", "audience", "author", "heard_at", "message",
        "people_revision", "room", "text", "to", "typeset", "typeset_at",
    )  # fmt: skip

    def __init__(self, about: Delta) -> None:
        self.room = about.room
        self.message = about.message
        self.author = about.author
        self.audience = about.audience
        self.to = about.to
        self.attempt = 0
        self.text = ""
        self.people_revision = 0
        """The roster that who is told this must be asked of, or a newer one."""
        self.heard_at = 0.0
        self.asked_at = 0.0
        self.typeset = ""
        """As much of the text as pages were last shown as it will look."""
        self.typeset_at = 0.0
        """When they may be shown it again."""
        self._ahead: dict[int, str] = {}
        self._frames: dict[int, str] = {}

    def take(self, delta: Delta) -> None:
        """Add what it brings. A row as it stands is a delta, too: from the beginning."""
        if delta.attempt < self.attempt:
            return
        if delta.attempt > self.attempt:
            self._begin(delta.attempt)
        self.people_revision = max(self.people_revision, delta.people_revision)
        self._keep(delta.offset, delta.text)
        while (offset := min(self._ahead, default=len(self.text) + 1)) <= len(self.text):
            self._append(offset, self._ahead.pop(offset))

    @property
    def is_broken(self) -> bool:
        """Whether something is missing before what was heard last."""
        return bool(self._ahead)

    def is_heard_by(self, reader: Reader) -> bool:
        return reader.hears(self.author, self.audience, self.to, self.message)

    def frame(self, start: int) -> str:
        """The `delta` of all from `start` on, encoded once for all who are told the same."""
        if start not in self._frames:
            self._frames[start] = self.write(start)
        return self._frames[start]

    def write(self, start: int, **more: str) -> str:
        return frames.write(
            "delta",
            room=self.room,
            message=self.message,
            attempt=self.attempt,
            offset=start,
            text=self.text[start:],
            **more,
        )

    def _begin(self, attempt: int) -> None:
        self.attempt, self.text, self.typeset = attempt, "", ""
        self._ahead.clear()
        self._frames.clear()

    def _keep(self, offset: int, text: str) -> None:
        if len(text) > len(self._ahead.get(offset, "")):
            self._ahead[offset] = text
        if len(self._ahead) > MOST_AHEAD:
            del self._ahead[min(self._ahead)]

    def _append(self, offset: int, text: str) -> None:
        new = text[len(self.text) - offset :]
        if new:
            self.text += new
            self._frames.clear()
