"""Coming in by a link: as oneself, or as a guest with nothing but a name."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError
from accounts.models import User
from accounts.throttles import DoorThrottle, slow_down
from rooms.forms import GuestForm, show_error
from rooms.models import Invitation

BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """The door of the room the link leads to. Raises Invitation.Unusable."""
    invitation = Invitation.objects.by_token(token)
    room = invitation.room
    if isinstance(request.user, User) and room.participant(request.user):
        return redirect("room", room.pk)
    form = GuestForm(request.POST or None)
    if request.method == "POST":
        try:
            if isinstance(request.user, User):
                return redirect("room", Invitation.objects.accept(token, user=request.user).room_id)
            if form.is_valid():
                return _enter(request, token, form.cleaned_data["name"])
        except DomainError as error:
            show_error(form, error)
    context = {
        "form": form,
        "room": {
            "name": room.name,
            "description": room.description,
            "mode": room.mode,
            "visibility": room.visibility,
        },
    }
    status = 400 if request.method == "POST" else 200
    return render(request, "rooms/join.html", context, status=status)


def _enter(request: HttpRequest, token: str, name: str) -> HttpResponse:
    slow_down(DoorThrottle, request)
    seat = Invitation.objects.accept_as_guest(token, name=name)
    login(request, seat.user, backend=BACKEND)
    return redirect("room", seat.room_id)
