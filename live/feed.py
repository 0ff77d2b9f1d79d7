"""One look at the database for every room that has a wake waiting."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.prepared import prepared
from live.bulletin import Bulletin
from live.room import Listener
from messages.audience import Reader
from messages.encoding import gather, typeset
from messages.models import Message
from rooms.models import Participant, Room

MOST = 500
"""Revisions of one room that are handed on in one go."""
ROOMS = 100
"""Rooms of one look: a query names them one by one, and databases bound how much it may name."""
NAMED = 300
"""Users of a room whom a query names; to ask of more, it asks for all of the room."""


@dataclass(frozen=True)
class Question:
    """What the hub knows of a room, and of whom it must know."""

    room: int
    mark: int | None
    people_revision: int
    users: frozenset[int]
    must_ask: bool
    """Whether to read the roster even where it seems to be up to date."""


@dataclass(frozen=True)
class News:
    """How a room stands. `roster` is None where it is as it was."""

    question: Question
    mode: str
    mark: int
    behind: bool
    """Whether there is more than this."""
    people_revision: int
    roster: dict[int, Listener] | None
    bulletin: Bulletin | None


def read(questions: Sequence[Question]) -> list[News]:
    """Heads first, then rosters, then rows: what is handed on is never newer than its roster."""
    found = _rooms(ids=[question.room for question in questions]) if questions else ()
    rooms = {room.pk: room for room in found}
    asked = [question for question in questions if question.room in rooms]
    rosters = _read_rosters(
        [q for q in asked if q.must_ask or q.people_revision < rooms[q.room].people_revision], rooms
    )
    ends = {q.room: _end(q, rooms[q.room]) for q in asked}
    bulletins = _read_bulletins(asked, rooms, ends)
    return [
        News(
            question=question,
            mode=rooms[question.room].mode,
            mark=ends[question.room],
            behind=ends[question.room] < rooms[question.room].revision,
            people_revision=rooms[question.room].people_revision,
            roster=rosters.get(question.room),
            bulletin=bulletins.get(question.room),
        )
        for question in asked
    ]


def heads(rooms: Collection[int]) -> dict[int, int]:
    """Where each room's feed ends."""
    return dict(Room.objects.filter(pk__in=rooms).values_list("pk", "revision"))


def people_revisions(rooms: Collection[int]) -> dict[int, int]:
    """How often the people of each room have changed."""
    return dict(_people_revisions(pks=rooms)) if rooms else {}


def newcomers() -> list[tuple[int, int]]:
    """Users and rooms of seats taken lately: some may not have been told of."""
    lately = timezone.now() - timedelta(seconds=3 * settings.CHAT_HEAD_CHECK_INTERVAL)
    return list(Participant.objects.filter(joined_at__gt=lately).values_list("user", "room"))


def _end(question: Question, room: Room) -> int:
    if question.mark is None:
        return room.revision
    return min(room.revision, question.mark + MOST)


def _read_rosters(
    questions: Iterable[Question], rooms: dict[int, Room]
) -> dict[int, dict[int, Listener]]:
    rosters: dict[int, dict[int, Listener]] = {q.room: {} for q in questions}
    wanted = [
        Q(room=q.room, user__in=q.users) if len(q.users) <= NAMED else Q(room=q.room)
        for q in questions
    ]
    for seat in Participant.objects.filter(reduce(or_, wanted)) if wanted else ():
        seat.room = rooms[seat.room_id]
        listener = Listener.of(seat, as_of=seat.room.people_revision)
        rosters[seat.room_id][seat.user_id] = listener
    return rosters


def _read_bulletins(
    questions: Iterable[Question], rooms: dict[int, Room], ends: dict[int, int]
) -> dict[int, Bulletin]:
    marks = {q.room: q.mark for q in questions if q.mark is not None and q.mark < ends[q.room]}
    if not marks:
        return {}
    rows = _rows(rooms=list(marks), marks=list(marks.values()), ends=[ends[room] for room in marks])
    typeset(rows)
    files, reactions = gather(rows)
    by_room: dict[int, list[Message]] = {room: [] for room in marks}
    for row in rows:
        by_room[row.room_id].append(row)
    users = {q.room: q.users for q in questions}
    return {
        room: Bulletin(
            room,
            messages,
            start=marks[room],
            end=ends[room],
            people_revision=rooms[room].people_revision,
            files=files,
            reactions=reactions,
            origins=origins(messages, users[room]),
        )
        for room, messages in by_room.items()
    }


@prepared("pks")
def _people_revisions(pks: Collection[int]) -> QuerySet[Room, tuple[int, int]]:
    return Room.objects.filter(pk__in=pks).values_list("pk", "people_revision")


@prepared("ids")
def _rooms(ids: Collection[int]) -> QuerySet[Room]:
    return Room.objects.filter(pk__in=ids)


@prepared("rooms", "marks", "ends")
def _rows(rooms: Sequence[int], marks: Sequence[int], ends: Sequence[int]) -> QuerySet[Message]:
    """What came in each of the rooms after its mark, up to its end."""
    wanted = [
        Q(room=room, revision__gt=mark, revision__lte=end)
        for room, mark, end in zip(rooms, marks, ends, strict=True)
    ]
    found: QuerySet[Message] = Message.objects.filter(reduce(or_, wanted)).with_people()
    return found.order_by("room", "revision")


def origins(messages: Iterable[Message], users: frozenset[int]) -> dict[int, set[int]]:
    """Who of `users` may see what was shared, by the id of the original."""
    sources = {m.shared_from_id: m.shared_from for m in messages if m.shared_from is not None}
    if not sources:
        return {}
    seats = Participant.objects.select_related("room").filter(
        room__in={source.room_id for source in sources.values()}, user__in=users
    )
    seeing: dict[int, set[int]] = {pk: set() for pk in sources if pk}
    for seat in seats:
        reader = Reader.of(seat)
        for pk, source in sources.items():
            if pk and source.room_id == seat.room_id and reader.sees(source):
                seeing[pk].add(seat.user_id)
    return seeing
