"""The list of one's rooms, which stands beside every page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import F, Q, QuerySet

from accounts.models import User
from accounts.prepared import prepared
from accounts.roles import SiteRole
from live.models import Presence
from messages.overview import overview
from notifications.models import Notification, Preferences
from rooms.models import Participant, Room
from rooms.modes import Mode

Shown = dict[str, Any]
NESTED = 5
"""Side-bars that are listed below their room: those with news, the newest first."""
LOOKED_AT = 100


def sidebar(user: User, *, here: str = "", current: int | None = None, query: str = "") -> Shown:
    """What the list shows: `here` is the page's place in it, `current` the room's id."""
    rooms = my_rooms(user, current=current)
    return {
        "rooms": {room["id"]: room for room in rooms},
        "bell": _bell(user),
        "groups": _groups(rooms, query),
        "current": current,
        "here": here,
        "query": query,
        "may_open_rooms": user.site_role is not None,
        "may_browse": user.site_role is not None,
        "may_see_desk": user.is_at_least(SiteRole.AGENT),
    }


def _bell(user: User) -> Shown:
    """How much waits among the notifications, and how they may be shown."""
    chosen = Preferences.objects.of(user)
    return {
        "unread": Notification.objects.count_unread(user),
        "browser": chosen.browser,
        "sounds": chosen.sounds,
    }


def my_rooms(user: User, *, current: int | None = None) -> list[Shown]:
    """All rooms one is in, but for those put away; direct ones know who the `other` is. Each with
    the `sidebars` in it that have news for one, or that one is at.
    """
    rooms = _mine(user=user.pk)
    others = others_of(user, [room for room in rooms if room.is_direct])
    beside = _sidebars(user, current)
    return [
        {**room, "other": others.get(room["id"]), "sidebars": beside.get(room["id"], [])}
        for room in overview(user, rooms)
        if room["me"]  # or one was removed just now
    ]


@prepared("user")
def _mine(user: int) -> QuerySet[Room]:
    found: QuerySet[Room] = Room.objects.for_user(User(pk=user)).top()
    return found.exclude(state=Room.State.ARCHIVED)


def _sidebars(user: User, current: int | None) -> dict[int, list[Shown]]:
    """By the room around them."""
    found: dict[int, list[Shown]] = defaultdict(list)
    for room in overview(user, _with_news(user=user.pk, current=current or 0)):
        if not room["me"]:
            continue
        is_listed = room["unread"] and len(found[room["parent"]]) < NESTED
        if is_listed or room["id"] == current:
            found[room["parent"]].append(room)
    return found


@prepared("user", "current")
def _with_news(user: int, current: int) -> QuerySet[Room]:
    """Side-bars in which something was said since they last read, and the one they are at."""
    news = Q(participants__muted=False, newest__gt=F("participants__last_read"))
    mine = Room.objects.filter(news | Q(pk=current), participants__user=user, parent__isnull=False)
    return mine.order_by("-newest")[:LOOKED_AT]


def others_of(user: User, rooms: Collection[Room]) -> dict[int, Shown]:
    """By direct room: whom one talks with there, and whether they are there now."""
    if not rooms:
        return {}
    seats = Participant.objects.filter(room__in=rooms).exclude(user=user).select_related("user")
    standing = Presence.objects.standing([seat.user_id for seat in seats])
    return {
        seat.room_id: {
            **seat.user.public(),
            "presence": standing[seat.user_id].state if seat.user_id in standing else "offline",
        }
        for seat in seats
    }


def _groups(rooms: list[Shown], query: str) -> list[Shown]:
    words = query.casefold()
    found = [room for room in rooms if words in room["name"].casefold()]
    recent = sorted(found, key=lambda room: room["last_message_at"] or "", reverse=True)
    by_name = sorted(found, key=lambda room: room["name"].casefold())
    groups = [
        ("starred", "Starred", [room for room in by_name if _kind(room) == "starred"]),
        ("support", "Support", sorted((r for r in recent if _kind(r) == "support"), key=_urgency)),
        ("rooms", "Rooms", sorted((r for r in by_name if _kind(r) == "rooms"), key=_urgency)),
        ("people", "People", [room for room in recent if _kind(room) == "people"]),
    ]
    return [{"key": key, "title": title, "rooms": some} for key, title, some in groups if some]


def _kind(room: Shown) -> str:
    if room["me"]["starred"]:
        return "starred"
    if room["other"]:
        return "people"
    return "support" if room["mode"] == Mode.SUPPORT else "rooms"


def _urgency(room: Shown) -> int:
    return [Room.State.WAITING, Room.State.ACTIVE, Room.State.CLOSED].index(room["state"])
