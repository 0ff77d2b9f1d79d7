"""What may stand under a message as a reaction."""

import unicodedata

from accounts.errors import Invalid

LONGEST = 16
"""Code points: a family with skin tones takes eleven."""

NOT_EMOJI = frozenset({"L", "Z"})
NOT_TEXT = frozenset({"Cc", "Cs", "Co", "Cn"})


def checked_emoji(emoji: str) -> str:
    """The emoji, if it can be one: neither words nor plain ASCII. Raises Invalid."""
    categories = {unicodedata.category(char) for char in emoji}
    wordlike = {category[0] for category in categories} & NOT_EMOJI or categories & NOT_TEXT
    if not emoji or len(emoji) > LONGEST or emoji.isascii() or wordlike:
        raise Invalid(details={"emoji": ["Choose an emoji."]})
    return emoji
