"""Who may see what, said once more: a model of SPEC in plain Python.

It shares no line with the code it judges, knows no database, and is asked by every test that holds
a surface (query, page, feed, socket) against the rule.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

STAFF = {"agent", "supervisor"}
CHOOSABLE = {
    ("team", "owner"): ["everyone", "only"],
    ("team", "member"): ["everyone", "only"],
    ("team", "viewer"): [],
    ("team", "robot"): ["everyone", "only"],
    ("support", "customer"): ["everyone"],
    ("support", "agent"): ["everyone", "staff", "only"],
    ("support", "supervisor"): ["everyone", "staff", "only"],
    ("support", "robot"): ["staff", "only"],
}
"""What each role may say to whom; the first is where nothing is chosen."""


@dataclass
class Seat:
    role: str
    joined_after: int
    """The newest message of the room when they came."""
    last_read: int


@dataclass
class Said:
    id: int
    author: int
    audience: str
    to: frozenset[int] = frozenset()
    kind: str = "text"
    body: str = ""
    reply_to: int | None = None
    shared_from: int | None = None
    mentioned: frozenset[int] = frozenset()
    mentions_all: bool = False
    files: frozenset[int] = frozenset()
    at: datetime | None = None
    deleted: bool = False
    reactions: dict[str, list[int]] = field(default_factory=dict)


@dataclass
class Place:
    id: int
    mode: str
    history: str = "all"
    state: str = "active"
    seats: dict[int, Seat] = field(default_factory=dict)
    said: dict[int, Said] = field(default_factory=dict)
    loose_files: dict[int, int] = field(default_factory=dict)
    """Uploaded and not attached: whose each is."""

    @property
    def newest(self) -> int:
        return max(self.said, default=0)

    def of_role(self, *roles: str) -> list[int]:
        return [user for user, seat in self.seats.items() if seat.role in roles]


class Refused(Exception):
    """The rules say no."""


class Oracle:
    """What there is, and what the rules make of it for each person."""

    def __init__(self) -> None:
        self.places: dict[int, Place] = {}

    def place_of(self, message: int) -> Place:
        return next(place for place in self.places.values() if message in place.said)

    def said(self, message: int) -> Said:
        return self.place_of(message).said[message]

    # What happens

    def seat(self, room: int, user: int, role: str) -> None:
        place = self.places[room]
        place.seats[user] = Seat(role, joined_after=place.newest, last_read=place.newest)
        self.follow_staff(place)

    def unseat(self, room: int, user: int) -> None:
        del self.places[room].seats[user]
        self.follow_staff(self.places[room])

    def give_role(self, room: int, user: int, role: str) -> None:
        self.places[room].seats[user].role = role
        self.follow_staff(self.places[room])

    def follow_staff(self, place: Place) -> None:
        if place.mode == "support" and place.state in ("waiting", "active"):
            place.state = "active" if place.of_role(*STAFF) else "waiting"

    def reopen(self, room: int) -> None:
        place = self.places[room]
        place.state = "active"
        self.follow_staff(place)

    def delete(self, message: int) -> None:
        said = self.said(message)
        said.deleted, said.body, said.reply_to, said.shared_from = True, "", None, None
        said.mentioned, said.mentions_all, said.files, said.reactions = (
            frozenset(),
            False,
            frozenset(),
            {},
        )

    def mark_read(self, message: int, user: int) -> None:
        seat = self.place_of(message).seats[user]
        seat.last_read = max(seat.last_read, message)

    def mark_unread(self, message: int, user: int) -> None:
        self.place_of(message).seats[user].last_read = message - 1

    # Who may say what

    def may_write(self, room: int, user: int) -> bool:
        seat = self.places[room].seats.get(user)
        return seat is not None and seat.role != "viewer"

    def speech(
        self, room: int, user: int, audience: str | None, to: Collection[int], reply_to: int | None
    ) -> tuple[str, frozenset[int]]:
        """The audience and the `to` of what would be said. Raises Refused."""
        place = self.places[room]
        seat = place.seats.get(user)
        if seat is None:
            raise Refused("not in it")
        reopens = place.mode == "support" and seat.role == "customer"
        if place.state not in ("waiting", "active") and not reopens:
            raise Refused("closed")
        if reply_to is not None and (not self.sees(user, reply_to) or self.said(reply_to).deleted):
            raise Refused("nothing to reply to")
        if reply_to is not None and self.place_of(reply_to) is not place:
            raise Refused("elsewhere")
        possible = CHOOSABLE[place.mode, seat.role]
        if not possible:
            raise Refused("viewer")
        people = frozenset(to)
        if audience is None:
            audience = possible[0]
            original = self.said(reply_to) if reply_to is not None else None
            if original and seat.role != "customer" and original.audience in possible:
                audience = original.audience
                if audience == "only" and not people:
                    people = (original.to | {original.author}) - {user}
                    people &= place.seats.keys()
                    if not people:
                        raise Refused("nobody left")
        if audience not in possible:
            raise Refused("not for this role")
        if (audience == "only") != bool(people) or not people <= place.seats.keys():
            raise Refused("wrong people")
        return audience, people

    def note_audience(self, room: int, kind: str, event: str, roles: Collection[str]) -> str:
        """Customers hear of customers, and of the conversation as such; the rest is the staff's."""
        if self.places[room].mode == "team":
            return "everyone"
        if kind == "card" or set(roles) - {"customer"}:
            return "staff"
        discreet = event not in ("joined", "invited", "left", "closed", "reopened")
        return "staff" if discreet else "everyone"

    # Who may see what

    def sees(self, user: int, message: int) -> bool:
        place = self.place_of(message)
        said = place.said[message]
        seat = place.seats.get(user)
        if seat is None:
            return False
        if place.history == "joined" and message <= seat.joined_after and said.author != user:
            return False
        is_staff = place.mode == "support" and seat.role in STAFF
        if said.audience == "everyone":
            return True
        if said.audience == "staff":
            return is_staff
        return is_staff or user == said.author or user in said.to

    def visible(self, user: int, room: int) -> list[int]:
        return [message for message in sorted(self.places[room].said) if self.sees(user, message)]

    def readers(self, message: int) -> set[int]:
        return {user for user in self.place_of(message).seats if self.sees(user, message)}

    def files(self, user: int, room: int) -> set[int]:
        place = self.places[room]
        if user not in place.seats:
            return set()
        loose = {file for file, owner in place.loose_files.items() if owner == user}
        return loose.union(*(place.said[message].files for message in self.visible(user, room)))

    def unread(self, user: int, room: int) -> list[int]:
        """Notes of the system are not counted; cards are."""
        place = self.places[room]
        return [
            message
            for message in self.visible(user, room)
            if message > place.seats[user].last_read
            and place.said[message].author != user
            and not place.said[message].deleted
            and place.said[message].kind != "system"
        ]

    def mentions(self, user: int, room: int) -> list[int]:
        said = self.places[room].said
        return [
            m for m in self.unread(user, room) if said[m].mentions_all or user in said[m].mentioned
        ]

    def last_message_at(self, user: int, room: int) -> datetime | None:
        visible = self.visible(user, room)
        return self.places[room].said[visible[-1]].at if visible else None

    def people_shown(self, user: int, room: int) -> set[int]:
        seats = self.places[room].seats
        if self.places[room].mode == "support" and seats[user].role == "customer":
            return {other for other, seat in seats.items() if seat.role in ("customer", "agent")}
        return set(seats)
