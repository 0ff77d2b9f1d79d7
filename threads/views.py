"""The pages of side-bars: opening one, sharing back, concluding. What is said is on its room's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import DomainError, Forbidden, NotFound
from accounts.models import User
from accounts.throttles import PostThrottle, slow_down
from messages.forms import offer_anew
from messages.markdown import excerpt
from messages.models import Message
from messages.overview import names_of
from messages.views.message import in_room, shown, visible
from rooms.forms import show_error
from rooms.ids import read_id
from rooms.models import Participant, Room
from rooms.modes import Mode, Role
from rooms.views.seats import me
from rooms.views.sidebar import sidebar as rooms_beside
from threads import wording
from threads.forms import NAMED, OpenForm, SaidForm
from threads.models import Sidebar, leads

OFFERED = 50
"""Messages that are offered to be shared, the newest."""
EXCERPT = 280
"""Characters of each."""
DRAFTS = 3
"""Robots' answers that are offered to begin a conclusion with."""


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def open_beside(request: HttpRequest, message: int) -> HttpResponse:
    """Open one on a message, and go there."""
    anchor, user = visible(request, message), me(request)
    seat = anchor.room.seat_of(user)
    if not leads(seat):
        raise Forbidden("You may read here, but not open side-bars.")
    form = OpenForm(request.POST or None, seat=seat)
    if request.method == "POST" and form.is_valid():
        try:
            slow_down(PostThrottle, request)
            opened = Sidebar.objects.open(anchor, by=user, **form.cleaned_data)
        except DomainError as error:
            show_error(form, error)
        else:
            return redirect("room", opened.pk)
    encoded, element = shown(user, anchor)
    context = {
        "form": form,
        "message": encoded,
        "article": element,
        "in_room": in_room(anchor),
        "sidebar": rooms_beside(user, current=anchor.room_id),
    }
    return render(request, "threads/open.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def share(request: HttpRequest, sidebar: int) -> HttpResponse:
    """Choose messages; see the copy, change it, and say it in the room around."""
    found, seat, outer = _led(request, sidebar)
    chosen = _chosen(request, found)
    # What was named in the form and is gone since is refused: its words are in the copy.
    named = _named(request) if request.method == "POST" else [message.pk for message in chosen]
    if not named or "choose" in request.GET:
        return _choose(request, found, seat, outer, {message.pk for message in chosen})
    body = chosen[0].body if len(chosen) == 1 else wording.digest(chosen)
    form = _form(request, outer, body)

    def say(**said: Any) -> None:
        as_it_was = said["body"] == body.replace("\r\n", "\n")
        given = {**said, "body": None if as_it_was else said["body"]}
        found.share(named, by=seat.user, **given)

    if _said(request, form, say):
        flash.success(request, f"Shared with {_name(outer)}.")
        return redirect("room", sidebar)
    context = {**_about(found, seat, outer), "form": form, "named": named}
    return render(request, "threads/share.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def conclude(request: HttpRequest, sidebar: int) -> HttpResponse:
    """Say what came of it, or nothing, and end it."""
    found, seat, outer = _led(request, sidebar)
    if found.concluded_at and request.method != "POST":
        raise Sidebar.Concluded
    begun = _chosen(request, found)
    form = _form(request, outer, begun[0].body if begun else "")
    form.fields["body"].label = "What came of it"

    def say(**said: Any) -> None:
        try:
            found.conclude(by=seat.user, **said)
        except Message.IdempotencyConflict as conflict:
            if found.concluded_at:  # there is nothing more to be said
                raise Sidebar.Concluded from conflict
            raise

    if _said(request, form, say):
        flash.success(request, "The side-bar is concluded.")
        return redirect("room", sidebar)
    anchor = Message.objects.visible_to(seat.user).filter(pk=found.anchor_id, deleted_at=None)
    context = {
        **_about(found, seat, outer),
        "form": form,
        "answers": anchor.select_related("author").first(),
        "drafts": _said_by_robots(found, seat.user),
        "robots": _robots(found.room),
    }
    return render(request, "threads/conclude.html", context, status=400 if form.errors else 200)


@require_POST
@login_required
def draft(request: HttpRequest, sidebar: int) -> HttpResponse:
    """Ask a robot in the side-bar what came of it. Who concludes is offered its answer."""
    found, seat, _ = _led(request, sidebar)
    robot = _robots(found.room).filter(user__handle=request.POST.get("robot", "")).first()
    if robot is None:
        raise NotFound
    slow_down(PostThrottle, request)
    found.room.messages.post(wording.DRAFT.format(handle=robot.user.handle), by=seat.user)
    flash.success(request, f"{robot.user.name} was asked. Conclude once the draft is there.")
    return redirect("room", sidebar)


# What they are made of


def _led(request: HttpRequest, pk: int) -> tuple[Sidebar, Participant, Participant]:
    """The side-bar, one's seat in it and the one around it. Raises NotFound, Forbidden."""
    user = me(request)
    found = Sidebar.objects.filter(pk=pk).select_related("room__parent").first()
    if found is None:
        raise NotFound
    seat = Room.objects.seat_in(pk, user)
    seat.user = user
    if not leads(seat):
        raise Forbidden("You may read here, but not share or conclude.")
    outer = Room.objects.seat_in(found.room.parent_id, user)
    outer.user = user
    outer.room.must_be_open()
    return found, seat, outer


def _chosen(request: HttpRequest, sidebar: Sidebar) -> list[Message]:
    """Those named that one may see here, in their order."""
    pks = _named(request)
    visible = Message.objects.visible_to(me(request)).filter(room=sidebar.pk, deleted_at=None)
    wanted = visible.filter(pk__in=pks[: settings.CHAT_SHARED_AT_ONCE])
    return list(wanted.select_related("author").order_by("pk"))


def _named(request: HttpRequest) -> list[int]:
    given = request.POST if request.method == "POST" else request.GET
    return [pk for pk in map(read_id, given.getlist("message")) if pk is not None]


def _choose(
    request: HttpRequest,
    sidebar: Sidebar,
    seat: Participant,
    outer: Participant,
    chosen: set[int],
) -> HttpResponse:
    visible = Message.objects.visible_to(seat.user).filter(
        room=sidebar.pk, kind=Message.Kind.TEXT, deleted_at=None
    )
    rows = list(visible.with_people().order_by("-pk")[:OFFERED])[::-1]
    context = {
        **_about(sidebar, seat, outer),
        "offered": [(row, excerpt(row.body, EXCERPT)) for row in rows],
        "chosen": chosen,
        "most": settings.CHAT_SHARED_AT_ONCE,
    }
    return render(request, "threads/choose.html", context)


def _robots(room: Room) -> QuerySet[Participant]:
    """Who could be asked there."""
    robots = Participant.objects.of(room).filter(role=Role.ROBOT, user__is_active=True)
    return robots.select_related("user").order_by("user__name")


def _said_by_robots(sidebar: Sidebar, user: User) -> list[dict[str, Any]]:
    """The newest answers that one may see, the newest first."""
    said = Message.objects.visible_to(user).filter(
        room=sidebar.pk,
        kind=Message.Kind.TEXT,
        status=Message.Status.COMPLETE,
        author_role=Role.ROBOT,
        deleted_at=None,
    )
    newest = said.select_related("author").order_by("-pk")[:DRAFTS]
    return [{"message": one, "excerpt": excerpt(one.body, EXCERPT)} for one in newest]


def _form(request: HttpRequest, outer: Participant, body: str) -> SaidForm:
    known = Participant.objects.shown_to(outer).exclude(user=outer.user_id)
    people = list(known.select_related("user").order_by("user__name")[:NAMED])
    initial = {"client_id": uuid4(), "body": body}
    return SaidForm(request.POST or None, seat=outer, people=people, initial=initial)


def _said(request: HttpRequest, form: SaidForm, say: Callable[..., object]) -> bool:
    """Whether what was sent could be said; else the form shows why not."""
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        slow_down(PostThrottle, request)
        say(**form.said)
    except Message.IdempotencyConflict:
        offer_anew(form)
        return False
    except DomainError as error:
        show_error(form, error)
        return False
    return True


def _about(sidebar: Sidebar, seat: Participant, outer: Participant) -> dict[str, Any]:
    return {
        "side": sidebar,
        "room_name": _name(outer),
        "is_support": outer.room.mode == Mode.SUPPORT,
        "back": reverse("room", args=[sidebar.pk]),
        "sidebar": rooms_beside(seat.user, current=sidebar.pk),
    }


def _name(seat: Participant) -> str:
    """Of the room around it, as one knows it."""
    return names_of(seat.user, [seat.room])[seat.room_id]
