"""Lists of rooms: what waits for one, what one may join, what waits at the desk; and a new one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.api import known_to
from accounts.errors import DomainError, Forbidden, NotFound
from accounts.models import User
from accounts.roles import SiteRole
from messages.overview import overview
from rooms.forms import RoomForm, show_error
from rooms.models import Room
from rooms.views.seats import me
from rooms.views.sidebar import sidebar

A_PAGE = 30


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """What is new in one's rooms; with `q`, the list holds only rooms of that name."""
    user, query = me(request), request.GET.get("q", "").strip()
    beside = sidebar(user, here="home", query=query)
    mine = beside["rooms"].values()
    all_mine = [*mine, *(side for room in mine for side in room["sidebars"])]
    waiting = [room for room in all_mine if room["unread"] and not room["me"]["muted"]]
    waiting.sort(key=lambda room: (bool(room["mentions"]), room["last_message_at"]), reverse=True)
    return render(request, "rooms/home.html", {"waiting": waiting, "sidebar": beside})


@require_safe
@login_required
def browse(request: HttpRequest) -> HttpResponse:
    """Public rooms, for members of the site."""
    user = me(request)
    if user.site_role is None:
        raise Forbidden("Guests see the rooms they were invited to.")
    rooms = Room.objects.public_for(user).exclude(state=Room.State.ARCHIVED).order_by("name", "pk")
    return _list(request, user, "rooms/browse.html", "browse", rooms, {})


@require_safe
@login_required
def desk(request: HttpRequest) -> HttpResponse:
    """Support rooms, the longest waiting first, for agents."""
    user = me(request)
    if not user.is_at_least(SiteRole.AGENT):
        raise Forbidden("The desk is for agents.")
    state = request.GET.get("state", "")
    rooms = Room.objects.desk_for(user)
    if state in Room.State.values:
        rooms = rooms.filter(state=state)
    else:
        rooms = rooms.filter(state__in=[Room.State.WAITING, Room.State.ACTIVE])
    rooms = rooms.order_by(F("waiting_since").asc(nulls_last=True), "-pk")
    states = [("", "Open"), *[(value, label) for value, label in Room.State.choices]]
    return _list(
        request, user, "rooms/desk.html", "desk", rooms, {"states": states, "state": state}
    )


def next_page(request: HttpRequest, page: Page[Any]) -> str | None:
    """Where the list goes on, asked as it was."""
    if not page.has_next():
        return None
    asked = request.GET.copy()
    asked["page"] = str(page.next_page_number())
    return f"?{asked.urlencode()}"


def _list(
    request: HttpRequest,
    user: User,
    template: str,
    here: str,
    rooms: QuerySet[Room],
    more: dict[str, object],
) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    page = Paginator(rooms.filter(name__icontains=query), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "rooms": overview(user, list(page)),
        "query": query,
        "next_page": next_page(request, page),
        "sidebar": sidebar(user, here=here),
        **more,
    }
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Open a room, with its people at once."""
    user = me(request)
    if user.site_role is None:
        raise Forbidden("Guests cannot make rooms.")
    form = RoomForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("room", Room.objects.open(**form.cleaned_data, by=user).pk)
        except DomainError as error:
            show_error(form, error)
    context = {"form": form, "sidebar": sidebar(user)}
    return render(request, "rooms/new.html", context, status=400 if form.errors else 200)


@require_POST
@login_required
def join(request: HttpRequest, room: int) -> HttpResponse:
    """Enter a public room, or a support room as its staff."""
    found = Room.objects.findable_by(me(request)).filter(pk=room).first()
    if found is None:
        raise NotFound
    found.join(by=me(request))
    return redirect("room", room)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def direct(request: HttpRequest, handle: str) -> HttpResponse:
    """The one room of two. A link leads to it where it is there; making it takes a click."""
    user = me(request)
    other = known_to(user).filter(handle=handle).first()
    if other is None or user.site_role is None:
        raise NotFound
    if request.method == "POST":
        return redirect("room", Room.objects.direct(other, by=user).pk)
    shared = Room.objects.for_user(user).filter(participants__user=other)
    found = shared.filter(direct_key__isnull=False).first()
    if found is not None and other != user:
        return redirect("room", found.pk)
    return render(request, "rooms/direct.html", {"other": other, "sidebar": sidebar(user)})
