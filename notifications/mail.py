"""Mail for people who are away: one for all that has gathered, looked at again before it goes."""

from __future__ import annotations

import logging
from datetime import datetime
from smtplib import SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from notifications import digest
from notifications.models import Delivery, Notification, Preferences

logger = logging.getLogger(__name__)


def sweep() -> list[int]:
    """For whom something is due."""
    return Delivery.objects.due(Delivery.Channel.MAIL, after=settings.CHAT_MAIL_AFTER)


def send(user_id: int) -> None:
    """Send what waits for them, if they still want it and may see it. May be done twice: a second
    one finds nothing, or has the same Message-ID where nothing came or was read in between.
    """
    delivery = Delivery.objects.take(user_id, Delivery.Channel.MAIL)
    if delivery is None:
        return
    user = delivery.user
    waiting = delivery.gather()
    own = Preferences.objects.of(user)
    if until := _held_until(delivery, own):
        delivery.postpone(waiting, until)
        return
    mine = Notification.objects.filter(pk__in=[row.pk for row in waiting])
    wanted = mine.still_wanted(user) if _takes_mail(user, own) else []
    try:
        if wanted:
            digest.compose(user, wanted).send()
    except SMTPRecipientsRefused:
        logger.warning("The address of user %s takes no mail.", user_id)
        wanted = []
    except (OSError, SMTPException) as problem:
        delivery.fail(problem)
        return
    delivery.finish(waiting, sent=bool(wanted))


def _takes_mail(user: User, own: Preferences) -> bool:
    """People alone: what a guest or customer gave as their address nobody has looked at."""
    return own.mail and user.is_active and user.kind == User.Kind.PERSON and bool(user.email)


def _held_until(delivery: Delivery, own: Preferences) -> datetime | None:
    """Until when nothing goes: they are there, or want quiet, or had one just now."""
    now = timezone.now()
    if delivery.is_for_somebody_here():
        return now + settings.CHAT_MAIL_AFTER
    if (quiet := own.quiet_end(now)) is not None:
        return quiet
    if delivery.sent_at is not None and delivery.sent_at + settings.CHAT_MAIL_PAUSE > now:
        return delivery.sent_at + settings.CHAT_MAIL_PAUSE
    return None
