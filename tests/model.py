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
    """The newest message that there was anywhere when they came."""
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
    parent: int | None = None
    """The room around it, where it is a side-bar; then the rest, too."""
    access: str = ""
    anchor: int = 0
    opened_by: int = 0
    title: str = ""
    conclusion: int | None = None
    is_concluded: bool = False
    closed_with_parent: bool = False

    @property
    def is_open(self) -> bool:
        return self.state in ("waiting", "active")

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

    def sidebars(self, room: int) -> list[Place]:
        return [place for place in self.places.values() if place.parent == room]

    def around(self, place: Place, user: int) -> Seat | None:
        """The seat that counts: in a side-bar everybody is what they are around it."""
        if place.parent is None:
            return place.seats.get(user)
        seat = self.places[place.parent].seats.get(user)
        return None if seat is None or seat.role == "customer" else seat

    def seat_of(self, place: Place, user: int) -> Seat | None:
        return self.around(place, user) if user in place.seats else None

    def role(self, room: int, user: int) -> str:
        seat = self.around(self.places[room], user)
        assert seat is not None
        return seat.role

    def history(self, place: Place) -> str:
        return place.history if place.parent is None else self.places[place.parent].history

    def may_be_in(self, place: Place, user: int) -> bool:
        """Has a seat, or takes one as soon as they come by."""
        if place.access == "open":
            return self.around(place, user) is not None
        return self.seat_of(place, user) is not None

    def people_of(self, place: Place) -> list[int]:
        everybody = place.seats if place.parent is None else self.places[place.parent].seats
        return [user for user in everybody if self.may_be_in(place, user)]

    # What happens

    def seat(self, room: int, user: int, role: str) -> None:
        place = self.places[room]
        newest = max(place.newest for place in self.places.values())
        place.seats[user] = Seat(role, joined_after=newest, last_read=place.newest)
        self.follow_staff(place)

    def come_by(self, place: Place, user: int, *, last_read: int | None = None) -> None:
        """To an open side-bar, for the first time: what they see there they have read."""
        if user in place.seats or place.access != "open" or not self.around(place, user):
            return
        place.seats[user] = Seat("", joined_after=0, last_read=0)
        visible = self.visible(user, place.id)
        place.seats[user].last_read = (
            (visible[-1] if visible else 0) if last_read is None else last_read
        )

    def unseat(self, room: int, user: int) -> list[Place]:
        """Returns the side-bars that they are in no more, either."""
        place = self.places[room]
        del place.seats[user]
        self.follow_staff(place)
        return self.leave_sidebars(room, user)

    def leave_sidebars(self, room: int, user: int) -> list[Place]:
        inside = [sidebar for sidebar in self.sidebars(room) if user in sidebar.seats]
        for sidebar in inside:
            del sidebar.seats[user]
        return inside

    def give_role(self, room: int, user: int, role: str) -> None:
        self.places[room].seats[user].role = role
        self.follow_staff(self.places[room])

    def follow_staff(self, place: Place) -> None:
        if place.mode == "support" and place.is_open and place.parent is None:
            place.state = "active" if place.of_role(*STAFF) else "waiting"

    def close(self, room: int) -> list[Place]:
        """Returns the side-bars that are closed with it."""
        self.places[room].state = "closed"
        closed = [sidebar for sidebar in self.sidebars(room) if sidebar.is_open]
        for sidebar in closed:
            sidebar.state, sidebar.closed_with_parent = "closed", True
        return closed

    def reopen(self, room: int) -> list[Place]:
        """Returns the side-bars that go on with it."""
        place = self.places[room]
        place.state = "active"
        place.conclusion, place.is_concluded, place.closed_with_parent = None, False, False
        self.follow_staff(place)
        closed = [sidebar for sidebar in self.sidebars(room) if sidebar.state == "closed"]
        fallen = [sidebar for sidebar in closed if sidebar.closed_with_parent]
        for sidebar in fallen:
            self.reopen(sidebar.id)
        return fallen

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
        place = self.places[room]
        return self.may_be_in(place, user) and self.role(room, user) != "viewer"

    def leads(self, room: int, user: int) -> bool:
        """Who opens side-bars, shares from them and concludes them."""
        if not self.may_write(room, user):
            return False
        return self.places[room].mode == "team" or self.role(room, user) in STAFF

    def may_open_beside(self, user: int, message: int, others: Collection[int]) -> bool:
        place, said = self.place_of(message), self.said(message)
        fit = said.kind != "system" and said.audience != "only" and not said.deleted
        return (
            place.parent is None
            and self.leads(place.id, user)
            and place.is_open
            and self.sees(user, message)
            and fit
            and all(
                other in place.seats and place.seats[other].role != "customer" for other in others
            )
        )

    def speech(
        self, room: int, user: int, audience: str | None, to: Collection[int], reply_to: int | None
    ) -> tuple[str, frozenset[int]]:
        """The audience and the `to` of what would be said. Raises Refused."""
        place = self.places[room]
        if not self.may_be_in(place, user):
            raise Refused("not in it")
        seat = self.around(place, user)
        assert seat is not None
        reopens = place.mode == "support" and seat.role == "customer"
        if not place.is_open and not reopens:
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
        if (audience == "only") != bool(people):
            raise Refused("wrong people")
        if not all(self.may_be_in(place, person) for person in people):
            raise Refused("not there")
        return audience, people

    def note_audience(self, room: int, kind: str, event: str, roles: Collection[str]) -> str:
        """Customers hear of customers, and of the conversation as such; the rest is the staff's."""
        if self.places[room].mode == "team":
            return "everyone"
        if self.places[room].parent is not None:
            return "staff"  # there are no customers
        if kind == "card" or set(roles) - {"customer"}:
            return "staff"
        discreet = event not in ("joined", "invited", "left", "closed", "reopened")
        return "staff" if discreet else "everyone"

    # Who may see what

    def sees(self, user: int, message: int) -> bool:
        place = self.place_of(message)
        said = place.said[message]
        seat = self.seat_of(place, user)
        if seat is None:
            return False
        if self.history(place) == "joined" and message <= seat.joined_after and said.author != user:
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
        if self.places[room].parent is not None:
            return set(self.people_of(self.places[room]))
        if self.places[room].mode == "support" and seats[user].role == "customer":
            return {other for other, seat in seats.items() if seat.role in ("customer", "agent")}
        return set(seats)

    # What the room around a side-bar shows of it

    def knows_of(self, user: int, sidebar: int) -> bool:
        place = self.places[sidebar]
        return self.may_be_in(place, user) and self.sees(user, place.anchor)

    def counted(self, user: int, sidebar: int) -> list[int]:
        """What was said in it, whether they came by or not, since they are around; whispers are
        counted for nobody."""
        place, after = self.places[sidebar], self.begins(user, sidebar)
        return [
            said.id
            for said in sorted(place.said.values(), key=lambda said: said.id)
            if said.kind == "text"
            and not said.deleted
            and said.audience != "only"
            and said.id > after
        ]

    def conclusion_shown(self, user: int, sidebar: int) -> int | None:
        """Where it was not whispered, and not said before they came."""
        conclusion = self.places[sidebar].conclusion
        if conclusion is None or self.said(conclusion).audience == "only":
            return None
        return conclusion if conclusion > self.begins(user, sidebar) else None

    def begins(self, user: int, sidebar: int) -> int:
        """Where history does, for somebody around it."""
        place = self.places[sidebar]
        seat = self.around(place, user)
        assert seat is not None
        return seat.joined_after if self.history(place) == "joined" else 0
