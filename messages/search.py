"""Searching what was said: among all that one may see, the newest first.

The newest first and not the best: in a chat the last word on a matter is the one that holds, a
reader knows where a list by time goes on and where it ends, and that is what Zulip, Mattermost and
Campfire do. It is also what a database can answer without weighing every message there is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from accounts.models import User
from messages import search_index
from messages.highlight import Part, highlight, marked
from messages.models import Message
from messages.moments import first_id, last_id
from messages.overview import names_of
from messages.search_index import Match
from messages.search_query import QUOTES, Phrase, Query, read, wrong
from messages.words import fold
from rooms.ids import MAX_ID, read_id
from rooms.models import Room

if TYPE_CHECKING:
    from messages.models import MessageQuerySet

USUAL = 20


@dataclass(frozen=True)
class Hit:
    message: Message
    highlight: list[Part]
    files: list[list[Part]]
    """The names of its files."""


@dataclass(frozen=True)
class Found:
    """A page, newest first. `next` is the message to go on before."""

    query: Query
    hits: list[Hit]
    next: int | None
    rooms: Rooms


def search(text: str, *, by: User, before: int | None = None, limit: int = USUAL) -> Found:
    """What `by` may see of what `text` asks for. Raises Invalid, by `q`, with what is wrong in it.

    An open side-bar is searched once one has come by.
    """
    query = read(text)
    mine = Rooms(by)
    below = MAX_ID if before is None else before
    rows = _visible(query, mine, below=below, most=limit + 1)
    hits = [_hit(row, query.phrases) for row in rows[:limit]]
    return Found(query, hits, hits[-1].message.pk if len(rows) > limit else None, mine)


class Rooms:
    """The rooms somebody is in, by what they call them."""

    def __init__(self, user: User) -> None:
        self.user = user
        rooms = Room.objects.for_user(user).only("name", "mode", "direct_key", "parent")
        self.rooms: dict[int, Room] = {room.pk: room for room in rooms}
        self.names = names_of(user, self.rooms.values())

    def called(self, names: Iterable[str]) -> set[int]:
        """Those that any of these names mean, and the side-bars in them. Raises Invalid."""
        found = {pk for name in names for pk in self._called(name)}
        return found | {pk for pk, room in self.rooms.items() if room.parent_id in found}

    def word_for(self, pk: int) -> str:
        """What to write after `in:` to mean this one alone."""
        name = self.names[pk]
        others = [pk for pk, other in self.names.items() if fold(other) == fold(name)]
        is_read_otherwise = (
            name.startswith("@") or read_id(name) is not None or '"' in name.translate(QUOTES)
        )
        unclear = len(others) > 1 or is_read_otherwise or not fold(name).strip()
        return str(pk) if unclear else name

    def _called(self, name: str) -> Collection[int]:
        """By handle or number, where it is written as one; else by name, else by a part of it."""
        by_handle = self._direct(name.removeprefix("@").lower()) if name.startswith("@") else []
        number = read_id(name)
        if exact := by_handle or ([number] if number in self.rooms else []):
            return exact
        wanted = fold(name).split()
        found = [pk for pk, own in self.names.items() if fold(own).split() == wanted]
        if not found and wanted:
            plain = " ".join(wanted)
            found = [pk for pk, own in self.names.items() if plain in " ".join(fold(own).split())]
        if not found:
            raise wrong(f"You are in no room called “{name}”.")
        return found

    def _direct(self, handle: str) -> list[int]:
        direct = [pk for pk, room in self.rooms.items() if room.is_direct]
        with_them = Room.objects.filter(pk__in=direct, participants__user__handle=handle)
        return list(with_them.values_list("pk", flat=True)) if handle != self.user.handle else []


def _visible(query: Query, mine: Rooms, *, below: int, most: int) -> list[Message]:
    """Messages that match, of those that may be seen: that decides, whatever the index says."""
    match = _match(query, mine)
    if match is None:
        return []
    visible: MessageQuerySet = Message.objects.visible_to(mine.user).select_related("author")
    above = 0
    if query.since:
        visible = visible.filter(created_at__gte=query.since)
        above = first_id(query.since) - 1
    if query.until:
        visible = visible.filter(created_at__lt=query.until)
        below = min(below, last_id(query.until) + 1)
    rows: list[Message] = []
    for lot in search_index.find(match, above=above, below=below):
        wanted = most - len(rows)
        rows += visible.filter(pk__in=lot).order_by("-pk")[:wanted] if lot else ()
        if len(rows) == most:
            break
    return rows


def _match(query: Query, mine: Rooms) -> Match | None:
    """What to ask the index; None where nothing can match."""
    rooms = mine.rooms.keys() - mine.called(query.values("in", negated=True))
    if named := query.values("in"):
        rooms &= mine.called(named)
    named = query.values("from")
    authors = _authors(named, mine.user) if named else None
    others = _authors(query.values("from", negated=True), mine.user)
    has_file = {not one.negated for one in query.filters if one.name == "has"}
    if not rooms or authors == set() or len(has_file) > 1:
        return None
    return Match(rooms, query.phrases, authors, others, next(iter(has_file), None))


def _authors(names: Sequence[str], me: User) -> set[int]:
    """Who may be meant. Nobody is told here whether there is somebody of a name."""
    called = Q(pk__in=())
    found = set()
    for name in names:
        if name.lower() == "me":
            found.add(me.pk)
        called |= Q(handle=name.removeprefix("@").lower()) | Q(name__iexact=name)
    return found | set(User.objects.filter(called).values_list("pk", flat=True)) if names else found


def _hit(message: Message, phrases: Sequence[Phrase]) -> Hit:
    names = message.file_names.splitlines()
    return Hit(message, highlight(message.body, phrases), [marked(n, phrases) for n in names])
