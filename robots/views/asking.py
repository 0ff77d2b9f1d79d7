"""Choosing who answers a message."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError
from accounts.throttles import PostThrottle, slow_down
from messages.views.message import in_room, shown, visible
from robots import charge, router
from robots.forms.asking import AskForm
from robots.models import Reply, Robot
from robots.views.seats import seat_among_robots
from rooms.forms import show_error
from rooms.views.seats import me
from rooms.views.sidebar import sidebar


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def ask(request: HttpRequest, message: int) -> HttpResponse:
    """Those of the room, the likeliest first, with what speaks for them; one or several may answer.

    Raises NotFound, Forbidden.
    """
    found, user = visible(request, message), me(request)
    charge.must_be_in_charge(seat_among_robots(request, found.room_id).room, user)
    robots = {robot.pk: robot for robot in Robot.objects.in_room(found.room).filter(enabled=True)}
    form = AskForm(
        request.POST if request.method == "POST" else None,
        robots=list(robots.values()),
        proposals=router.propose(found.body, by=user, room=found.room),
    )
    if form.is_valid():
        try:
            slow_down(PostThrottle, request)
            chosen = [robots[pk] for pk in form.cleaned_data["robots"]]
            Reply.objects.ask(found, chosen, by=user)
            return redirect(in_room(found))
        except DomainError as error:
            show_error(form, error)
    encoded, element = shown(user, found)
    context = {
        "message": encoded,
        "article": element,
        "form": form,
        "has_robots": bool(robots),
        "room": {"id": found.room_id},
        "may_manage": found.room.managed_by(user),
        "in_room": in_room(found),
        "sidebar": sidebar(user, current=found.room_id),
    }
    return render(request, "robots/ask.html", context, status=400 if form.errors else 200)
