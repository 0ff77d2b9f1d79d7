"""Robots that need no network: they come with the project, and answer within the process."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING

from django.conf import settings

from live import database

if TYPE_CHECKING:
    from robots.llm import Call, ChatMessage, Passage

PASSAGES_MAX = 4
"""That the librarian finds, and quotes."""

PASSAGE_MAX = 600
"""Characters of each."""

NOTHING_FOUND = (
    "I found nothing about that in what all who read this may see: not in this room, and not in "
    "the knowledge articles."
)
NO_QUESTION = "Ask me something, and I look it up."
NO_SHELVES = "There is nothing here that I could look things up in."

_MENTIONS = re.compile(r"(?:@[\w.-]+[,:]?\s*)+")
_SPEAKER = re.compile(r"^[^\n]{0,120}\(@[^\n)]{1,40}\):[ ]?", re.MULTILINE)
"""How a line of what others said begins, `Ada (@ada): `; in what they said none begins so."""


async def parrot(call: Call) -> AsyncGenerator[str, None]:
    """What was said, word by word, at a pace that shows."""
    whole = question(call.messages) or "…"
    for word in re.findall(r"\s*\S+", whole.removeprefix(call.said)):
        yield word
        await asyncio.sleep(1 / settings.CHAT_PARROT_PACE)


async def librarian(call: Call) -> AsyncGenerator[str, None]:
    """What was found, quoted, with who said it and where."""
    asked = question(call.messages)
    if not asked or call.search is None:
        yield NO_SHELVES if call.search is None else NO_QUESTION
        return
    passages = (await database.run(call.search, asked))[:PASSAGES_MAX]
    if not passages:
        yield NOTHING_FOUND.removeprefix(call.said)
        return
    begin = "This is what I found:" if len(passages) > 1 else "I found this:"
    whole = "\n\n".join([begin, *map(_quoted, passages)])
    for piece in re.split(r"(?=\n\n)", whole.removeprefix(call.said)):
        yield piece
        await asyncio.sleep(0)


ROBOTS: dict[str, Callable[[Call], AsyncGenerator[str, None]]] = {
    "builtin/parrot": parrot,
    "builtin/librarian": librarian,
}


def question(messages: Sequence[ChatMessage]) -> str:
    """What was said last, without whom it was said by, and to."""
    said = [message["content"] for message in messages if message["role"] == "user"]
    text = _SPEAKER.split(said[-1])[-1].strip() if said else ""
    mentions = _MENTIONS.match(text)
    return text[mentions.end() :] if mentions else text


def _quoted(passage: Passage) -> str:
    text = passage.text.strip()
    if len(text) > PASSAGE_MAX:
        text = text[:PASSAGE_MAX].rsplit(maxsplit=1)[0] + " …"
    lines = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    return f"{lines}\n>\n> — {_linked(passage)}"


def _linked(passage: Passage) -> str:
    source = re.sub(r"([\\`*_\[\]<>@#!~|])", r"\\\1", " ".join(passage.source.split()))
    url = re.sub(r"[\s<>]", "", passage.url)
    return f"[{source}](<{url}>)" if url else source
