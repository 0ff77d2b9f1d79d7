"""What a mail says: all that waits for one person, by room, each with its beginning."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import User
from messages.markdown import excerpt
from notifications.encoding import WITHOUT_WORDS, name_of
from notifications.interest import Reason
from notifications.models import Notification

SHOWN = 30
WORDS = 300
SALT = "notifications.unsubscribe"


def compose(user: User, rows: Sequence[Notification]) -> EmailMultiAlternatives:
    """To send to `user`. With CHAT_MAIL_CONTENT=0 it says that something waits, and no more."""
    shown = sorted(rows[:SHOWN], key=lambda row: (row.room_id, row.pk))
    context = {
        "user": user,
        "count": len(rows),
        "more": len(rows) - len(shown),
        "rooms": _rooms(user, shown) if settings.CHAT_MAIL_CONTENT else [],
        "all": absolute(reverse("notifications")),
        "settings": absolute(reverse("notification_preferences")),
        "unsubscribe": absolute(unsubscribing(user)),
    }
    mail = EmailMultiAlternatives(
        subject=_subject(rows),
        body=render_to_string("notifications/mail/digest.txt", context),
        to=[str(user.email)],
        headers=_headers(user, rows),
    )
    mail.attach_alternative(
        render_to_string("notifications/mail/digest.html", context), "text/html"
    )
    return mail


def _rooms(user: User, rows: Sequence[Notification]) -> list[dict[str, Any]]:
    return [
        {
            "name": name_of(some[0]),
            "url": absolute(reverse("room", args=[some[0].room_id])),
            "said": [_said(user, row) for row in some],
        }
        for some in (list(group) for _, group in groupby(rows, key=lambda row: row.room_id))
    ]


def _said(user: User, row: Notification) -> dict[str, Any]:
    message = row.message
    room = reverse("room", args=[row.room_id])
    return {
        "who": message.author.name,
        "why": Reason(row.reason).label,
        "words": excerpt(message.body, WORDS) or WITHOUT_WORDS,
        "at": f"{message.created_at.astimezone(user.zone):%H:%M}",
        "url": absolute(f"{room}?around={message.pk}#message-{message.pk}"),
    }


def _subject(rows: Sequence[Notification]) -> str:
    if not settings.CHAT_MAIL_CONTENT:
        return "Something waits for you" if len(rows) == 1 else f"{len(rows)} things wait for you"
    first, rooms = rows[0], {row.room_id for row in rows}
    if len(rows) == 1:
        subject = f"{first.message.author.name} {Reason(first.reason).label} in {name_of(first)}"
    elif len(rooms) == 1:
        subject = f"{len(rows)} messages in {name_of(first)}"
    else:
        subject = f"{len(rows)} messages in {len(rooms)} rooms"
    return " ".join(subject.split())  # a name with a line break would be another header


def _headers(user: User, rows: Sequence[Notification]) -> dict[str, str]:
    """The same things sent twice are the same mail; all to one person are one thread. RFC 3834: no
    answers by machines, please. RFC 8058: one click ends them.
    """
    host = urlsplit(settings.CHAT_URL).hostname or "localhost"
    headers = {
        "Message-ID": f"<notifications-{user.pk}-{rows[0].pk}-{rows[-1].pk}@{host}>",
        "References": f"<notifications-{user.pk}@{host}>",
        "Auto-Submitted": "auto-generated",
    }
    if settings.CHAT_URL:
        headers["List-Unsubscribe"] = f"<{absolute(unsubscribing(user))}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def unsubscribing(user: User) -> str:
    """Where one click ends their mail: signed, for they need not be signed in."""
    return reverse("notifications_unsubscribe", args=[signing.dumps(user.pk, salt=SALT)])


def unsubscriber(token: str) -> User | None:
    """Whose link this is; None where it is nobody's."""
    try:
        pk = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=pk).first()


def absolute(path: str) -> str:
    return f"{settings.CHAT_URL or 'http://localhost:8000'}{path}"
