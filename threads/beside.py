"""What pages show of side-bars: of the room around one, and of those that are beside a room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import F

from messages.encoding import encode_for
from messages.markdown import excerpt
from messages.models import Message
from messages.overview import overview, seats_with_counts
from rooms.models import Participant, Room
from rooms.modes import Role
from threads import stubs
from threads.models import Sidebar, leads

Shown = dict[str, Any]
Counts = dict[int, tuple[int, int]]
EXCERPT = 200
"""Characters of the message it is beside."""


def around(seat: Participant) -> Shown | None:
    """What the page of a side-bar says of where it is; None for every other room."""
    if not seat.room.is_sidebar:
        return None
    found = Sidebar.objects.select_related("room__parent", "concluded_by").get(pk=seat.room_id)
    assert found.room.parent is not None  # noqa: S101 - by how it is made
    (parent,) = overview(seat.user, [found.room.parent])
    said = {message.pk: message for message in _visible(seat, found)}
    anchor, conclusion = said.get(found.anchor_id), said.get(found.conclusion_id or 0)
    return {
        "room": parent,
        "is_open": found.room.parent.is_open,
        "anchor": _quoted(seat, anchor) if anchor else None,
        "place": anchor.pk if anchor else None,
        "is_private": not found.room.is_open_sidebar,
        "may_lead": leads(seat) and found.room.parent.is_open,
        "concluded_at": found.concluded_at,
        "concluded_by": found.concluded_by,
        "conclusion": conclusion.pk if conclusion else None,
    }


def _visible(seat: Participant, sidebar: Sidebar) -> Collection[Message]:
    """What it is beside, and what came of it, as far as one may see them."""
    visible = Message.objects.visible_to(seat.user).filter(room=sidebar.room.parent_id)
    return list(visible.filter(pk__in=[sidebar.anchor_id, sidebar.conclusion_id]))


def _quoted(seat: Participant, message: Message) -> Shown:
    (shown,) = encode_for(seat.user, [message])
    return {**shown, "excerpt": excerpt(message.body, EXCERPT)}


def stubs_by_anchor(
    seat: Participant, anchors: Collection[int], counts: Counts
) -> dict[int, list[Shown]]:
    """Beside these messages of the reader's room, the side-bars opened first first, each with
    what is `unread` in it.
    """
    if not has_sidebars(seat):
        return {}
    beside: dict[int, list[Shown]] = defaultdict(list)
    found = stubs.stubs_beside(user=seat.user_id, room=seat.room_id, anchors=anchors)
    for stub in stubs.encode_for(seat, found):
        unread, mentions = counts.get(stub["id"], (0, 0))
        beside[stub["anchor"]].insert(0, {**stub, "unread": unread, "mentions": mentions})
    return dict(beside)


def has_sidebars(seat: Participant) -> bool:
    """Whether the reader may be shown any in this room."""
    return not seat.room.is_sidebar and seat.role != Role.CUSTOMER


def unread_in(seat: Participant) -> Counts:
    """By side-bar of the reader's room: how much is unread, and how much of it names them."""
    if not has_sidebars(seat):
        return {}
    inside = Room.objects.filter(
        parent=seat.room_id,
        participants__user=seat.user,
        newest__gt=F("participants__last_read"),
    )
    # Mostly there are none, which is asked for a tenth of what counting costs.
    counted = seats_with_counts(seat.user, rooms) if (rooms := list(inside)) else ()
    return {one.room_id: (one.unread, one.mentioned) for one in counted if one.unread}
