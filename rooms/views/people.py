"""Who is in a room: inviting, roles, removing, and the links that let people in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Case, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.api import known_to
from accounts.errors import DomainError, Invalid, NotFound
from accounts.models import User
from live.people import told_of
from messages.listeners import place_of
from messages.overview import overview
from rooms.forms import LinkForm
from rooms.ids import read_id
from rooms.models import Invitation, Participant
from rooms.modes import STAFF, Role, rules
from rooms.views.seats import me, my_seat
from rooms.views.sidebar import sidebar

A_PAGE = 100
SUGGESTED = 100
NEW_LINK = "new_invitation_link"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def people(request: HttpRequest, room: int) -> HttpResponse:
    """See them; and, for who manages the room, change who they are."""
    seat = my_seat(request, room)
    if request.method == "POST":
        deed = DEEDS.get(request.POST.get("do", ""))
        if deed is None:
            raise Invalid("This form asks for something there is not.")
        try:
            flash.success(request, deed(request, seat))
        except NotFound as error:
            flash.error(request, error.message if error.details else "They are not here any more.")
        except DomainError as error:
            flash.error(request, error.message)
        return redirect("room_people", room)
    return _show(request, seat)


def _show(request: HttpRequest, seat: Participant) -> HttpResponse:
    user, room = seat.user, seat.room
    (shown,) = overview(user, [room])
    table = rules(room.mode)
    given = [(role.value, role.label) for role in table.roles if role != Role.ROBOT]
    manages = room.managed_by(user)
    query = request.GET.get("q", "").strip()
    page = _page(seat, query, request.GET.get("page"))
    context = {
        "room": shown,
        "people": told_of(seat, list(page)),
        "query": query,
        "is_long": page.has_other_pages(),
        "next_number": page.next_page_number() if page.has_next() else None,
        "may_manage": manages,
        "is_sidebar": room.is_sidebar,
        "may_invite": manages and not room.is_open_sidebar,
        "may_message": user.site_role is not None,
        "roles": given,
        "default_role": Role.MEMBER if Role.MEMBER in table.roles else Role.CUSTOMER,
        "roles_to_give": given,
        "link_roles": [(role.value, role.label) for role in table.linkable],
        "sidebar": sidebar(user, current=room.pk),
    }
    if manages:
        seated = room.participants.values("user")
        known = known_to(user)
        if room.is_sidebar:
            known = known.filter(pk__in=Participant.objects.around(room).values("user"))
        context["invitable"] = (
            known.exclude(pk__in=seated).exclude(kind=User.Kind.ROBOT).order_by("name")[:SUGGESTED]
        )
        context["invitations"] = Invitation.objects.usable().filter(room=room).order_by("-pk")
        context["new_link"] = request.session.pop(NEW_LINK, None)
    return render(request, "rooms/people.html", context)


def _page(viewer: Participant, query: str, number: str | None) -> Page[Participant]:
    """Of the people of that name or handle: oneself, then who has a part here, then the others."""
    parts = (Role.OWNER, Role.ROBOT, *STAFF)
    first = Case(
        When(user=viewer.user_id, then=Value(0)),
        When(role__in=parts, then=Value(1)),
        default=Value(2),
    )
    known = Participant.objects.shown_to(viewer).select_related("user").order_by(first, "pk")
    named = Q(user__name__icontains=query) | Q(user__handle__icontains=query)
    return Paginator(known.filter(named) if query else known, A_PAGE).get_page(number)


def _invite(request: HttpRequest, seat: Participant) -> str:
    user = _named(request, seat)
    if user.is_robot:
        raise Invalid("Robots are not brought in as people.")
    seat.room.invite(user, by=me(request), role=request.POST.get("role") or None)
    return f"{user.name} is in."


def _change_role(request: HttpRequest, seat: Participant) -> str:
    user, role = _named(request, seat), request.POST.get("role", "")
    seat.room.change_role(user, role, by=me(request))
    return f"{user.name} is {role} now."


def _remove(request: HttpRequest, seat: Participant) -> str:
    user = _named(request, seat)
    seat.room.remove(user, by=me(request))
    return f"{user.name} is no longer in the {place_of(seat.room)}."


def _make_link(request: HttpRequest, seat: Participant) -> str:
    form = LinkForm(request.POST)
    if not form.is_valid():
        raise Invalid("Choose for how long, and for how many.")
    given = form.cleaned_data
    _, token = seat.room.create_invitation(
        by=me(request),
        role=given["role"] or None,
        expires_in=timedelta(seconds=given["expires_in"]),
        uses=given["uses"],
    )
    request.session[NEW_LINK] = request.build_absolute_uri(reverse("join", args=[token]))
    return "The link is made."


def _revoke(request: HttpRequest, seat: Participant) -> str:
    number = read_id(request.POST.get("invitation", ""))
    found = Invitation.objects.filter(room=seat.room, pk=number or 0).first()
    if found is None:
        raise NotFound
    found.revoke(by=me(request))
    return "The link leads nowhere now."


DEEDS: dict[str, Callable[[HttpRequest, Participant], str]] = {
    "invite": _invite,
    "role": _change_role,
    "remove": _remove,
    "link": _make_link,
    "revoke": _revoke,
}


def _named(request: HttpRequest, seat: Participant) -> User:
    """Somebody by handle, whom one may know of: in the room, or on the site."""
    seat.room.must_be_managed_by(me(request))
    handle = request.POST.get("user", "").strip().removeprefix("@").lower()
    here = seat.room.participants.filter(user__handle=handle).select_related("user").first()
    if here is not None:
        return here.user
    found: User | None = known_to(me(request)).filter(handle=handle).first()
    if found is None:
        raise NotFound(
            f"Nobody here has the handle “{handle}”.",
            details={"user": ["There is nobody like that."]},
        )
    return found
