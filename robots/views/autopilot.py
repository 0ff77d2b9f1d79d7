"""Having the robots of a room take turns."""

from __future__ import annotations

from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.errors import Conflict, DomainError, Invalid
from accounts.throttles import PostThrottle, slow_down
from messages.overview import overview
from robots import charge
from robots.forms.autopilot import AutopilotForm
from robots.models import Autopilot, Robot
from robots.views.seats import seat_among_robots
from rooms.forms import show_error
from rooms.models import Participant
from rooms.views.sidebar import sidebar


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def autopilot(request: HttpRequest, room: int) -> HttpResponse:
    """Start it. While one runs, steer it.

    Raises NotFound, Forbidden.
    """
    seat = seat_among_robots(request, room)
    charge.must_be_in_charge(seat.room, seat.user)
    if request.method == "POST" and "action" in request.POST:
        return _steer(request, seat)
    robots = list(Robot.objects.in_room(seat.room).filter(enabled=True).order_by("pk"))
    form = AutopilotForm(request.POST if request.method == "POST" else None, robots=robots)
    if form.is_valid():
        try:
            slow_down(PostThrottle, request)
            Autopilot.objects.start(seat.room, by=seat.user, **form.session)
        except DomainError as error:
            show_error(form, error)
        else:
            flash.success(request, "They begin.")
            return redirect("room", room)
    (shown,) = overview(seat.user, [seat.room])
    context = {
        "room": shown,
        "form": form,
        "has_enough": len(robots) > 1,
        "running": _unfinished(seat),
        "may_manage": seat.room.managed_by(seat.user),
        "sidebar": sidebar(seat.user, current=room),
    }
    return render(request, "robots/autopilot.html", context, status=400 if form.errors else 200)


def _steer(request: HttpRequest, seat: Participant) -> HttpResponse:
    """Whatever its card has come to say meanwhile: it is the session that is meant."""
    running = _unfinished(seat)
    verbs = {"pause": Autopilot.pause, "resume": Autopilot.resume, "stop": Autopilot.stop}
    verb = verbs.get(request.POST["action"])
    if verb is None:
        raise Invalid("This form asks for something there is not.")
    slow_down(PostThrottle, request)
    try:
        if running is None:
            raise Autopilot.Over
        verb(running, by=seat.user)
    except Conflict as error:
        flash.error(request, error.message)
    return redirect("room", seat.room_id)


def _unfinished(seat: Participant) -> Autopilot | None:
    found: Autopilot | None = Autopilot.objects.unfinished().filter(room=seat.room).first()
    return found
