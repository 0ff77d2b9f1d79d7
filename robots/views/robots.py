"""The robots there are: for members to meet, for staff to set up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError, Forbidden, NotFound
from accounts.models import User
from accounts.roles import SiteRole
from accounts.throttles import PostThrottle, slow_down
from messages.overview import names_of
from robots.forms.asking import TryForm
from robots.forms.robot import RobotForm
from robots.models import Reply, Robot
from robots.models.robot import RobotQuerySet
from rooms.forms import show_error
from rooms.models import Participant, Room
from rooms.modes import Role
from rooms.views.lists import A_PAGE, next_page
from rooms.views.seats import me
from rooms.views.sidebar import sidebar


@dataclass(frozen=True)
class Today:
    """What a robot does and has taken this day (UTC)."""

    running: int
    tokens: int
    cost: Decimal


@require_safe
@login_required
def robots(request: HttpRequest) -> HttpResponse:
    """All of them; staff see what they cost and do, and may add more."""
    user = _member(request)
    query = request.GET.get("q", "").strip()
    found = _known_to(user).filter(user__name__icontains=query).order_by("user__name", "pk")
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    today = _today(page) if is_staff(user) else {}
    context = {
        "robots": [{"robot": robot, "today": today.get(robot.pk)} for robot in page],
        "query": query,
        "next_page": next_page(request, page),
        "is_staff": is_staff(user),
        "sidebar": sidebar(user, here="robots"),
    }
    return render(request, "robots/list.html", context)


@require_safe
@login_required
def robot(request: HttpRequest, robot: int) -> HttpResponse:
    """One robot, and something to say to it."""
    user = _member(request)
    return _show(request, user, _find(user, robot), TryForm())


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Make one."""
    user = _staff(request)
    form = _form(request, user)
    made = _saved(form, user, lambda config: Robot.objects.add(by=user, **config))
    if made is None:
        return _show_form(request, user, form)
    flash.success(request, f"{made.user.name} is ready.")
    return redirect("robot", made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, robot: int) -> HttpResponse:
    """Set it up differently."""
    user = _staff(request)
    found = _find(user, robot)
    form = _form(request, user, found)

    def change(config: dict[str, Any]) -> Robot:
        found.update(by=user, **config)
        return found

    if _saved(form, user, change) is None:
        return _show_form(request, user, form, found)
    flash.success(request, "The settings are saved.")
    return redirect("robot", found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def retire(request: HttpRequest, robot: int) -> HttpResponse:
    """Take it out of every room, once one has said that one means it."""
    user = _staff(request)
    found = _find(user, robot)
    if request.method == "POST":
        found.retire(by=user)
        flash.success(request, f"{found.user.name} is retired.")
        return redirect("robots")
    rooms = Participant.objects.filter(
        user=found.user, room__direct_key=None, room__parent=None
    ).count()
    context = {"robot": found, "rooms": rooms, "sidebar": sidebar(user, here="robots")}
    return render(request, "robots/retire.html", context)


@require_POST
@login_required
def talk(request: HttpRequest, robot: int) -> HttpResponse:
    """Say something to it, in the room that one has with it alone."""
    user = _member(request)
    found = _find(user, robot)
    form = TryForm(request.POST)
    if not form.is_valid():
        return _show(request, user, found, form, status=400)
    try:
        slow_down(PostThrottle, request)
        room = Room.objects.direct(found.user, by=user)
        said = room.messages.post(form.cleaned_data["body"].replace("\r\n", "\n"), by=user)
    except DomainError as error:
        show_error(form, error)
        return _show(request, user, found, form, status=error.status)
    return redirect(f"{reverse('room', args=[room.pk])}#message-{said.pk}")


def is_staff(user: User) -> bool:
    """Whether `user` sets robots up, and sees how they are."""
    return user.is_at_least(SiteRole.AGENT)


def _show(
    request: HttpRequest, user: User, robot: Robot, form: TryForm, *, status: int = 200
) -> HttpResponse:
    staff = is_staff(user)
    # Customers are not told who is behind the room that they are served in.
    shows = Participant.objects.filter(user=user).exclude(role=Role.CUSTOMER)
    mine = Room.objects.filter(pk__in=shows.values("room"), participants__user=robot.user)
    rooms = list(mine.filter(direct_key=None).order_by("name", "pk"))
    names = names_of(user, rooms)
    context = {
        "robot": robot,
        "today": _today([robot])[robot.pk] if staff else None,
        "is_staff": staff,
        "rooms": [(room, names[room.pk]) for room in rooms],
        "form": form,
        "sidebar": sidebar(user, here="robots"),
    }
    return render(request, "robots/robot.html", context, status=status)


def _form(request: HttpRequest, user: User, robot: Robot | None = None) -> RobotForm:
    if request.method != "POST":
        return RobotForm(user=user, robot=robot)
    return RobotForm(request.POST, request.FILES, user=user, robot=robot)


def _show_form(
    request: HttpRequest, user: User, form: RobotForm, robot: Robot | None = None
) -> HttpResponse:
    context = {"form": form, "robot": robot, "sidebar": sidebar(user, here="robots")}
    return render(request, "robots/edit.html", context, status=400 if form.errors else 200)


def _saved(form: RobotForm, by: User, verb: Callable[[dict[str, Any]], Robot]) -> Robot | None:
    """What the verb makes of the form, all or nothing; None where it is to be shown (again)."""
    if not form.is_valid():
        return None
    try:
        with transaction.atomic():
            robot = verb(form.config)
            _picture(robot, form, by=by)
    except DomainError as error:
        _show_error(form, error)
        return None
    return robot


def _picture(robot: Robot, form: RobotForm, *, by: User) -> None:
    given = form.cleaned_data
    if given["picture"]:
        robot.set_avatar(given["picture"], by=by)
    elif given.get("remove_picture"):
        robot.set_avatar(None, by=by)


def _show_error(form: RobotForm, error: DomainError) -> None:
    """A picture is an `avatar` to the verb."""
    if "avatar" in error.details:
        form.add_error("picture", error.details["avatar"])
    else:
        show_error(form, error)


def _member(request: HttpRequest) -> User:
    user = me(request)
    if user.site_role is None:
        raise Forbidden("Robots are for members of this site.")
    return user


def _staff(request: HttpRequest) -> User:
    user = _member(request)
    if not is_staff(user):
        raise Forbidden("Robots are configured by agents and above.")
    return user


def _known_to(user: User) -> RobotQuerySet:
    """Those switched off are the staff's to see."""
    known: RobotQuerySet = Robot.objects.known_to(user)
    return known if is_staff(user) else known.filter(enabled=True)


def _find(user: User, pk: int) -> Robot:
    found: Robot | None = _known_to(user).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def _today(robots: Iterable[Robot]) -> Mapping[int, Today]:
    """By robot. What counts is what their budgets count."""
    running = Reply.objects.running().filter(robot__in=[robot.pk for robot in robots])
    counts = dict(running.values_list("robot").annotate(Count("pk")))
    spent = Robot.objects.filter(pk__in=[robot.pk for robot in robots]).spent_today()
    return {robot.pk: Today(counts.get(robot.pk, 0), *spent[robot.pk]) for robot in robots}
