"""The card of somebody: who they are here, whether they are, and what one may do about it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import time_zones
from accounts.models import User
from accounts.roles import SiteRole
from live.cards import card_of
from messages.audience import Audience, choices_for
from messages.forms import may_write_in
from messages.overview import overview
from robots.models import Robot, RobotSeat
from rooms.api.people import met
from rooms.models import Participant
from rooms.modes import Role, rules
from rooms.views.seats import my_seat
from rooms.views.sidebar import sidebar


@require_safe
@login_required
def person(request: HttpRequest, room: int, user: int = 0, handle: str = "") -> HttpResponse:
    """Somebody of a room, by id or handle; or who has left it, to those who know of them still."""
    mine = my_seat(request, room)
    shown, role = met(mine, Q(pk=user) if user else Q(handle=handle))
    (about,) = overview(mine.user, [mine.room])
    card = card_of(mine, shown, role)
    context = {
        "room": about,
        "person": card,
        "is_me": shown == mine.user,
        "clock": _clock(card["time_zone"]),
        **_may(mine, shown, role),
        **_as_robot(mine, shown),
        "sidebar": sidebar(mine.user, current=room),
    }
    return render(request, "rooms/person.html", context)


def _may(mine: Participant, shown: User, role: str | None) -> dict[str, Any]:
    """What one may do: there are no buttons for the rest."""
    me, room = mine.user, mine.room
    other = shown != me
    writes = may_write_in(mine) and role is not None and other
    manages = other and role not in (None, Role.ROBOT) and room.managed_by(me)
    meets = me.site_role is not None and shown.kind in (User.Kind.PERSON, User.Kind.ROBOT)
    return {
        "may_message": other and meets and shown.is_active and not room.is_direct,
        "may_mention": writes and not room.is_direct,
        "may_whisper": writes and not room.is_direct and Audience.ONLY in choices_for(mine),
        "may_manage": manages and not room.is_sidebar,
        "may_remove": manages and not room.is_open_sidebar,
        "roles": [
            (each.value, each.label)
            for each in rules(room.mode).roles
            if each != role and Participant.suits(shown, each, room)
        ]
        if manages and not room.is_sidebar
        else [],
    }


def _clock(zone: str | None) -> str | None:
    """What time it is where they are, if they have said where that is and one may be told."""
    return f"{timezone.now().astimezone(time_zones.zone(zone)):%H:%M}" if zone else None


def _as_robot(mine: Participant, shown: User) -> dict[str, Any]:
    if not shown.is_robot:
        return {}
    rooms = [mine.room_id, mine.room.parent_id]  # in a side-bar, also who may come by
    seats = RobotSeat.objects.filter(participant__user=shown, participant__room__in=rooms)
    titles = seats.exclude(title="").order_by("-participant__room").values_list("title", flat=True)
    return {
        "robot": Robot.objects.filter(user=shown).first(),
        "title": titles.first() or "",
        "manages_robots": mine.room.managed_by(mine.user),
        "shows_model": mine.user.is_at_least(SiteRole.AGENT),
    }
