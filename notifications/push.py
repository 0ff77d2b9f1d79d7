"""Telling browsers in which no page is open. Looked at again before it goes, as mail is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from messages.markdown import excerpt
from notifications.encoding import WITHOUT_WORDS, name_of
from notifications.interest import Reason
from notifications.models import Delivery, Notification, Preferences, Subscription
from notifications.push_service import Unreachable

ONE_BY_ONE = 3
"""More of them are told as one."""
REPEATED = 3
"""Times that browsers which took it are told again because of another that did not."""


def sweep() -> list[int]:
    """For whom something is due."""
    return Delivery.objects.due(Delivery.Channel.PUSH, after=settings.CHAT_PUSH_AFTER)


def send(user_id: int) -> None:
    """Tell their browsers what waits, if they still want it and may see it. May be done twice:
    the second takes the place of the first on the screen.
    """
    delivery = Delivery.objects.take(user_id, Delivery.Channel.PUSH)
    if delivery is None:
        return
    user = delivery.user
    waiting = delivery.gather()
    own = Preferences.objects.of(user)
    if until := _held_until(delivery, own):
        delivery.postpone(waiting, until)
        return
    browsers = list(Subscription.objects.live().filter(user=user))
    wanted: list[Notification] = []
    if own.push and user.is_active and browsers:
        wanted = Notification.objects.filter(pk__in=[row.pk for row in waiting]).still_wanted(user)
    taken, problem = False, None
    for browser in browsers if wanted else ():
        try:
            for content in contents(wanted):
                taken = browser.send(content, urgency="high") or taken
        except Unreachable as unreachable:
            problem = unreachable
    if problem is not None and not (taken and delivery.failures >= REPEATED):
        delivery.fail(problem)
    else:
        delivery.finish(waiting, sent=taken)


def contents(rows: Sequence[Notification]) -> list[bytes]:
    """What is shown, each to be read by static/js/sw/push.js. With CHAT_PUSH_CONTENT=0 nothing of
    what was said.
    """
    if not settings.CHAT_PUSH_CONTENT or len(rows) > ONE_BY_ONE:
        words = "Something waits" if len(rows) == 1 else f"{len(rows)} things wait"
        told = [{"title": f"{words} for you", "body": "", "tag": "notifications"}]
        return [json.dumps({**told[0], "url": reverse("notifications")}).encode()]
    return [json.dumps(_content(row)).encode() for row in rows]


def _content(row: Notification) -> dict[str, str]:
    author, room = row.message.author.name, name_of(row)
    who = author if row.reason == Reason.MESSAGE else f"{author} {Reason(row.reason).label}"
    address = reverse("room", args=[row.room_id])
    return {
        "title": who if room == author else f"{who} in {room}",
        "body": excerpt(row.message.body) or WITHOUT_WORDS,
        "tag": f"message-{row.message_id}",
        "url": f"{address}?around={row.message_id}#message-{row.message_id}",
    }


def _held_until(delivery: Delivery, own: Preferences) -> datetime | None:
    now = timezone.now()
    if delivery.is_for_somebody_here():
        return now + settings.CHAT_PUSH_AFTER
    return own.quiet_end(now)
