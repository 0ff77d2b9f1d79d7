"""How many tokens a text is, about, for any model, without asking or downloading anything.

Each family of models cuts text in its own way, and the vocabularies are megabytes. What is
counted here is how the older ones cut (cl100k, of GPT-4 and near to Claude's), and a little
more: newer ones need up to a third less, most so outside of English. Too high a number leaves some
of a context window unused and of a budget unspent; too low a one has the provider refuse.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from math import ceil

MESSAGE = 4
"""Tokens that surround each message; three more begin the answer."""

OF_A_BYTE = 1.05
"""Tokens, at most: a word of one letter. Of what costs more a character, there are more bytes."""

ALIKE = 16
"""Blanks of one kind that are a token, at least: so many tabs, and more spaces."""

_PIECES = re.compile(
    r"(?P<word>[A-Za-z]+)|(?P<digits>[ ]?[0-9]+)|(?P<marks>[!-/:-@\[-`{-~]+)"
    r"|(?P<space>[ \t]*(?:\r?\n[ \t]*)+|[ \t]{2,})|(?P<odd>(?:[\x00-\x08\x0b-\x1f\x7f] ?)+)"
    r"|(?P<other>[^\x00-\x7f]+)"
)


def count(text: str) -> int:
    """At least what most models make of `text`, and seldom half as much again."""
    return ceil(sum(_weight(piece) for piece in _PIECES.finditer(text)))


def at_most(text: str) -> int:
    """No less than its `count`, without looking at it: of ordinary words four times as much."""
    return ceil(OF_A_BYTE * len(text.encode()))


def count_messages(messages: Iterable[Mapping[str, object]]) -> int:
    """Of a whole conversation, as it is sent."""
    return sum(MESSAGE + count(str(message["content"])) for message in messages) + 3


def _weight(piece: re.Match[str]) -> float:
    length = piece.end() - piece.start()
    match piece.lastgroup:
        case "word":
            # Common words are one; long ones are cut, those of other languages than English more.
            return 1.05 + max(0, length - 4) / 3.6
        case "digits":
            # In threes; a space before a number stands alone, before a word it does not.
            return 1 + ceil((length - 1) / 3) if piece.group()[0] == " " else ceil(length / 3)
        case "marks":
            return 1 + (length - 1) / 2
        case "space":
            return _weight_of_blanks(piece.group())
        case "other":
            return _weight_of_bytes(piece.group())
    return length  # control characters are in no vocabulary but by themselves


def _weight_of_blanks(text: str) -> float:
    """A line's end with the indentation after it is one, as are many alike; a mixture is not."""
    changes = sum(1 for one, other in pairwise(text) if one != other)
    return max(1, changes / 2) + len(text) // ALIKE


def _weight_of_bytes(text: str) -> float:
    """Scripts but Latin are cut into characters, and rarer characters into their bytes."""
    size = len(text.encode())
    rare = sum(1 for letter in text if letter > "\uffff")
    wide = sum(1 for letter in text if "\u07ff" < letter <= "\uffff")
    blank = sum(1 for letter in text if letter > "\u07ff" and letter.isspace())
    return (size - 4 * rare - 3 * wide) / 2 * 0.85 + wide * 1.35 + blank * 0.65 + rare * 3
