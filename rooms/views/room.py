"""One room: what was said, who is in it, and what one may say there."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, datetime, time
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from accounts.errors import NotFound
from accounts.models import User
from accounts.prepared import first, prepared
from live.people import people_of
from messages import cursor
from messages.encoding import encode_for
from messages.forms import ComposerForm, audiences_for, may_write_in
from messages.history import History, Page
from messages.models import Message
from messages.overview import overview
from messages.receipts import Receipts
from messages.timeline import entries
from robots import charge
from rooms.ids import read_id
from rooms.models import Participant, Room
from rooms.modes import Role, hidden_from
from rooms.views.seats import me
from rooms.views.sidebar import sidebar
from threads.beside import around, has_sidebars, stubs_by_anchor, unread_in
from threads.models import leads

STARTS = ("before", "after", "around")


@require_safe
@login_required
def room(request: HttpRequest, room: int) -> HttpResponse:
    """The room, at the first message one has not read, or where the address says.

    A room one may enter uninvited shows its door.
    """
    user = me(request)
    seat = first(_seat(room=room, user=user.pk))
    if seat is None:
        found = Room.objects.findable_by(user).filter(pk=room).first()
        if found is None:
            raise NotFound
        if not found.is_open_sidebar:
            (shown,) = overview(user, [found])
            context = {"room": shown, "sidebar": sidebar(user)}
            return render(request, "rooms/enter.html", context)
        seat = Room.objects.seat_in(found.pk, user)
    seat.user = user
    return show(request, seat, ComposerForm(seat=seat, reply_to=_number(request, "reply_to")))


@prepared("room", "user")
def _seat(room: int, user: int) -> QuerySet[Participant]:
    return Participant.objects.filter(room=room, user=user).select_related("room")


def show(
    request: HttpRequest, seat: Participant, form: ComposerForm, *, status: int = 200
) -> HttpResponse:
    """The page of a room one is in, with what one was writing."""
    user, found = seat.user, seat.room
    beside = sidebar(user, current=found.pk)
    history = History(found, user)
    page, find = _page(request, seat, history)
    timeline = entries(encode_for(user, page.rows), me=user, last_read=seat.last_read)
    people = people_of(seat, ())
    reply_to, unread, is_crowded = form.original(), unread_in(seat), found.is_crowded
    context = {
        "room": beside["rooms"].get(found.pk) or overview(user, [found])[0],
        "timeline": timeline,
        "has_older": page.has_older,
        "has_newer": page.has_newer,
        "first_id": page.rows[0].pk if page.rows else 0,
        "last_id": page.rows[-1].pk if page.rows else 0,
        "newest_id": history.last() if page.has_newer else page.rows[-1].pk if page.rows else None,
        "find": find,
        "unread_from": next((entry for entry in timeline if entry.first_unread), None),
        "cursor": cursor.seal(found.pk, page.revision),
        "last_read": seat.last_read,
        "history_starts_late": found.history == Room.History.JOINED,
        "people": people,
        "whisper_people": [person for person in people if person["id"] != user.pk],
        "audiences": audiences_for(seat, people),
        "form": form,
        "reply_to": reply_to,
        "may_write": may_write_in(seat),
        "may_manage": found.managed_from(seat),
        "may_share": user.site_role is not None,
        "may_ask": may_write_in(seat) and charge.is_in_charge(seat),
        "may_open_sidebars": has_sidebars(seat) and leads(seat) and found.is_open,
        "reads": [] if is_crowded else [one._asdict() for one in Receipts([seat]).of(seat)],
        "shows_presence": not is_crowded,
        "may_see_robots": Role.ROBOT not in hidden_from(found.mode, seat.role),
        "edit_window": int(settings.CHAT_EDIT_WINDOW.total_seconds()),
        "sidebar": beside,
        "around": around(seat),
        "has_sidebars": has_sidebars(seat),
        "beside": stubs_by_anchor(seat, [message.pk for message in page.rows], unread),
        "sidebars_unread": unread,
    }
    return render(request, "rooms/room.html", context, status=status)


def _page(request: HttpRequest, seat: Participant, history: History) -> tuple[Page, int | None]:
    """The page one asks for, and the message that it is about, where it is about one."""
    for start in STARTS:
        place = _number(request, start)
        if place is not None:
            page: Page = getattr(history, start)(place)
            return page, place if start == "around" else None
    if day := _day(request, seat.user):
        begun = history.first_at(day)
        return history.newest() if begun is None else history.around(begun), begun
    newest = history.newest()
    if newest.has_older and newest.rows[0].pk > seat.last_read:
        unread = _first_unread(seat)
        if unread is not None and unread < newest.rows[0].pk:
            return history.around(unread), None
    return newest, None


def _day(request: HttpRequest, user: User) -> datetime | None:
    """When the day `?on=` begins where they are."""
    try:
        day = parse_date(request.GET.get("on", ""))
    except ValueError:
        return None
    known = day is not None and MINYEAR < day.year < MAXYEAR  # or it may begin in no year at all
    return datetime.combine(day, time.min, user.zone) if day and known else None


def _first_unread(seat: Participant) -> int | None:
    unread = Message.objects.unread_by(seat.user, after=seat.last_read).filter(room=seat.room)
    found: Any = unread.order_by("pk").values_list("pk", flat=True).first()
    return int(found) if found is not None else None


def _number(request: HttpRequest, name: str) -> int | None:
    return read_id(request.GET.get(name, ""))
