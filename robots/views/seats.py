"""The robots of a room: who sits there, as what, and what becomes of questions to a busy one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError, Invalid, NotFound
from accounts.models import User
from messages.overview import overview
from robots import charge
from robots.forms.seat import PolicyForm, SeatForm
from robots.models import Robot, RobotPolicy, RobotSeat
from rooms.forms import show_error
from rooms.models import Participant, Room
from rooms.modes import Role, hidden_from
from rooms.views.seats import my_seat
from rooms.views.sidebar import sidebar

FOUND = 20


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def seats(request: HttpRequest, room: int) -> HttpResponse:
    """See them; who manages the room finds more, and chooses how busy ones are asked."""
    seat = seat_among_robots(request, room)
    if request.method == "POST":
        if request.POST.get("do") != "policy":
            raise Invalid("This form asks for something there is not.")
        return _choose_policy(request, seat)
    query = request.GET.get("q", "").strip()
    manages = seat.room.managed_by(seat.user)
    context = {
        "seats": [RobotSeat.objects.at(row) for row in robots_in(seat.room)],
        "may_manage": manages,
        "may_ask": seat.room.is_open and charge.is_in_charge(seat),
        "found": _others(seat.user, seat.room, query)[:FOUND] if manages else (),
        "query": query,
        **_about(seat),
    }
    return render(request, "robots/seats.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def seat(request: HttpRequest, room: int, handle: str) -> HttpResponse:
    """One of them, as it is here; or one that may be brought in."""
    mine = seat_among_robots(request, room)
    found = _find(mine, handle)
    form = SeatForm(request.POST if request.method == "POST" else None, seat=found)
    if request.method == "POST" and "look" not in request.POST:
        answer = _do(request, mine, found, form)
        if answer is not None:
            return answer
    context = {
        "seat": found,
        "robot": found.robot,
        "is_in": found.pk is not None,
        "form": form,
        "may_manage": mine.room.managed_by(mine.user),
        "may_meet": mine.user.site_role is not None,
        **_about(mine),
    }
    return render(request, "robots/seat.html", context, status=400 if form.errors else 200)


def seat_among_robots(request: HttpRequest, room: int) -> Participant:
    """One's seat in a room whose robots one is shown. Raises NotFound."""
    seat = my_seat(request, room)
    if Role.ROBOT in hidden_from(seat.room.mode, seat.role):
        raise NotFound
    return seat


def robots_in(room: Room) -> QuerySet[Participant]:
    """The seats of a room's robots, in the order in which they came."""
    robots = Participant.objects.filter(room=room, role=Role.ROBOT, user__robot__isnull=False)
    with_all = robots.select_related("user__robot", "robot_seat", "outer__robot_seat")
    return with_all.order_by("pk")


def _choose_policy(request: HttpRequest, seat: Participant) -> HttpResponse:
    form = PolicyForm(request.POST)
    if not form.is_valid():
        raise Invalid("Choose what becomes of questions to a busy robot.")
    RobotPolicy.objects.of(seat.room).update(by=seat.user, **form.cleaned_data)
    flash.success(request, "The settings are saved.")
    return redirect("room", seat.room_id)


def _do(
    request: HttpRequest, mine: Participant, found: RobotSeat, form: SeatForm
) -> HttpResponse | None:
    """What the form asks for; None where it is to be shown again, with what is wrong."""
    try:
        sentence = _deed(request, mine, found, form)
    except NotFound:  # it was taken out meanwhile
        raise
    except DomainError as error:
        show_error(form, error)
        return None
    if sentence is None:
        return None
    flash.success(request, sentence)
    return redirect("room", mine.room_id)


def _deed(request: HttpRequest, mine: Participant, found: RobotSeat, form: SeatForm) -> str | None:
    user, name = mine.user, found.robot.user.name
    mine.room.must_be_managed_by(user)
    deed = request.POST.get("do")
    if found.pk is None and deed != "add":
        raise NotFound
    if deed == "remove":
        found.remove(by=user)
        return f"{name} is no longer in the room."
    if not form.is_valid():
        return None
    if deed == "add":
        RobotSeat.objects.seat(found.robot, mine.room, by=user, **form.overrides)
        return f"{name} is in."
    found.update(by=user, **form.overrides)
    return "The settings are saved."


def _find(mine: Participant, handle: str) -> RobotSeat:
    """Where that robot sits, or might sit, as who manages the room may have it. Raises NotFound."""
    here = robots_in(mine.room).filter(user__handle=handle).first()
    if here is not None:
        here.room = mine.room
        return RobotSeat.objects.at(here)
    others = _others(mine.user, mine.room, "") if mine.room.managed_by(mine.user) else None
    robot = others and others.filter(user__handle=handle).first()
    if not robot:
        raise NotFound
    return RobotSeat(robot=robot)


def _others(user: User, room: Room, query: str) -> QuerySet[Robot]:
    """Robots that could be brought in: those switched on, by a part of their name or handle."""
    known = Robot.objects.known_to(user).filter(enabled=True)
    named = Q(user__name__icontains=query) | Q(user__handle__icontains=query)
    others: QuerySet[Robot] = known.filter(named).exclude(user__in=room.participants.values("user"))
    if room.is_sidebar:
        others = others.filter(user__in=Participant.objects.around(room).values("user"))
    return others.order_by("user__name", "pk")


def _about(seat: Participant) -> dict[str, Any]:
    (shown,) = overview(seat.user, [seat.room])
    return {"room": shown, "sidebar": sidebar(seat.user, current=seat.room_id)}
