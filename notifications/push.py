"""Telling browsers in which no page is open. Looked at again before it goes, as mail is."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from messages.markdown import excerpt
from notifications.encoding import WITHOUT_WORDS, name_of
from notifications.interest import Reason
from notifications.models import Delivery, Notification, Preferences, Subscription
from notifications.models.delivery import GATHERED, GIVEN_UP_AFTER, TOLD_AT_ONCE
from notifications.push_service import Unreachable

logger = logging.getLogger(__name__)

ONE_BY_ONE = 3
"""More of them are told as one."""


def sweep() -> list[int]:
    """For whom something is due: to all of their browsers, or to one that did not take it."""
    due = Delivery.objects.due(Delivery.Channel.PUSH, after=settings.CHAT_PUSH_AFTER)
    owed = Subscription.objects.owed().values_list("user", flat=True)
    return list(dict.fromkeys([*due, *owed[:TOLD_AT_ONCE]]))


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
        Subscription.objects.filter(user=user, retry_at__lt=until).update(retry_at=until)
        delivery.postpone(waiting, until)
        return
    browsers = list(Subscription.objects.live().filter(user=user).order_by("pk"))
    wanted = _wanted(user, waiting, browsers) if own.push and user.is_active else []
    new = {row.pk for row in waiting}
    taken = False
    for browser in browsers:
        rows = [row for row in wanted if row.pk in new or browser.is_owed(row.pk)]
        taken = _tell(browser, rows) or taken
    delivery.finish(waiting, sent=taken)


def _wanted(
    user: User, waiting: Sequence[Notification], browsers: Sequence[Subscription]
) -> list[Notification]:
    """What is new to all of them, and what some of them have not taken yet."""
    if not browsers:
        return []
    pks = {row.pk for row in waiting}
    if owed := [browser.owed_from for browser in browsers if browser.owed_from is not None]:
        since = Notification.objects.filter(user=user, pk__gte=min(owed))
        lately = since.filter(created_at__gt=timezone.now() - GIVEN_UP_AFTER)
        pks.update(lately.order_by("-pk").values_list("pk", flat=True)[:GATHERED])
    rows: list[Notification] = Notification.objects.filter(pk__in=pks).still_wanted(user)
    return rows


def _tell(browser: Subscription, rows: Sequence[Notification]) -> bool:
    """Whether it took any of it. What it does not take it is owed, and no other is told again for
    its sake, or waits for it.
    """
    if browser.is_left_alone:
        if rows:
            browser.owe(rows[0].pk)
        return False
    taken = False
    try:
        for content in contents(rows) if rows else ():
            taken = browser.send(content, urgency="high") or taken
    except Unreachable as problem:
        logger.warning("%s could not be told: %s", browser, problem)
        browser.owe(rows[0].pk)
    else:
        browser.settle()
    return taken


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
