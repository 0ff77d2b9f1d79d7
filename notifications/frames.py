"""What being told adds to the socket: `notification`, to nobody but the one who is told."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from live import database, frames, protocol
from live.gathering import Gathering
from live.hub import Hub
from messages.audience import Reader
from messages.encoding import Encoded
from notifications.encoding import encode
from notifications.interest import weigh
from notifications.models import Notification, Preferences
from rooms.models import Participant

logger = logging.getLogger(__name__)

KIND = "notification"
AT_ONCE = 100
"""Messages of one look."""
INTERVAL = 0.25
"""Seconds between two moments."""


class News(NamedTuple):
    user: int
    notification: Encoded
    quiet: bool


@protocol.hears(KIND)
class Teller:
    """Tells the people of one process what they are notified of, all of a moment in one look."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._news = Gathering(hub, self._tell_some, interval=INTERVAL, at_once=AT_ONCE)

    def __call__(self, news: Mapping[str, Any]) -> None:
        """Somebody, somewhere, is told of these messages."""
        if self._hub.sockets:
            self._news.note(news["messages"])

    async def _tell_some(self, messages: Collection[int]) -> None:
        """What cannot be read now is still on the page: it is not tried again."""
        try:
            here = [user for user, sockets in self._hub.sockets.items() if sockets]
            found = await database.run(look, here, messages)
        except Exception:
            logger.exception("Notifications could not be told of.")
            return
        for news in found:
            frame = frames.write("notification", notification=news.notification, quiet=news.quiet)
            for socket in self._hub.sockets.get(news.user, ()):
                socket.send(frame)


def look(users: Collection[int], messages: Collection[int]) -> list[News]:
    """What these users are told of these messages, as far as they may see them and want to be
    told, now. Three queries.
    """
    noted = Notification.objects.filter(message__in=messages, user__in=users, read_at=None)
    rows = list(noted.filter(message__deleted_at=None).with_messages())
    if not rows:
        return []
    people = {row.user_id for row in rows}
    seats = Participant.objects.filter(room__in={row.room_id for row in rows}, user__in=people)
    seated = {(seat.user_id, seat.room_id): seat for seat in seats.select_related("room", "user")}
    chosen = Preferences.objects.by_user(people)
    found = []
    for row in rows:
        seat = seated.get((row.user_id, row.room_id))
        try:
            if seat is not None and _is_to_be_told(row, seat):
                found.append(_news(row, chosen.get(row.user_id)))
        except Exception:  # one that cannot be told takes no other with it
            logger.exception("Notification %s could not be told of.", row.pk)
    return found


def _news(row: Notification, own: Preferences | None) -> News:
    is_quiet = own is not None and own.quiet_end() is not None
    return News(row.user_id, encode(row, unread=True), is_quiet)


def _is_to_be_told(row: Notification, seat: Participant) -> bool:
    return (
        seat.user.is_active
        and seat.last_read < row.message_id
        and weigh(row.reason, level=seat.notify, muted=seat.muted)
        and Reader.of(seat).sees(row.message)
    )
