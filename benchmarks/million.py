"""A million messages, or as many as are asked for: at random, but the same each time.

In most rooms words are as frequent as Zipf's law has them, and everybody says something everywhere.
In the large one, which all are in, people talk as in `talk.py`, with replies and reactions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, islice
from random import Random
from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.utils import timezone

from accounts.models import User
from benchmarks.talk import talk
from messages import search_index
from messages.markdown import render
from messages.models import Mention, Message, Reaction
from notifications.models import Notification
from rooms.models import Participant, Room

VOCABULARY = 60_000
LENGTH = 24
"""Words of a message, on average."""
DAYS = 1_000
"""Over which they were said."""
AT_ONCE = 10_000
WHISPERS, FILES, MENTIONS = 20, 50, 30
"""One of so many messages is a whisper, has a file, names somebody."""
BEHIND = (0, 3, 30, 300)
"""Messages that are unread in a room, on average: so many in one's first, in one's second …"""
SEED = 2026


@dataclass(frozen=True)
class Size:
    """`seats`: rooms that a person is in. `large`: messages of the large room."""

    messages: int
    rooms: int
    people: int
    seats: int
    large: int


@dataclass
class Million:
    """Whatever is asked of it is asked as `reader`, or as `returner`, who stopped reading anything
    after a fifth.
    """

    size: Size
    random: Random = field(default_factory=lambda: Random(SEED))

    def fill(self) -> None:
        """The database is empty. The index of what was said is made at the end, all in one go."""
        self.words = vocabulary(self.random)
        self._index(search_index.drop)
        self._seat()
        made = self._said()
        while lot := list(islice(made, AT_ONCE)):
            Message.objects.bulk_create(lot, batch_size=1_000)
            Mention.objects.bulk_create(self.mentions, batch_size=1_000)
            Notification.objects.bulk_create(self.notifications, batch_size=1_000)
            Reaction.objects.bulk_create(self.reactions, batch_size=1_000)
            self._forget_lot()
        self._catch_up()
        self._index(search_index.create)
        settle()

    def recall(self) -> None:
        """The database was filled before. What was posted since is not among what was told."""
        self.words = vocabulary(self.random)
        self.people = list(User.objects.filter(handle__regex=r"^p[0-9]+$").order_by("pk"))
        self.reader, self.returner = self.people[:2]
        self.rooms = list(Room.objects.filter(name__regex=r"^Room [0-9]+$").order_by("pk"))
        self.large = self.rooms[0]
        told = Message.objects.filter(room=self.large, pk__lte=self.size.messages)
        self.told = list(told.order_by("pk").values_list("pk", flat=True))

    def rooms_of(self, number: int) -> list[Room]:
        """Of the person of that number, the large one first."""
        step = len(self.rooms) // self.size.seats
        own = self.rooms[number % step :: step][: self.size.seats]
        return [self.large, *(room for room in own if room != self.large)]

    def _index(self, change: Callable[[Any, Any], None]) -> None:
        with connection.schema_editor() as editor:
            change(None, editor)

    def _seat(self) -> None:
        self.reader, self.returner = (
            User.objects.create_person(f"p{n}", f"Person {n}", None) for n in range(2)
        )
        others = User.objects.bulk_create(
            User(handle=f"p{n}", name=f"Person {n}", kind="person")
            for n in range(2, self.size.people)
        )
        self.people = [self.reader, self.returner, *others]
        system = User.objects.system()
        self.rooms = Room.objects.bulk_create(
            Room(name=f"Room {n}", created_by=system) for n in range(self.size.rooms)
        )
        self.large = self.rooms[0]
        self.there: dict[int, list[User]] = {room.pk: [] for room in self.rooms}
        for number, person in enumerate(self.people):
            for room in self.rooms_of(number):
                self.there[room.pk].append(person)

    def _said(self) -> Iterator[Message]:
        self._forget_lot()
        self.conversation = talk(self.size.people)
        self.told: list[int] = []
        pause = timedelta(DAYS) / self.size.messages
        began = timezone.now() - timedelta(DAYS)
        weights = list(accumulate(1 / (rank + 1) for rank in range(len(self.words))))
        one_in = self.size.messages // self.size.large
        revisions: Counter[int] = Counter()
        for n in range(self.size.messages):
            at = began + n * pause
            message = self._talked(n, at) if n % one_in == 0 else self._random(n, at, weights)
            room = message.room
            revisions[room.pk] += 1
            message.revision = room.revision = room.message_count = revisions[room.pk]
            room.newest = message.pk
            if self._is_one_of(MENTIONS):
                self._mention(message)
            yield message

    def _random(self, n: int, at: datetime, weights: list[float]) -> Message:
        length = self.random.randint(3, 2 * LENGTH - 3)
        body = " ".join(self.random.choices(self.words, cum_weights=weights, k=length))
        is_whisper = self._is_one_of(WHISPERS)
        return Message(
            pk=n + 1,
            room=self.random.choice(self.rooms[1:]),
            author=self.random.choice(self.people),
            audience="only" if is_whisper else "everyone",
            to=[self.random.choice(self.people).pk] if is_whisper else [],
            body=body,
            html=f"<p>{body}</p>\n",
            file_names="report.pdf" if self._is_one_of(FILES) else "",
            created_at=at,
        )

    def _talked(self, n: int, at: datetime) -> Message:
        said = next(self.conversation)
        answers = 0 < said.answers <= len(self.told)
        self.reactions += [
            Reaction(message_id=n + 1, user=self.people[number], emoji=emoji)
            for number, emoji in enumerate(said.reactions)
        ]
        message = Message(
            pk=n + 1,
            version=1 + len(said.reactions),
            room=self.large,
            author=self.people[said.by],
            audience="everyone",
            body=said.body,
            html=render(said.body).html,
            reply_to_id=self.told[-said.answers] if answers else None,
            created_at=at,
        )
        self.told.append(message.pk)
        return message

    def _is_one_of(self, many: int) -> bool:
        return not self.random.randrange(many)

    def _mention(self, message: Message) -> None:
        named = self.random.choice(self.there[message.room_id])
        self.mentions.append(Mention(message_id=message.pk, room=message.room, user=named))
        self.notifications.append(
            Notification(
                user=named,
                room=message.room,
                message_id=message.pk,
                reason="mention",
                created_at=message.created_at,
            )
        )

    def _forget_lot(self) -> None:
        self.mentions: list[Mention] = []
        self.notifications: list[Notification] = []
        self.reactions: list[Reaction] = []

    def _catch_up(self) -> None:
        """Rooms know what was said in them, people have read it, and what comes has new ids."""
        Room.objects.bulk_update(
            self.rooms, ["revision", "newest", "message_count"], batch_size=200
        )
        seats = [
            Participant(room=room, user=person, role="member", last_read=last_read)
            for number, person in enumerate(self.people)
            for room, last_read in self._read_by(number)
        ]
        Participant.objects.bulk_create(seats, batch_size=5_000)
        for statement in connection.ops.sequence_reset_sql(no_style(), [Message]):
            with connection.cursor() as cursor:
                cursor.execute(statement)

    def _read_by(self, number: int) -> Iterator[tuple[Room, int]]:
        for at, room in enumerate(self.rooms_of(number)):
            apart = self.size.messages // max(1, room.message_count)
            behind = BEHIND[(at + max(0, number - 1)) % len(BEHIND)] * apart
            if self.people[number] == self.returner:
                behind = self.size.messages * 4 // 5
            yield room, max(0, room.newest - behind)


def vocabulary(random: Random) -> list[str]:
    """Made-up words, the most frequent first, the first of which begin like others."""
    known = dict.fromkeys(["the", "that", "there", "this", "with", "when", "have", "not", "you"])
    while len(known) < VOCABULARY:
        known["".join(random.choices("etaoinshrdlucmfw", k=random.randint(3, 10)))] = None
    return list(known)


def settle() -> None:
    """As a database is that has been in use: PostgreSQL vacuums after a while, by itself."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
