"""What a room is: its name, who finds it, how it ends; and how one has set it for oneself."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import DomainError, Invalid
from messages.listeners import place_of
from messages.overview import overview
from robots.forms.seat import PolicyForm
from robots.models import RobotPolicy
from rooms.forms import SettingsForm, show_error
from rooms.models import Participant
from rooms.views.seats import me, my_seat
from rooms.views.sidebar import sidebar

NOTIFY = [
    (Participant.Notify.ALL.value, "Every message"),
    (Participant.Notify.MENTIONS.value, "What mentions me"),
    (Participant.Notify.NOTHING.value, "Nothing"),
]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def settings(request: HttpRequest, room: int) -> HttpResponse:
    """See and change them."""
    seat = my_seat(request, room)
    form = _form(request, seat)
    if request.method == "POST" and request.POST.get("do") == "update":
        answer = _update(request, seat, form)
        if answer is not None:
            return answer
    elif request.method == "POST":
        return _end(request, seat)
    (shown,) = overview(seat.user, [seat.room])
    context = {
        "room": shown,
        "form": form,
        "may_manage": seat.room.managed_by(seat.user),
        "may_leave": not seat.room.is_direct,
        "is_sidebar": seat.room.is_sidebar,
        "notify_choices": NOTIFY,
        "policy": _policy(seat),
        "sidebar": sidebar(seat.user, current=room),
    }
    status = 400 if form is not None and form.errors else 200
    return render(request, "rooms/settings.html", context, status=status)


def _form(request: HttpRequest, seat: Participant) -> SettingsForm | None:
    if not seat.room.managed_by(seat.user):
        return None
    given = request.POST if request.POST.get("do") == "update" else None
    return SettingsForm(given, room=seat.room)


def _policy(seat: Participant) -> PolicyForm | None:
    """What the room has chosen for its robots."""
    if not seat.room.managed_by(seat.user):
        return None
    return PolicyForm(initial={"when_busy": RobotPolicy.objects.of(seat.room).when_busy})


def _update(
    request: HttpRequest, seat: Participant, form: SettingsForm | None
) -> HttpResponse | None:
    if form is None:
        seat.room.must_be_managed_by(seat.user)
    elif form.is_valid():
        try:
            seat.room.update(by=seat.user, **form.cleaned_data)
        except DomainError as error:
            show_error(form, error)
        else:
            flash.success(request, "The settings are saved.")
            return redirect("room", seat.room_id)
    return None


def _end(request: HttpRequest, seat: Participant) -> HttpResponse:
    deed = DEEDS.get(request.POST.get("do", ""))
    if deed is None:
        raise Invalid("This form asks for something there is not.")
    try:
        sentence = deed(request, seat)
    except DomainError as error:
        flash.error(request, error.message)
        return redirect("room_settings", seat.room_id)
    flash.success(request, sentence)
    if request.POST["do"] == "leave":
        return redirect("room", seat.room.parent_id) if seat.room.is_sidebar else redirect("home")
    return redirect("room", seat.room_id)


def _close(request: HttpRequest, seat: Participant) -> str:
    outcome, note = request.POST.get("outcome") or "unknown", request.POST.get("note", "")
    seat.room.close(by=me(request), outcome=outcome, note=note[:4000])
    return f"The {place_of(seat.room)} is closed."


def _reopen(request: HttpRequest, seat: Participant) -> str:
    seat.room.reopen(by=me(request))
    return f"The {place_of(seat.room)} is open again."


def _archive(request: HttpRequest, seat: Participant) -> str:
    seat.room.archive(by=me(request))
    return f"The {place_of(seat.room)} is archived."


def _leave(request: HttpRequest, seat: Participant) -> str:
    name = seat.room.name or f"the {place_of(seat.room)}"
    seat.room.leave(by=me(request))
    return f"You have left {name}."


DEEDS: dict[str, Callable[[HttpRequest, Participant], str]] = {
    "close": _close,
    "reopen": _reopen,
    "archive": _archive,
    "leave": _leave,
}


@require_POST
@login_required
def mine(request: HttpRequest, room: int) -> HttpResponse:
    """Star it, mute it, choose what to be told of."""
    seat = my_seat(request, room)
    given = request.POST
    if "preferences" in given:
        notify = given.get("notify", "")
        if notify not in Participant.Notify.values:
            raise Invalid("Choose what to be told of.")
        seat.set_preferences(muted=given.get("muted") == "true", notify=notify)
        flash.success(request, "Saved for you.")
    elif "starred" in given:
        seat.set_preferences(starred=given["starred"] == "true")
    return redirect("room", room)
