"""A message being written, as a robot's worker does it, and those who watch, strict as can be."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from accounts.models import User
from live import streams
from live.streams import Delta
from messages.models import Message
from messages.posting import Draft
from rooms.models import Room
from tests.live.client import Client, Frame

Publish = Callable[[list[Delta]], None]

WORDS = [
    "so ",
    "goes\n",
    "**on** ",
    "`a` ",
    "ünd ",
    "日本 ",
    "👩\u200d🚀 ",
    "𝒳",
    "\r\n",
    "@cleo ",
    "- x\n",
]


class Writer:
    """All of it is called in threads: it is the worker."""

    def __init__(self, room: Room, author: User, chance: random.Random, **how: Any) -> None:
        draft = Draft(room=room.pk, author=author, body="", attempt=1, data={"attempt": 1}, **how)
        self.message = Message.objects.post_all([draft])[0].message
        self.pk = self.message.pk
        self.chance = chance
        self.publish: Publish = streams.publish
        self.attempt = 1
        self.text = ""
        self.ended = False
        self.wholes = {1: ""}
        """What each attempt has come to say so far."""
        self._late: list[Delta] = []

    def write(self, pieces: int = 1) -> list[Delta]:
        """Some more text, and the deltas that tell of it."""
        room = Room.objects.get(pk=self.message.room_id)
        deltas = []
        for _ in range(pieces):
            piece = "".join(self.chance.choices(WORDS, k=self.chance.randint(1, 4)))
            deltas.append(self._delta(len(self.text), piece, room.people_revision))
            self.text += piece
            self.wholes[self.attempt] = self.text
        return deltas

    def tell(self, pieces: int = 1) -> None:
        self.publish(self.write(pieces))

    def tell_badly(self) -> None:
        """Some are lost, some come twice, some late, and in any order."""
        deltas = self._late + self.write(self.chance.randint(1, 4))
        self._late = [d for d in deltas if self.chance.random() < 0.2]
        told = [d for d in deltas if self.chance.random() < 0.7]
        told += [d for d in deltas if self.chance.random() < 0.2]
        if self.chance.random() < 0.3:
            self.chance.shuffle(told)
        self.publish(told)

    def checkpoint(self) -> None:
        rows = Message.objects.filter(pk=self.pk, status="streaming", attempt=self.attempt)
        rows.update(body=self.text)

    def finish(self, status: str = "complete") -> None:
        self._row().finish(self.text, {"attempt": self.attempt}, status=status)
        self.ended = True

    def begin_again(self, body: str) -> None:
        self.attempt += 1
        self.text = self.wholes[self.attempt] = body
        self._row().begin_again(body, {"attempt": self.attempt}, attempt=self.attempt)
        self.ended = False

    def react(self, emoji: str, by: User) -> None:
        self._row().react(emoji, by=by)

    def step(self, *, by: User) -> None:
        """Whatever may happen to it while it is written."""
        doing: list[Callable[[], None]] = [self.tell_badly] * 12 + [self.checkpoint] * 4
        doing += [lambda: self.react(self.chance.choice("👍👎🎉"), by)] * 2
        doing += [self._retry, self._go_on]
        self.chance.choice(doing)()

    def _retry(self) -> None:
        self.finish(self.chance.choice(["failed", "stopped"]))
        self.begin_again("")

    def _go_on(self) -> None:
        self.finish("failed")
        self.begin_again(self.text)

    def _row(self) -> Message:
        return Message.objects.get(pk=self.pk)

    def _delta(self, offset: int, text: str, people_revision: int) -> Delta:
        return Delta(
            room=self.message.room_id,
            message=self.pk,
            attempt=self.attempt,
            offset=offset,
            text=text,
            author=self.message.author_id,
            audience=self.message.audience,
            to=self.message.to,
            people_revision=people_revision,
        )


class Held(NamedTuple):
    """A message as a client has it."""

    version: int
    status: str
    attempt: int
    text: str
    is_shown: bool = True
    """Whether a frame of this socket showed it."""


class Written(Protocol):
    """What a watcher's messages are held against."""

    pk: int
    text: str
    ended: bool
    wholes: dict[int, str]


