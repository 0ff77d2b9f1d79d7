"""The text of many answers, left in the database while they are written: one statement for all.

It takes no lock of a room and no revision. What somebody else has locked is left for the next
time: its text ends just now, or the next checkpoint has it, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from messages.models import Message


class Checkpoint(NamedTuple):
    """The whole text of a message, by this attempt at writing it."""

    message: int
    attempt: int
    body: str


def keep(checkpoints: Sequence[Checkpoint]) -> None:
    """Write those of messages that are being written, in this attempt, and no others."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = [list(column) for column in zip(*checkpoints, strict=True)]
            cursor.execute(ON_POSTGRESQL, [*columns, Message.Status.STREAMING])
        else:
            cursor.execute(ON_SQLITE, [json.dumps(checkpoints), Message.Status.STREAMING])


# Whose row another transaction changes meanwhile, PostgreSQL asks again of that row alone: so the
# message's own columns must say that it is still being written, and by which attempt.
ON_POSTGRESQL = """
WITH free AS MATERIALIZED (
    SELECT m.id, c.attempt, c.body FROM chat_messages_message AS m
    JOIN unnest(%s::bigint[], %s::int[], %s::text[]) AS c(id, attempt, body)
        ON c.id = m.id AND c.attempt = m.attempt
    WHERE m.status = %s
    FOR NO KEY UPDATE OF m SKIP LOCKED
)
UPDATE chat_messages_message AS m SET body = free.body FROM free
WHERE m.id = free.id AND m.attempt = free.attempt AND m.status = 'streaming'
"""
ON_SQLITE = """
UPDATE chat_messages_message SET body = c.body
FROM (
    SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS attempt,
        json_extract(value, '$[2]') AS body
    FROM json_each(%s)
) AS c
WHERE chat_messages_message.id = c.id AND chat_messages_message.attempt = c.attempt
    AND chat_messages_message.status = %s
"""
