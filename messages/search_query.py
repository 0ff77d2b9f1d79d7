"""What somebody typed into a search, read: words, "phrases", -these and operators."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from accounts.errors import Invalid
from messages.words import fold, stands_alone

LONGEST = 500
"""Characters."""
MOST_PARTS = 40
OPERATORS = ("from", "in", "before", "after", "has")
PREFIX_BYTES = 3
"""From three Latin letters on, or one of another script, a word may go on. What begins with less
is half of everything, and takes as long."""

_PART = re.compile(
    r"""(?P<minus>-)?
    (?:(?P<name>[A-Za-z]+):(?![/:\s]|$))?
    (?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]+)|(?P<stray>"))""",
    re.VERBOSE,
)
QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
_DAYS = {"today": 0, "yesterday": 1}


@dataclass(frozen=True)
class Phrase:
    """Words that stand next to each other, often one alone; of a `prefix` the last may go on."""

    words: tuple[str, ...]
    negated: bool = False
    prefix: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def is_beginning(self) -> bool:
        """Of one word that may go on."""
        return self.prefix and len(self.words) == 1


@dataclass(frozen=True)
class Filter:
    """`from:ada`, or `-from:ada`."""

    name: str
    value: str
    negated: bool = False
    at: tuple[int, int] = (0, 0)
    """Where it stands in the text."""

    def __str__(self) -> str:
        value = f'"{self.value}"' if re.search(r"\s|^[/:]", self.value) else self.value
        return f"{'-' * self.negated}{self.name}:{value}"


@dataclass(frozen=True)
class Query:
    text: str
    phrases: list[Phrase] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    since: datetime | None = None
    until: datetime | None = None

    def without(self, one: Filter) -> str:
        """What to ask to have it without this filter."""
        begin, end = one.at
        return " ".join((self.text[:begin] + self.text[end:]).split())

    def narrowed(self, name: str, value: str) -> str:
        """What to ask to have it with one filter more."""
        return f"{self.text} {Filter(name, value)}"

    def values(self, name: str, *, negated: bool = False) -> list[str]:
        """What its filters of this name say."""
        return [f.value for f in self.filters if f.name == name and f.negated == negated]


def read(text: str) -> Query:
    """Raises Invalid, by the field `q`, with a sentence that says what to write instead."""
    text = text.translate(QUOTES).strip()
    if len(text) > LONGEST:
        raise wrong(f"Search for less at once: at most {LONGEST} characters.")
    if not _is_text(text):
        raise wrong("This holds characters that are not text.")
    phrases: list[Phrase] = []
    filters: list[Filter] = []
    last = None
    for part in _parts(text):
        negated = bool(part["minus"])
        value = part["bare"] if part["quoted"] is None else part["quoted"]
        if part["name"]:
            filters.append(_filter(part["name"].lower(), value, negated, part.span()))
            continue
        _must_be_no_empty_operator(value, bare=bool(part["bare"]))
        if words := tuple(fold(value).split()):
            last = len(phrases) if part["bare"] and not negated else last
            phrases.append(Phrase(words, negated))
    if not phrases and not filters:
        raise wrong("Say what to look for: words, or an operator such as from:ada.")
    if last is not None:
        phrases[last] = _going_on(phrases[last])
    return Query(text, list(dict.fromkeys(phrases)), filters, *_bounds(filters))


def wrong(sentence: str) -> Invalid:
    return Invalid(sentence, details={"q": [sentence]})


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _parts(text: str) -> list[re.Match[str]]:
    found = list(_PART.finditer(text))
    if len(found) > MOST_PARTS:
        raise wrong(f"Search for less at once: at most {MOST_PARTS} words and operators.")
    if any(part["stray"] for part in found):
        raise wrong("A quotation mark is opened and not closed.")
    return found


def _filter(name: str, value: str, negated: bool, at: tuple[int, int]) -> Filter:
    if name not in OPERATORS:
        known = ", ".join(f"{known}:" for known in OPERATORS)
        raise wrong(f"There is no “{name}:”. There are {known}. Put it in quotes to look for it.")
    value = value.strip()
    if not value:
        raise _missing(name)
    if name == "has" and value.lower() not in ("file", "files"):
        raise wrong("“has:” takes “file” alone.")
    if name in ("before", "after"):
        if negated:
            raise wrong(f"“-{name}:” does not go. Use “{_OTHER[name]}:”.")
        _day(name, value)
    return Filter(name, value, negated, at)


_OTHER = {"before": "after", "after": "before"}
_EXAMPLES = {
    "from": "from:ada",
    "in": "in:lounge",
    "before": "before:2026-01-31",
    "after": "after:2026-01-31",
    "has": "has:file",
}


def _must_be_no_empty_operator(value: str, *, bare: bool) -> None:
    name = value.removesuffix(":").lower()
    if bare and value.endswith(":") and name in OPERATORS:
        raise _missing(name)


def _missing(name: str) -> Invalid:
    return wrong(f"“{name}:” wants something right after it: {_EXAMPLES[name]}")


def _going_on(phrase: Phrase) -> Phrase:
    last = phrase.words[-1]
    goes_on = len(last.encode()) >= PREFIX_BYTES and not stands_alone(last)
    return Phrase(phrase.words, prefix=goes_on)


def _bounds(filters: list[Filter]) -> tuple[datetime | None, datetime | None]:
    """From when on, and until before when. The days that are named lie outside."""
    afters = [_day(f.name, f.value) for f in filters if f.name == "after"]
    befores = [_day(f.name, f.value) for f in filters if f.name == "before"]
    since = _midnight(max(afters), days=1) if afters else None
    return since, _midnight(min(befores)) if befores else None


def _day(name: str, value: str) -> date:
    if value.lower() in _DAYS:
        return timezone.now().date() - timedelta(_DAYS[value.lower()])
    try:
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        sentence = f"“{name}:” takes a day, such as {_EXAMPLES[name]}, today or yesterday."
        raise wrong(sentence) from None


def _midnight(day: date, *, days: int = 0) -> datetime:
    """With which the day begins in UTC, or one so many days later; at most the last there is."""
    try:
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
