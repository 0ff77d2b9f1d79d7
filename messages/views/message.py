"""One message: its own page, and changing, deleting, reacting to, acting on it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError, Forbidden, Invalid, NotFound
from accounts.models import User
from accounts.throttles import PostThrottle, slow_down
from messages.audience import Audience
from messages.encoding import Encoded, encode_for
from messages.forms import EditForm, may_write_in
from messages.models import Message
from messages.overview import names_of
from messages.receipts import readers
from messages.rendering import article
from messages.timeline import with_names
from robots import charge
from rooms.forms import show_error
from rooms.ids import read_id
from rooms.models import Participant
from rooms.views.seats import me
from rooms.views.sidebar import sidebar
from threads.models import leads, takes_one

EMOJI = ["👍", "👎", "❤️", "🎉", "😄", "🙏", "👀", "✅"]


def visible(request: HttpRequest, pk: int) -> Message:
    """A message one may see, with its room. Raises NotFound."""
    visible = Message.objects.visible_to(me(request)).filter(pk=pk)
    found: Message | None = visible.select_related("author", "room").first()
    if found is None:
        raise NotFound
    return found


def shown(user: User, message: Message) -> tuple[Encoded, SafeString]:
    """The message for `user`, and its element."""
    (encoded,) = with_names(encode_for(user, [message]))
    return encoded, article(encoded)


def in_room(message: Message) -> str:
    """Where it stands among the others."""
    room = reverse("room", args=[message.room_id])
    return f"{room}?around={message.pk}#message-{message.pk}"


@require_safe
@login_required
def detail(request: HttpRequest, message: int) -> HttpResponse:
    """The message alone, with all that one may do with it."""
    found, user = visible(request, message), me(request)
    seat = found.room.seat_of(user)
    encoded, element = shown(user, found)
    said = found.kind == Message.Kind.TEXT and not found.deleted_at
    writes = may_write_in(seat)
    context = {
        "message": encoded,
        "article": element,
        "room": {"id": found.room_id, "name": names_of(user, [found.room])[found.room_id]},
        "in_room": in_room(found),
        "link": request.build_absolute_uri(in_room(found)),
        "actions": encoded["data"].get("actions", []) if seat.may_write else [],
        "may_stop": writes and found.status == Message.Status.STREAMING,
        "may_ask": said and writes and charge.is_in_charge(seat),
        "may_open_sidebar": leads(seat) and found.room.is_open and takes_one(found),
        "may_share_back": said and found.room.is_sidebar and leads(seat),
        "may_react": writes and found.kind != Message.Kind.SYSTEM and not found.deleted_at,
        "emojis": _emojis(encoded, user),
        "may_reply": writes and said,
        "may_share": said and user.site_role is not None,
        "may_edit": writes and found.editable_by(user),
        "may_delete": found.removable_by(user),
        **_read_by(found, seat),
        "sidebar": sidebar(user, current=found.room_id),
    }
    return render(request, "messages/detail.html", context)


def _read_by(message: Message, seat: Participant) -> dict[str, Any]:
    """Who has read what one has said to everyone."""
    told = message.author_id == seat.user_id and message.audience == Audience.EVERYONE
    if not told or message.deleted_at:
        return {}
    people, count = readers(message, viewer=seat)
    return {"readers": people, "readers_count": count, "readers_more": count - len(people)}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, message: int) -> HttpResponse:
    """Say it differently, for a while."""
    found, user = visible(request, message), me(request)
    if not found.editable_by(user):
        raise Forbidden("Only one's own messages can be edited, and only for a while.")
    form = EditForm(request.POST or None, initial={"body": found.body})
    if request.method == "POST" and form.is_valid():
        try:
            slow_down(PostThrottle, request)
            found.edit(form.cleaned_data["body"].replace("\r\n", "\n"), by=user)
            return redirect(in_room(found))
        except DomainError as error:
            show_error(form, error)
    context = {"form": form, **_about(found, user)}
    return render(request, "messages/edit.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, message: int) -> HttpResponse:
    """Leave a tombstone in its place, once one has said that one means it."""
    found, user = visible(request, message), me(request)
    if request.method == "POST":
        found.remove(by=user)
        return redirect(in_room(found))
    if not found.removable_by(user):
        raise Forbidden("Only one's own messages can be deleted, or by who manages the room.")
    return render(request, "messages/delete.html", _about(found, user))


@require_POST
@login_required
def react(request: HttpRequest, message: int) -> HttpResponse:
    """Put an emoji there, or take one's own away."""
    found, user, emoji = visible(request, message), me(request), request.POST.get("emoji", "")
    if found.reactions.filter(user=user, emoji=emoji).exists():
        found.unreact(emoji, by=user)
    else:
        found.react(emoji, by=user)
    return redirect(in_room(found))


@require_POST
@login_required
def act(request: HttpRequest, message: int) -> HttpResponse:
    """Do what a card offers. A card that has changed meanwhile says so."""
    slow_down(PostThrottle, request)
    found, given = visible(request, message), request.POST
    version = read_id(given.get("version", ""))
    if version is None:
        raise Invalid("Which version of the card is meant?")
    data = {
        name.removeprefix("data-"): value for name, value in given.items() if name[:5] == "data-"
    }
    try:
        found.act(given.get("action", ""), version=version, data=data, by=me(request))
    except DomainError as error:
        flash.error(request, error.message)
        return redirect("message", message)
    return redirect(in_room(found))


@require_POST
@login_required
def read(request: HttpRequest, message: int) -> HttpResponse:
    """Have read up to here: said by a click where no script can see it."""
    found = visible(request, message)
    found.mark_read(by=me(request))
    return redirect("room", found.room_id)


@require_POST
@login_required
def unread(request: HttpRequest, message: int) -> HttpResponse:
    """Be unread from here on."""
    visible(request, message).mark_unread(by=me(request))
    flash.success(request, "Unread from there on.")
    return redirect("home")


def _about(message: Message, user: User) -> dict[str, Any]:
    encoded, element = shown(user, message)
    return {
        "message": encoded,
        "article": element,
        "in_room": in_room(message),
        "sidebar": sidebar(user, current=message.room_id),
    }


def _emojis(message: Encoded, user: User) -> list[dict[str, Any]]:
    """Those there are, and those most used."""
    there = {reaction["emoji"]: reaction for reaction in message["reactions"]}
    return [
        {
            "emoji": emoji,
            "count": there[emoji]["count"] if emoji in there else 0,
            "mine": emoji in there and user.pk in there[emoji]["users"],
        }
        for emoji in [*there, *(emoji for emoji in EMOJI if emoji not in there)]
    ]
