"""What a search shows of a message: some of its text, and where in it the words stand.

In parts, never as HTML: whoever shows them puts the marks, and nothing that was written is markup.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypedDict

from messages.markdown import plain_text
from messages.search_query import Phrase
from messages.words import places

BEFORE, LENGTH = 80, 400
"""Characters of the source shown before the first word that matches, and in all."""


class Part(TypedDict):
    text: str
    match: bool


def highlight(source: str, phrases: Sequence[Phrase]) -> list[Part]:
    """Some of a message's Markdown as plain text, from a little before the first match on."""
    first = next(_ranges(source, phrases), (0, 0))[0]
    begin = _begin_of_word(source, max(0, first - BEFORE))
    text = plain_text(source[begin : begin + LENGTH])
    if begin:
        text = f"…{text}"
    if begin + LENGTH < len(source):
        text = f"{text}…"
    return marked(text, phrases)


def marked(text: str, phrases: Sequence[Phrase]) -> list[Part]:
    """All of a text, parted where the phrases stand."""
    return _parted(text, _joined(_ranges(text, phrases)))


def _begin_of_word(source: str, at: int) -> int:
    """Of the next word after `at`, where there is one soon."""
    space = source.find(" ", at, at + BEFORE // 2)
    return space + 1 if at and space >= 0 else at


def _ranges(text: str, phrases: Sequence[Phrase]) -> Iterator[tuple[int, int]]:
    """Where any of the phrases stands, by where it begins."""
    begun = defaultdict(list)
    for phrase in phrases:
        if not phrase.negated:
            begun["" if phrase.is_beginning else phrase.words[0]].append(phrase)
    if not begun:
        return
    longest = max(len(phrase.words) for phrase in phrases)
    words = places(text)  # read no further than asked: often only the first match is wanted
    ahead = deque(islice(words, longest))
    while ahead:
        word, begin, _ = ahead[0]
        for phrase in (*begun.get(word, ()), *begun.get("", ())):
            there = list(islice(ahead, len(phrase.words)))
            if _stands(phrase, [word for word, _, _ in there]):
                yield begin, there[-1][2]
        ahead.popleft()
        ahead.extend(islice(words, 1))


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that overlap as one."""
    joined: list[tuple[int, int]] = []
    for begin, end in ranges:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def _stands(phrase: Phrase, words: Sequence[str]) -> bool:
    *rest, last = phrase.words
    if list(words[:-1]) != rest:
        return False
    return words[-1].startswith(last) if phrase.prefix else words[-1] == last


def _parted(text: str, ranges: Sequence[tuple[int, int]]) -> list[Part]:
    parts, done = [], 0
    for begin, end in ranges:
        parts.append(Part(text=text[done:begin], match=False))
        parts.append(Part(text=text[begin:end], match=True))
        done = end
    parts.append(Part(text=text[done:], match=False))
    return [part for part in parts if part["text"]]
