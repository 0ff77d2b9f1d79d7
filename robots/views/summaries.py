"""What robots are told of the beginning of a long conversation, for who manages the room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from messages.audience import Audience
from messages.overview import overview
from robots.models import Summary
from robots.views.seats import seat_among_robots
from rooms.views.sidebar import sidebar


class Told(NamedTuple):
    """A summary, and in which answers it is told."""

    summary: Summary
    answers: str


@require_safe
@login_required
def summaries(request: HttpRequest, room: int) -> HttpResponse:
    """Those that rest on what one may see, the newest first. Raises NotFound, Forbidden."""
    seat = seat_among_robots(request, room)
    found = Summary.objects.readable(seat.room, by=seat.user)
    people = User.objects.in_bulk({user for summary in found for user in summary.to})
    (about,) = overview(seat.user, [seat.room])
    context: dict[str, Any] = {
        "room": about,
        "told": [Told(summary, _answers(summary, people)) for summary in found],
        "sidebar": sidebar(seat.user, current=room),
    }
    return render(request, "robots/summaries.html", context)


def _answers(summary: Summary, people: Mapping[int, User]) -> str:
    robot = summary.robot.user.name if summary.robot else ""
    match summary.audience:
        case Audience.STAFF:
            return f"What {robot} answers the staff"
        case Audience.ONLY:
            names = [people[user].name for user in summary.to if user in people]
            return f"What {robot} answers {_listed(names)}"
    return "Answers for everyone"


def _listed(names: Sequence[str]) -> str:
    """“Ada, Ben and Cleo”."""
    *most, last = names or ["nobody who is still here"]
    return f"{', '.join(most)} and {last}" if most else last
