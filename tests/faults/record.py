"""What stands in the database, read past the code that wrote it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from tests.faults.house import House

OVER = {"done", "stopped", "failed", "declined"}


@dataclass
class Row:
    """A message."""

    id: int
    room: int
    author: int
    client_id: str
    revision: int
    version: int
    status: str
    body: str
    audience: str
    to: list[int]
    reply_to: int | None

    def is_for(self, user: int) -> bool:
        """The rule of team rooms, written once more."""
        return self.audience == "everyone" or user == self.author or user in self.to


@dataclass
class Reply:
    question: int
    message: int | None
    state: str
    attempt: int
    error: str


@dataclass
class Rows:
    rooms: dict[int, int] = field(default_factory=dict)
    """How many changes each has counted."""
    messages: list[Row] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)


MESSAGES = """
SELECT
    id, room_id, author_id, client_id, revision, version, status, body, audience, "to", reply_to_id
FROM chat_messages_message WHERE room_id IN ({rooms}) ORDER BY id
"""
REPLIES = """
SELECT question_id, message_id, state, attempt, error_code
FROM robots_reply WHERE room_id IN ({rooms}) ORDER BY id
"""
ROOMS = "SELECT id, revision FROM rooms_room WHERE id IN ({rooms})"
UNFINISHED = """
SELECT count(*) FROM robots_reply WHERE room_id IN ({rooms})
AND state NOT IN ('done', 'stopped', 'failed', 'declined')
"""


class Record:
    """Of some rooms of a house."""

    def __init__(self, house: House, rooms: list[int]) -> None:
        self._url = house.environment["DATABASE_URL"]
        self._file = house.folder / "chat.sqlite3"
        self._rooms = ", ".join(map(str, rooms))

    def read(self) -> Rows:
        messages, replies, rooms = self._ask(MESSAGES, REPLIES, ROOMS)
        return Rows(
            rooms=dict(rooms),
            messages=[_row(*values) for values in messages],
            replies=[Reply(*values) for values in replies],
        )

    def unfinished(self) -> int:
        """How many answers are not over."""
        return int(self._ask(UNFINISHED)[0][0][0])

    def _ask(self, *questions: str) -> list[list[Any]]:
        """The answers belong to one moment."""
        asked = [question.format(rooms=self._rooms) for question in questions]
        if self._url:
            with psycopg.connect(self._url) as server:
                server.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                return [server.execute(one.encode()).fetchall() for one in asked]
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)) as file:
            file.execute("BEGIN")
            return [file.execute(one).fetchall() for one in asked]


def _row(id: int, room: int, author: int, client_id: Any, *rest: Any) -> Row:
    revision, version, status, body, audience, to, reply_to = rest
    known = str(client_id if isinstance(client_id, UUID) else UUID(client_id)) if client_id else ""
    to = json.loads(to) if isinstance(to, str) else to
    return Row(id, room, author, known, revision, version, status, body, audience, to, reply_to)