class Watcher:
    """A client that does what the contract says, and takes nothing that the contract forbids."""

    def __init__(
        self, user: User, room: int, connect: Callable[..., Awaitable[Client]], *writers: Written
    ) -> None:
        self.user = user
        self.room = room
        self.connect = connect
        self.writers = {writer.pk: writer for writer in writers}
        self.held: dict[int, Held] = {}
        self.cursor: str | None = None
        self.deltas = 0
        self.is_in = True
        self._taken = 0

    # What it does

    async def come(self, *, afresh: bool = True) -> None:
        self.client = await self.connect(self.user)
        self._taken = 0
        self.held = {pk: held._replace(is_shown=False) for pk, held in self.held.items()}
        await self.join(afresh=afresh)

    async def join(self, *, afresh: bool) -> None:
        cursor = {} if afresh or self.cursor is None else {"cursor": self.cursor}
        await self.client.send("join", room=self.room, **cursor)

    async def step(self, chance: random.Random) -> None:
        """Whatever clients do."""
        self.take()
        doing = chance.choice(["nothing"] * 3 + ["reconnect", "rejoin", "leave"])
        afresh = chance.random() < 0.4
        if doing == "reconnect":
            await self.client.disconnect()
            self.take()
            await self.come(afresh=afresh)
        elif doing == "rejoin":
            await self.join(afresh=afresh)
        elif doing == "leave":
            await self.client.send("leave", room=self.room)
            await self.join(afresh=afresh)

    async def until(self, condition: Callable[[], Any]) -> None:
        await self.client._wait(lambda: self.take() or condition())

    async def has_joined(self) -> None:
        """What is told from now on reaches it; deltas from before may not."""
        await self.until(lambda: self.client.of_type("joined"))

    async def holds(self, writer: Written, text: str) -> None:
        """So much of it has come."""
        await self.until(lambda: writer.pk in self.held and self.held[writer.pk].text == text)

    async def holds_all(self, writer: Written) -> None:
        """It has come to its end, and is as it is."""

        def whole() -> bool:
            held = self.held.get(writer.pk)
            ended = held is not None and held.status != "streaming"
            return held is not None and ended == writer.ended and held.text == writer.text

        await self.until(whole)

    def of_version(self, writer: Written, version: int) -> bool:
        """Whether a frame of this socket brought that version."""
        return any((m["id"], m["version"]) == (writer.pk, version) for m in self.client.messages)

    # What it takes

    def take(self) -> None:
        frames = self.client.frames
        for frame in frames[self._taken :]:
            self._apply(frame)
        self._taken = len(frames)

    def _apply(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind == "reset":
            self.held, self.cursor = {}, None
        elif kind == "left":
            self.is_in = False
        elif kind == "joined":
            self.held, self.cursor = {}, frame["cursor"]
            self._show(frame["messages"])
        elif kind == "messages":
            self.cursor = frame["cursor"]
            self._show(frame["messages"])
        elif kind == "synced":
            self.cursor = frame["cursor"]
        elif kind == "delta":
            self._add(frame)

    def _show(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            known = self.held.get(message["id"])
            if known is None or known.version <= message["version"]:
                self.held[message["id"]] = Held(
                    message["version"],
                    message["status"],
                    _attempt(message["data"]),
                    message["body"],
                )
                self._must_be_a_beginning(message["id"])

    def _add(self, frame: Frame) -> None:
        assert self.is_in, f"{self.user} is told of what is none of theirs any more: {frame}"
        held = self.held.get(frame["message"])
        assert held is not None, f"{self.user} was never shown it: {frame}"
        assert held.is_shown, f"No frame of this socket has shown it: {frame}"
        assert held.status == "streaming", f"It has ended: {frame}"
        assert held.attempt == frame["attempt"], (held, frame)
        if "html" in frame:
            assert frame["offset"] <= len(held.text), (held, frame)
        else:
            assert frame["offset"] == len(held.text), (held, frame)
            assert frame["text"]
        text = held.text[: frame["offset"]] + frame["text"]
        assert text.startswith(held.text), (held, frame)
        self.held[frame["message"]] = held._replace(text=text)
        self.deltas += 1
        self._must_be_a_beginning(frame["message"])

    def _must_be_a_beginning(self, pk: int) -> None:
        if pk in self.writers:
            held = self.held[pk]
            whole = self.writers[pk].wholes.get(held.attempt, "")  # deleted, it has none
            assert whole.startswith(held.text), (self.user, held, whole)


def _attempt(data: dict[str, Any]) -> int:
    """Of a robot, or of one of ours."""
    return data.get("reply", data).get("attempt", 0)
