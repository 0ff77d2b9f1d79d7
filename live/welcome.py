"""The `joined` frame: a room as one who comes into it afresh is told of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import orjson
from django.db.models import QuerySet

from accounts.prepared import prepared
from live import frames, protocol
from live.people import Company
from live.protocol import Viewer
from messages import cursor
from messages.models import Mention, Message
from messages.overview import Said, count_said, encode_room, names_of
from messages.receipts import Receipts
from rooms.models import Participant
from rooms.modes import Role


class Page(NamedTuple):
    """The newest messages of a room that somebody may see, ascending."""

    rows: list[Message]
    has_older: bool


class Welcome:
    """What those who come into rooms afresh are told besides messages: the room, its people, how
    far they have read, and what apps above add. Queries: a few for all of them, and one for each to
    whom more is unread than their page shows.
    """

    def __init__(
        self,
        seats: Sequence[Participant],
        pages: Sequence[Page],
        *,
        here: Mapping[int, Collection[int]],
    ) -> None:
        """`here`: by room, users with sockets in it in this process."""
        self._unread = {
            id(seat): _unread(seat, page) for seat, page in zip(seats, pages, strict=True)
        }
        unread = {row.pk for rows in self._unread.values() for row in rows or ()}
        users = {seat.user_id for seat in seats}
        self._named = set(_named(users=users, messages=unread)) if unread else set()
        self._company = Company(seats, here=here)
        self._receipts = Receipts([seat for seat in seats if not self._company.is_crowded(seat)])
        self._people = [self._company.around(seat) for seat in seats]
        viewers = [
            Viewer(seat, [one.encoded for one in people])
            for seat, people in zip(seats, self._people, strict=True)
        ]
        self._places = {id(seat): place for place, seat in enumerate(seats)}
        self._parts = protocol.parts_for(viewers)

    def joined(self, seat: Participant, page: Page, messages: Sequence[bytes]) -> str:
        """`messages`: as much of the page as fits, encoded."""
        place, room, count = self._places[id(seat)], seat.room, self._company.count(seat)
        told = encode_room(
            room,
            seat,
            name=names_of(seat.user, [room])[room.pk],
            people=count,
            said=self._said(seat, page),
        )
        return frames.write(
            "joined",
            room=told,
            me=told["me"],
            people=[p.json for p in self._people[place] if p.encoded["role"] != Role.ROBOT],
            participants_count=count,
            **self._parts[place],
            reads=[receipt._asdict() for receipt in self._receipts.of(seat)],
            messages=[orjson.Fragment(part) for part in messages],
            has_older=page.has_older or len(messages) < len(page.rows),
            cursor=cursor.seal(room.pk, room.revision),
        )

    def _said(self, seat: Participant, page: Page) -> Said:
        """Counted by the page, where that shows all that is unread."""
        unread = self._unread[id(seat)]
        if unread is None:
            return count_said(seat.user, seat.room_id)
        called = [
            row for row in unread if row.mentions_everyone or (seat.user_id, row.pk) in self._named
        ]
        return Said(len(unread), len(called), page.rows[-1].created_at if page.rows else None)


def _unread(seat: Participant, page: Page) -> list[Message] | None:
    """None where older ones may be unread, too."""
    if page.has_older and page.rows[0].pk > seat.last_read:
        return None
    return [row for row in page.rows if row.pk > seat.last_read and row.counts_for(seat.user_id)]


@prepared("users", "messages")
def _named(users: Collection[int], messages: Collection[int]) -> QuerySet[Mention, tuple[int, int]]:
    """Who is named in which of these messages."""
    named = Mention.objects.filter(user__in=users, message__in=messages)
    return named.values_list("user", "message")
