"""Words as search compares them: without case, accents and punctuation, in any script.

One rule on both databases: SQLite asks this function, PostgreSQL has it in SQL, made of the same
pieces (`messages.search_index`). Where a script puts no space between words, each sign is a word,
so that anything is found that stands together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from unicodedata import normalize

# Of Latin, Greek and Cyrillic, of Hebrew, of Arabic; and what only says how a sign is drawn.
ACCENTS = (
    r"\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    r"\u0610-\u061a\u064b-\u065f\u0670\ufe00-\ufe0f"
)
# All that is no letter, sign or number and that people type, after compatibility decomposition.
SEPARATORS = (
    r"\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u00d7\u00f7\u055a-\u055f\u0589\u058a"
    r"\u05be\u05c0\u05c3\u05c6\u05f3\u05f4\u060c\u060d\u061b-\u061f\u066a-\u066d\u06d4\u0964\u0965"
    r"\u0e2f\u0e3f\u0e4f\u0e5a\u0e5b\u0f04-\u0f14\u104a-\u104f\u1361-\u1368\u1680\u17d4-\u17da"
    r"\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030"
    r"\u303d-\u303f\u30fb\ufe10-\ufe6f\ufff0-\uffff\U0001f000-\U0001faff"
)
# Thai and Lao, Burmese, Khmer, kana, Han.
UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff"
    r"\uf900-\ufaff\U00020000-\U0003ffff"
)
# Letters that no decomposition takes apart, and what people type who do not have them.
LETTERS = {"ø": "o", "đ": "d", "ł": "l", "ı": "i", "ς": "σ", "ß": "ss", "æ": "ae", "œ": "oe"}

_accents = re.compile(f"[{ACCENTS}]")
_separators = re.compile(f"[{SEPARATORS}]+")
_unspaced = re.compile(f"([{UNSPACED}])")
_letters = str.maketrans(LETTERS)
_ascii = str.maketrans({chr(n): " " for n in range(128) if not chr(n).isalnum()})


def fold(text: str) -> str:
    """The words of a text, with spaces between them."""
    if text.isascii():
        return text.lower().translate(_ascii)
    text = _accents.sub("", normalize("NFKD", text).lower())
    text = normalize("NFC", text.translate(_letters))
    return _unspaced.sub(r" \1 ", _separators.sub(" ", text))


def stands_alone(word: str) -> bool:
    """Whether it is a sign of a script without spaces, which no longer word begins with."""
    return _unspaced.match(word) is not None


def places(text: str) -> Iterator[tuple[str, int, int]]:
    """Its words, each with where it begins and ends in the text."""
    word, begin = "", 0
    for at, sign in enumerate(text):
        folded = _fold_sign(sign)
        if " " not in folded:
            begin = begin if word else at
            word += folded
            continue
        if word:
            yield word, begin, at
        word = ""
        for part in folded.split():
            yield part, at, at + 1
    if word:
        yield word, begin, len(text)


@lru_cache(maxsize=4_096)
def _fold_sign(sign: str) -> str:
    return fold(sign)
