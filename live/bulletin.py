"""Messages of one room on their way to its seats, encoded once for all who see the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from accounts.errors import DomainError
from live import frames
from live.wire import Frame
from messages import cursor
from messages.audience import Audience, Reader
from messages.encoding import Encoded, encode
from messages.models import Attachment, Message, Reaction
from messages.rendering import article
from rooms.modes import Role
from rooms.signals import Event

CHUNK = 32
"""Messages in one frame, at most."""

CHUNK_BYTES = 256 * 1024
"""Bytes of them, but for a single longer one: clients are known to refuse frames of a megabyte."""


CARRIED_BYTES = 16 * 1024
"""Of a bulletin that other processes are given as it is; a longer one they read themselves."""


class Shown(NamedTuple):
    """What a reader is shown of one message: which it is, and which of its quotes."""

    place: int
    reply_to: bool
    shared_from: bool


View = tuple[Shown, ...]


class Bulletin:
    """What happened in `room` after revision `start`, up to and with `end`."""

    def __init__(
        self,
        room: int,
        messages: Sequence[Message],
        *,
        start: int,
        end: int,
        people_revision: int,
        files: Mapping[int, Sequence[Attachment]],
        reactions: Mapping[int, Sequence[Reaction]] | None = None,
        origins: Mapping[int, Collection[int]] | None = None,
    ) -> None:
        """`origins`: who may see what was shared, by the id of the original."""
        self.room = room
        self.messages = messages
        self.start = start
        self.end = end
        self.people_revision = people_revision
        self.files = files
        self.reactions = reactions or {}
        self.origins = origins or {}
        self.known: int | None = None
        """The newest message that was handed on before this."""
        self._parts: dict[tuple[Shown, bool], bytes] = {}
        self._frames: dict[tuple[View | None, bool], list[str]] = {}
        self.has_streaming = any(m.status == Message.Status.STREAMING for m in messages)
        self.is_plain = all(
            message.audience == "everyone"
            and not message.reply_to_id
            and not message.shared_from_id
            for message in messages
        )

    def carried(self) -> list[Any] | None:
        """It for other processes, or None where they must read it: of what not everybody may see,
        and of quotes and files, more must be known than what is shown.
        """
        more = self.files or self.has_streaming or any(m.data for m in self.messages)
        if more or not self.is_plain:
            return None
        parts = [self._part(shown, html=False) for shown in self.whole]
        if sum(map(len, parts)) > CARRIED_BYTES:
            return None
        rows = [
            [message.pk, message.revision, message.author_id, part]
            for message, part in zip(self.messages, parts, strict=True)
        ]
        return [self.room, self.start, self.end, self.people_revision, rows]

    @classmethod
    def heard(cls, carried: Sequence[Any]) -> Bulletin:
        """What another process `carried`."""
        room, start, end, people_revision, rows = carried
        messages = [_heard(room, *row) for row in rows]
        return cls(room, messages, start=start, end=end, people_revision=people_revision, files={})

    def view_of(self, reader: Reader) -> View:
        """Which of the messages, and of their quotes, this reader may see."""
        if self.is_plain and not reader.history_from:
            return self.whole
        return tuple(
            Shown(place, self._sees_reply(reader, message), self._sees_origin(reader, message))
            for place, message in enumerate(self.messages)
            if reader.sees(message)
        )

    def later(self, view: View, *, than: int) -> View:
        """What of a view came after a revision."""
        return tuple(shown for shown in view if self.messages[shown.place].revision > than)

    def shown(self, view: View) -> Iterable[Message]:
        return (self.messages[shown.place] for shown in view)

    @cached_property
    def whole(self) -> View:
        return tuple(Shown(place, False, False) for place in range(len(self.messages)))

    def frames(self, view: View, *, html: bool) -> list[str]:
        """The frames that hand a view on: `messages` in chunks, then `room` where people change."""
        # Most seats are shown all of it: their view need not be hashed a thousand times.
        key = (None if view is self.whole else view, html)
        if key not in self._frames:
            self._frames[key] = [*self._messages(view, html=html), *self._news(view)]
        return self._frames[key]

    def departures(self) -> dict[int, str]:
        """Who left or was removed, by user."""
        return {
            person["id"]: message.data["event"]
            for message in self.messages
            if message.data.get("event") in (Event.LEFT, Event.REMOVED)
            for person in message.data["people"]
        }

    def _sees_reply(self, reader: Reader, message: Message) -> bool:
        original = message.reply_to if message.reply_to_id else None
        return original is not None and reader.sees(original)

    def _sees_origin(self, reader: Reader, message: Message) -> bool:
        return reader.user in self.origins.get(message.shared_from_id or 0, ())

    def _messages(self, view: View, *, html: bool) -> Iterable[str]:
        parts = self.parts(view, html=html)
        revisions = [self.messages[shown.place].revision for shown in view]
        yield from messages_frames(self.room, parts, [*revisions[:-1], self.end])

    def parts(self, view: View, *, html: bool) -> list[bytes]:
        """The messages of a view, each encoded once for all who are shown the same of it."""
        return [self._part(shown, html=html) for shown in view]

    def _part(self, shown: Shown, *, html: bool) -> bytes:
        key = (shown, html)
        if key not in self._parts:
            self._parts[key] = self._make_part(shown, html=html)
        return self._parts[key]

    def _make_part(self, shown: Shown, *, html: bool) -> bytes:
        message = self.messages[shown.place]
        if shown.reply_to or shown.shared_from:
            return orjson.dumps(with_article(self.encoded(shown), html=html))
        if message.as_told is None:
            message.as_told = orjson.dumps(self.encoded(shown))
        if html:
            return orjson.dumps(with_article(orjson.loads(message.as_told), html=True))
        return message.as_told

    def encoded(self, shown: Shown) -> Encoded:
        message = self.messages[shown.place]
        return encode(
            message,
            files=self.files.get(message.pk, ()),
            reactions=self.reactions.get(message.pk, ()),
            reply_to=shown.reply_to,
            shared_from=shown.shared_from,
        )

    def _news(self, view: View) -> Iterable[str]:
        """`room` frames of the new notes among the messages: what changed, and of whom.

        An old note that somebody reacted to is no news.
        """
        for shown in view:
            message = self.messages[shown.place]
            if "changed" in message.data and self._is_new(message):
                yield room_frame(self.room, message.data)

    def _is_new(self, message: Message) -> bool:
        return message.version == 1 or (self.known is not None and message.pk > self.known)


def _heard(room: int, pk: int, revision: int, author: int, as_told: bytes) -> Message:
    """Just what carrying takes for granted, and what it brings: nothing else is known of it."""
    known = {
        "id": pk,
        "room_id": room,
        "author_id": author,
        "status": Message.Status.COMPLETE.value,
        "audience": Audience.EVERYONE.value,
        "to": [],
        "data": {},
        "reply_to_id": None,
        "shared_from_id": None,
        "revision": revision,
        "version": 1,
    }
    # Django gives values to the fields of the model in its order, whatever names stand beside them.
    names = [f.attname for f in Message._meta.concrete_fields if f.attname in known]
    message = Message.from_db(None, names, [known[name] for name in names])
    message.as_told = as_told
    return message


def messages_frames(room: int, parts: Sequence[bytes], revisions: Sequence[int]) -> Iterable[str]:
    """Encoded messages in as few frames as their number and size allow.

    `revisions`: how far a client has come with each of them.
    """
    begin = size = 0
    for place, part in enumerate(parts):
        full = place - begin == CHUNK or size + len(part) > CHUNK_BYTES
        if full and place > begin:
            yield _messages_frame(room, parts[begin:place], revisions[place - 1])
            begin, size = place, 0
        size += len(part)
    if parts:
        yield _messages_frame(room, parts[begin:], revisions[-1])


def _messages_frame(room: int, parts: Sequence[bytes], revision: int) -> Frame:
    sealed = cursor.seal(room, revision).encode()
    head = b'{"type":"messages","room":%d,"messages":[' % room
    return Frame((head + b",".join(parts) + b'],"cursor":"' + sealed + b'"}').decode())


def room_frame(room: int, note: dict[str, Any]) -> str:
    """What a note's data means for those who show the room's people and settings."""
    persons = [person for person in note["people"] if person["role"] != Role.ROBOT]
    robots = [person for person in note["people"] if person["role"] == Role.ROBOT]
    about: dict[str, Any] = {"people": _news_of(note["event"], persons)}
    if robots or "robots" in note:
        about["robots"] = note.get("robots") or _news_of(note["event"], robots)
    changed = {name: value for name, value in note["changed"].items() if name != "role"}
    return frames.write("room", room=room, changed=changed, **about)


def _news_of(event: str, people: Sequence[Encoded]) -> dict[str, Sequence[Any]]:
    """What an event means for a list of people."""
    news: dict[str, Sequence[Any]] = {"added": [], "changed": [], "removed": []}
    if event in (Event.JOINED, Event.INVITED):
        news["added"] = people
    elif event in (Event.ROLE_CHANGED, Event.OWNER_CHANGED):
        news["changed"] = people
    elif event in (Event.LEFT, Event.REMOVED):
        news["removed"] = [person["id"] for person in people]
    return news


def with_article(encoded: Encoded, *, html: bool) -> Encoded:
    """The message with its rendered element, for pages."""
    return {**encoded, "article": article(encoded)} if html else encoded


def error_frame(problem: DomainError, about: Mapping[str, Any]) -> str:
    """`about` names what was refused: `client_id`, `room`."""
    error = problem.body()["error"]
    return frames.write("error", **error, **about)
