"""What is an emoji: under a message as a reaction, before the words of a status."""

import unicodedata

from accounts.errors import Invalid

LONGEST = 16
"""Code points: a family with skin tones takes eleven."""

NOT_EMOJI = frozenset({"L", "Z"})
NOT_TEXT = frozenset({"Cc", "Cs", "Co", "Cn"})
PICTURES = frozenset({"So", "Sk", "Me"})
"""Something is seen: a symbol, a skin tone or the frame of a key."""


def _shows(char: str) -> bool:
    """Whether it is seen, or joins what is: nothing else that cannot be seen."""
    return _category(char) != "Cf" or char == "\u200d" or "\U000e0020" <= char <= "\U000e007f"


def _category(char: str) -> str:
    """Unicode's, but for what is reserved for pictures: phones know newer ones than Python does."""
    category = unicodedata.category(char)
    return "So" if "\U0001f000" <= char <= "\U0001faff" and category == "Cn" else category


def checked_emoji(emoji: str) -> str:
    """The emoji, if it can be one: neither words nor plain ASCII. Raises Invalid."""
    categories = {_category(char) for char in emoji}
    wordlike = {category[0] for category in categories} & NOT_EMOJI or categories & NOT_TEXT
    pictured = categories & PICTURES and all(map(_shows, emoji))
    if len(emoji) > LONGEST or emoji.isascii() or wordlike or not pictured:
        raise Invalid(details={"emoji": ["Choose an emoji."]})
    return emoji
