"""Who asks for a page, and as what."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from accounts.models import User
from rooms.models import Participant, Room


def me(request: HttpRequest) -> User:
    """Who is signed in, where somebody must be."""
    return cast(User, request.user)


def my_seat(request: HttpRequest, room: int) -> Participant:
    """One's seat in a room, with the room. Raises NotFound."""
    seat = Room.objects.seat_in(room, me(request))
    seat.user = me(request)
    return seat
