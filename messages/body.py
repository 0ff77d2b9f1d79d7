"""What a message may say, and how it is shown. Done before any lock is taken."""

from django.conf import settings
from django.utils.html import escape

from accounts.errors import Invalid
from messages import markdown


def compose(body: str, *, blank: bool = False) -> markdown.Rendered:
    """Check a message's source and render it. `blank` allows nothing at all (with a file).

    Raises Invalid: too long (in code points), empty, or with characters no text has.
    """
    longest = settings.CHAT_MESSAGE_MAX_LENGTH
    if len(body) > longest:
        raise _wrong(f"A message has at most {longest} characters; this one has {len(body)}.")
    if not blank and not body.strip():
        raise _wrong("Write something first.")
    if "\0" in body or not _is_text(body):
        raise _wrong("This holds characters that are not text.")
    return markdown.render(body)


def plain(body: str) -> markdown.Rendered:
    """A sentence of the system: names in it are shown as they are, and summon nobody."""
    return markdown.Rendered(f"<p>{escape(body)}</p>\n", frozenset())


def _is_text(body: str) -> bool:
    try:
        body.encode()
    except UnicodeEncodeError:
        return False
    return True


def _wrong(sentence: str) -> Invalid:
    return Invalid(sentence, details={"body": [sentence]})
