"""What the card of somebody says to one who is in a room with them."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from accounts.status import told_to
from live.models import Presence
from rooms.models import Participant


def card_of(viewer: Participant, user: User, role: str | None) -> dict[str, Any]:
    """The user, what they are in the viewer's room (None where they have left it), and whether
    they are here; for people of the site also their status, time zone and when they were last here.

    Whether the viewer may know of them is the caller's to ask.
    """
    told = told_to(viewer.user) and user.kind == User.Kind.PERSON
    presence = None if user.is_robot else _presence(viewer, user)
    return {
        **user.public(),
        "role": role,
        "presence": presence,
        "seen_on": _seen_on(user) if told and presence == Presence.State.OFFLINE else None,
        "status": user.status if told else None,
        "time_zone": (user.time_zone or None) if told else None,
    }


def _presence(viewer: Participant, user: User) -> str | None:
    if viewer.room.is_crowded:
        return None
    standing = Presence.objects.standing([user.pk]).get(user.pk)
    return standing.state if standing else Presence.State.OFFLINE


def _seen_on(user: User) -> str | None:
    return user.seen_on.isoformat() if user.seen_on else None
