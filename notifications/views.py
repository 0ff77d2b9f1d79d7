"""The pages of notifications: what one is told of, and how one wants to be told."""

from __future__ import annotations

from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import Invalid, NotFound
from messages.encoding import Encoded
from notifications import digest
from notifications.encoding import encode_for
from notifications.forms import PreferencesForm
from notifications.interest import Reason
from notifications.models import Notification, Preferences
from rooms.forms import show_error
from rooms.ids import read_id
from rooms.views.seats import me
from rooms.views.sidebar import sidebar

A_PAGE = 30


@require_safe
@login_required
def notifications(request: HttpRequest) -> HttpResponse:
    """What one is told of, the newest first."""
    user = me(request)
    mine = Notification.objects.for_user(user).with_messages().order_by("-pk")
    if before := read_id(request.GET.get("before", "")):
        mine = mine.filter(pk__lt=before)
    rows = list(mine[: A_PAGE + 1])
    shown = [_with_words(row) for row in encode_for(rows[:A_PAGE])]
    context = {
        "told": shown,
        "unread": Notification.objects.for_user(user).unread().exists(),
        "upto": shown[0]["id"] if shown else None,
        "next_page": f"?before={shown[-1]['id']}" if len(rows) > A_PAGE else None,
        "is_continued": bool(before),
        "sidebar": sidebar(user, here="notifications"),
    }
    return render(request, "notifications/list.html", context)


def _with_words(row: Encoded) -> Encoded:
    room = reverse("room", args=[row["room"]["id"]])
    return {
        **row,
        "why": Reason(row["reason"]).label,
        "url": f"{room}?around={row['message']}#message-{row['message']}",
    }


@require_POST
@login_required
def read(request: HttpRequest) -> HttpResponse:
    """Put them away: one, or all that the page has shown."""
    user, given = me(request), request.POST
    if only := read_id(given.get("notification", "")):
        Notification.objects.put_away(by=user, only=[only])
    elif upto := read_id(given.get("upto", "")):
        Notification.objects.put_away(by=user, upto=upto)
    else:
        raise Invalid("This form asks for something there is not.")
    return redirect("notifications")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    """Choose how one is told."""
    user = me(request)
    own = Preferences.objects.of(user)
    form = PreferencesForm(request.POST if request.method == "POST" else None, own=own)
    if request.method == "POST" and form.is_valid():
        try:
            own.change(by=user, **form.cleaned_data)
        except Invalid as error:
            show_error(form, error)
        else:
            flash.success(request, "Your choices are saved.")
            return redirect("notification_preferences")
    context = {"form": form, "zone": user.zone, "sidebar": sidebar(user, here="notifications")}
    return render(request, "notifications/preferences.html", context, status=_status(form))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """End somebody's mail, by the link in it alone: their mail program may press it (RFC 8058).
    Looking at it changes nothing.
    """
    account = digest.unsubscriber(token)
    if account is None:
        raise NotFound
    if request.method == "POST":
        Preferences.objects.of(account).change(by=account, mail=False)
    context = {"account": account, "is_done": request.method == "POST"}
    return render(request, "notifications/unsubscribe.html", context)


def _status(form: PreferencesForm) -> int:
    return 400 if form.errors else 200
