"""Who may tell the robots of a room what to do, beyond asking them something."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.errors import Forbidden
from accounts.models import User
from rooms.models import Participant, Room
from rooms.modes import STAFF, Mode, Role

IN_CHARGE: Mapping[str, frozenset[Role]] = {
    Mode.TEAM: frozenset({Role.OWNER, Role.MEMBER}),
    Mode.SUPPORT: STAFF,
}


def is_in_charge(seat: Participant) -> bool:
    """`seat.room` is at hand."""
    return seat.role in IN_CHARGE[seat.room.mode]


def must_be_in_charge(room: Room, user: User) -> None:
    """Raises NotFound, Forbidden."""
    if not is_in_charge(room.seat_of(user)):
        raise Forbidden("You may read here, but not tell robots what to do.")
