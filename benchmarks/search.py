"""Searches of every kind among the words of `million.py`, each time for other words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

from django.utils import timezone


def kinds(
    random: Random, words: list[str], *, people: int, room: str
) -> dict[str, Callable[[], str]]:
    """`people` are called p0, p1 …; `room` is one that the searcher is in."""

    def among(first: int, last: int) -> Callable[[], str]:
        return lambda: random.choice(words[first:last])

    def day(ago: int) -> str:
        return (timezone.now() - timedelta(ago + random.randrange(20))).date().isoformat()

    frequent, usual, rare = among(0, 10), among(300, 1_000), among(20_000, 60_000)
    person = lambda: f"p{random.randrange(people)}"  # noqa: E731
    return {
        "a frequent word": lambda: f'"{frequent()}"',
        "a frequent word, which may go on": frequent,
        "a usual word": usual,
        "a rare word": rare,
        "the beginning of words": lambda: usual()[:3],
        "two usual words": lambda: f"{usual()} {usual()}",
        "two frequent words next to each other": lambda: f'"{frequent()} {frequent()}"',
        "a frequent word, not another": lambda: f"{frequent()} -{frequent()}",
        "what nobody said": lambda: "xyzzy" + rare(),
        "from: alone": lambda: f"from:{person()}",
        "from: and a frequent word": lambda: f"from:{person()} {frequent()}",
        "in: and a usual word": lambda: f'in:"{room}" {usual()}',
        "has:file and a usual word": lambda: f"has:file {usual()}",
        "before: (long ago) and a frequent word": lambda: f"before:{day(700)} {frequent()}",
        "after: and a usual word": lambda: f"after:{day(30)} {usual()}",
    }
