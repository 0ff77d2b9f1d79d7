"""How what was said is put to a model: who said it, what hangs on it, and cut where it is long."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Literal, NamedTuple

from django.db import models

from accounts.models import User
from messages.models import Attachment, Message
from robots import tokens
from robots.llm import ChatMessage
from robots.models.robot import Robot

CUT = " […]"
CUT_AWAY = "[…] "
OVERHEAD = 6
"""Tokens that a line costs besides its text, at most: its turn, or what parts it from others."""

LETTERS = 8
"""More than a token has, but for blanks: a bound on where a cut is looked for."""

_SPEAKER = re.compile(r"(\(@[^\n)]{1,40}\)):")
_NOT_IN_NAMES = re.compile(r"[\s()\[\]@:]+")


class Line(NamedTuple):
    """Something a model is told."""

    role: Literal["user", "assistant"]
    text: str
    pk: int = 0
    """Of the message it is."""

    @property
    def cost(self) -> int:
        """Tokens, at most."""
        return tokens.count(self.text) + OVERHEAD

    @property
    def at_most(self) -> int:
        """The same without counting: no less."""
        return tokens.at_most(self.text) + OVERHEAD


class Said(NamedTuple):
    """A message, as far as it is told."""

    pk: int
    author: int
    name: str
    handle: str
    body: str
    reply_to: int | None
    files: Sequence[str]
    """In words."""

    @property
    def speaker(self) -> str:
        return _speaker(self.name, self.handle)


COLUMNS = ("pk", "author", "author__name", "author__handle", "body", "reply_to", "file_names")
"""Of messages, as `said` has them. Rows rather than models: many are read for each answer."""


def read(messages: models.QuerySet[Message]) -> list[Said]:
    return said(messages.values_list(*COLUMNS))


def said(rows: Iterable[tuple[Any, ...]]) -> list[Said]:
    """One statement more where something was attached."""
    rows = list(rows)
    files = _files([row[0] for row in rows if row[-1]])
    return [Said._make([*row[:-1], files[row[0]]]) for row in rows]


def _files(messages: Sequence[int]) -> defaultdict[int, list[str]]:
    """In words, by message; of any other message none."""
    files: defaultdict[int, list[str]] = defaultdict(list)
    attached = Attachment.objects.filter(message__in=messages)
    for message, name, kind in attached.values_list("message", "name", "type") if messages else ():
        files[message].append(f"[file: {name}, {kind}]")
    return files


def read_one(messages: models.QuerySet[Message], pk: int) -> Said | None:
    """That one, if it is among them."""
    return next(iter(read(messages.filter(pk=pk))), None)


def tell(messages: Iterable[Said], robot: Robot | None, *, longest: int) -> Iterator[Line]:
    """A line for each message, none costing more than `longest`; `robot` is who is told."""
    for message in messages:
        said = "\n".join(part for part in (message.body, *message.files) if part)
        if robot is not None and message.author == robot.user_id:
            yield Line("assistant", cut(said, longest - OVERHEAD), message.pk)
        else:
            said = f"{message.speaker}: {unmistakable(said)}"
            yield Line("user", cut(said, longest - OVERHEAD), message.pk)


def fitting(lines: Iterable[Line], most: int) -> tuple[list[Line], bool]:
    """As many as cost no more than `most`, in the opposite order, and whether that is all.

    Tokens are counted where their number may decide: most conversations fit by far.
    """
    taken: list[Line] = []
    uncounted: list[Line] = []
    for line in lines:
        most -= line.at_most
        uncounted.append(line)
        if most < 0:
            most += sum(one.at_most - one.cost for one in uncounted)
            uncounted = []
        if most < 0:
            return taken[::-1], False
        taken.append(line)
    return taken[::-1], True


def joined(lines: Iterable[Line]) -> Iterator[ChatMessage]:
    """In turns: some models refuse two messages of one role in a row."""
    for role, some in groupby(lines, key=lambda line: line.role):
        yield {"role": role, "content": "\n\n".join(line.text for line in some)}


def name_of(user: User) -> str:
    """Their name and handle, in a form that no name can imitate."""
    return _speaker(user.name, user.handle)


def _speaker(name: str, handle: str) -> str:
    return f"{_NOT_IN_NAMES.sub(' ', name).strip()} (@{handle})"


def unmistakable(text: str) -> str:
    """Changed a little wherever it looks as if somebody else began to speak.

    Not at the beginnings of lines alone: models know more of those than a pattern would.
    """
    return _SPEAKER.sub(r"\1 :", text)


def cut(text: str, most: int) -> str:
    """Its beginning, marked, where it has more tokens than `most`."""
    return _cut(text, most, lambda size: text[:size] + CUT)


def cut_away(text: str, most: int) -> str:
    """Its end, likewise."""
    return _cut(text, most, lambda size: CUT_AWAY + text[len(text) - size :])


def _cut(text: str, most: int, keeping: Callable[[int], str]) -> str:
    if tokens.at_most(text) <= most or tokens.count(text) <= most:
        return text
    fits, too_long = 0, min(len(text), most * LETTERS)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if tokens.count(keeping(middle)) <= most:
            fits = middle
        else:
            too_long = middle
    return keeping(fits) if fits else ""
