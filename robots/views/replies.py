"""What people do about an answer, where no script does it for them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.errors import Conflict
from accounts.models import User
from accounts.throttles import PostThrottle, slow_down
from messages.views.message import in_room, visible
from robots.actions import reply_of
from robots.models import Reply
from rooms.views.seats import me


@require_POST
@login_required
def stop(request: HttpRequest, message: int) -> HttpResponse:
    """Have the robot stop; what it wrote stays."""
    return _do(request, message, lambda reply, user: reply.stop(by=user))


@require_POST
@login_required
def retry(request: HttpRequest, message: int) -> HttpResponse:
    """Have it written anew."""
    slow_down(PostThrottle, request)
    return _do(request, message, lambda reply, user: reply.retry(by=user))


@require_POST
@login_required
def go_on(request: HttpRequest, message: int) -> HttpResponse:
    """Have it written on from where it ended."""
    slow_down(PostThrottle, request)
    return _do(request, message, lambda reply, user: reply.go_on(by=user))


def _do(request: HttpRequest, message: int, verb: Callable[[Reply, User], None]) -> HttpResponse:
    """Whatever came between is told, and the message shown as it now is."""
    found = visible(request, message)
    reply = reply_of(found)
    try:
        verb(reply, me(request))
    except Conflict as error:
        flash.error(request, error.message)
    return redirect(in_room(found))
