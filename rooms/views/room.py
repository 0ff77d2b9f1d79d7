"""One room: what was said, who is in it, and what one may say there."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.errors import NotFound
from live.arrival import people_of
from messages import cursor
from messages.encoding import encode_for
from messages.forms import ComposerForm, audiences_for, may_write_in
from messages.history import History, Page
from messages.models import Message
from messages.overview import overview
from messages.timeline import entries
from rooms.models import Participant, Room
from rooms.views.seats import me
from rooms.views.sidebar import sidebar

STARTS = ("before", "after", "around")


@require_safe
@login_required
def room(request: HttpRequest, room: int) -> HttpResponse:
    """The room, at the first message one has not read, or where the address says.

    A room one may enter uninvited shows its door.
    """
    user = me(request)
    found = Room.objects.findable_by(user).filter(pk=room).first()
    if found is None:
        raise NotFound
    seat = found.participant(user)
    if seat is None:
        (shown,) = overview(user, [found])
        context = {"room": shown, "sidebar": sidebar(user)}
        return render(request, "rooms/enter.html", context)
    return show(request, seat, ComposerForm(seat=seat, reply_to=_number(request, "reply_to")))


def show(
    request: HttpRequest, seat: Participant, form: ComposerForm, *, status: int = 200
) -> HttpResponse:
    """The page of a room one is in, with what one was writing."""
    user, found = seat.user, seat.room
    beside = sidebar(user, current=found.pk)
    page = _page(request, seat)
    people = people_of(seat, ())
    reply_to = form.original()
    context = {
        "room": beside["rooms"].get(found.pk) or overview(user, [found])[0],
        "timeline": entries(encode_for(user, page.rows), me=user, last_read=seat.last_read),
        "has_older": page.has_older,
        "has_newer": page.has_newer,
        "first_id": page.rows[0].pk if page.rows else 0,
        "last_id": page.rows[-1].pk if page.rows else 0,
        "around": request.GET.get("around", ""),
        "cursor": cursor.seal(found.pk, page.revision),
        "last_read": seat.last_read,
        "history_starts_late": found.history == Room.History.JOINED,
        "people": people,
        "whisper_people": [person for person in people if person["id"] != user.pk],
        "audiences": audiences_for(seat, people),
        "form": form,
        "reply_to": reply_to,
        "may_write": may_write_in(seat),
        "may_manage": found.managed_by(user),
        "may_share": user.site_role is not None,
        "edit_window": int(settings.CHAT_EDIT_WINDOW.total_seconds()),
        "sidebar": beside,
    }
    return render(request, "rooms/room.html", context, status=status)


def _page(request: HttpRequest, seat: Participant) -> Page:
    history = History(seat.room, seat.user)
    for start in STARTS:
        place = _number(request, start)
        if place is not None:
            page: Page = getattr(history, start)(place)
            return page
    newest = history.newest()
    if newest.has_older and newest.rows[0].pk > seat.last_read:
        first = _first_unread(seat)
        if first is not None and first < newest.rows[0].pk:
            return history.around(first)
    return newest


def _first_unread(seat: Participant) -> int | None:
    unread = Message.objects.unread_by(seat.user, after=seat.last_read).filter(room=seat.room)
    first: Any = unread.order_by("pk").values_list("pk", flat=True).first()
    return int(first) if first is not None else None


def _number(request: HttpRequest, name: str) -> int | None:
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
