"""Saying something again to others: one sees the copy, changes it, chooses who sees it."""

from __future__ import annotations

from uuid import uuid4

from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError, Forbidden, NotFound
from accounts.models import User
from accounts.throttles import PostThrottle, slow_down
from messages.forms import ShareForm, offer_anew
from messages.models import Message
from messages.overview import names_of
from messages.views.message import in_room, shown, visible
from rooms.forms import show_error
from rooms.ids import read_id
from rooms.models import Participant, Room
from rooms.modes import rules
from rooms.views.seats import me
from rooms.views.sidebar import sidebar

NAMED = 100


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def share(request: HttpRequest, message: int) -> HttpResponse:
    """See the copy and commit it. With `look`, see it again for the room chosen."""
    found, user = visible(request, message), me(request)
    if user.site_role is None:
        raise Forbidden("Guests cannot share messages.")
    rooms = rooms_to_write_in(user)
    seat = _target(request, rooms, found)
    form = _form(request, found, rooms, seat)
    if form.is_valid():
        try:
            posted = _commit(request, form, found, seat)
        except Message.IdempotencyConflict:
            offer_anew(form)
        except DomainError as error:
            show_error(form, error)
        else:
            flash.success(request, f"Shared with {rooms[seat.room_id]}.")
            return redirect(in_room(posted))
    encoded, _ = shown(user, found)
    context = {
        "message": encoded,
        "form": form,
        "in_room": in_room(found),
        "sidebar": sidebar(user, current=found.room_id),
    }
    return render(request, "messages/share.html", context, status=400 if form.errors else 200)


def rooms_to_write_in(user: User) -> dict[int, str]:
    """Where one may say something now, by name."""
    seats = Participant.objects.filter(user=user).select_related("room")
    rooms = [
        seat.room
        for seat in seats
        if seat.room.is_open and seat.role in rules(seat.room.mode).writers
    ]
    return dict(sorted(names_of(user, rooms).items(), key=lambda item: item[1].casefold()))


def _target(request: HttpRequest, rooms: dict[int, str], message: Message) -> Participant:
    """One's seat in the room chosen; else in the message's own; else anywhere. Raises NotFound."""
    asked = read_id(request.POST.get("room", ""))
    chosen = message.room_id if asked is None else asked
    pk = chosen if chosen in rooms else next(iter(rooms), None)
    if pk is None or (asked is not None and chosen not in rooms):
        raise NotFound
    return Room.objects.seat_in(pk, me(request))


def _form(
    request: HttpRequest, message: Message, rooms: dict[int, str], seat: Participant
) -> ShareForm:
    initial = {
        "client_id": request.POST.get("client_id") or uuid4(),
        "body": request.POST.get("body", message.body),
        "room": seat.room_id,
        "audience": "everyone",
    }
    known = Participant.objects.shown_to(seat).exclude(user=seat.user_id).select_related("user")
    people = list(known.order_by("user__name")[:NAMED])
    looks = request.method != "POST" or "look" in request.POST
    given = None if looks else request.POST
    return ShareForm(given, rooms=rooms, seat=seat, people=people, initial=initial)


def _commit(request: HttpRequest, form: ShareForm, message: Message, seat: Participant) -> Message:
    slow_down(PostThrottle, request)
    given = form.cleaned_data
    body = given["body"].replace("\r\n", "\n")
    posted = message.share(
        by=seat.user,
        room=seat.room,
        audience=given["audience"],
        to=given["to"] if given["audience"] == "only" else (),
        body=None if body == message.body else body,
        client_id=given["client_id"],
    )
    return posted.message
