"""What is said of what was said in side-bars."""

from __future__ import annotations

import re
from collections.abc import Iterable

from messages.models import Message

MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~@:])")
"""What could mean something to Markdown in a name, or call somebody."""


DRAFT = (
    "@{handle} Draft the conclusion of this side-bar, for those who were not here: what was "
    "decided and why, and what is still open. Answer with its text alone."
)
"""What people have a robot asked that shall draft a conclusion."""


def digest(messages: Iterable[Message]) -> str:
    """Who said what, as Markdown quotes, in their order."""
    return "\n\n".join(f"**{_plain(m.author.name)}**\n{_quoted(m.body)}" for m in messages)


def _plain(name: str) -> str:
    return MARKUP.sub(r"\\\1", " ".join(name.split()))


def _quoted(body: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in body.strip().splitlines())
