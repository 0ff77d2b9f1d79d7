"""That somebody is told of a message: a row each, made in the transaction of the message."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.conf import settings
from django.db import connection, models
from django.db.models import Exists, ExpressionWrapper, OuterRef, Q, Subquery
from django.utils import timezone

from accounts.models import User
from accounts.prepared import prepared
from messages.audience import Reader
from messages.models import Message
from notifications.interest import Reason, reason, weigh
from notifications.models.subscription import Subscription
from rooms.models import Participant

if TYPE_CHECKING:
    from datetime import datetime

HEARERS = (User.Kind.PERSON, User.Kind.GUEST, User.Kind.CUSTOMER)
COUNTED = 100
"""Shown as “99+”: there is no need to count further."""
SWEPT_AT_ONCE = 1_000


class Told(NamedTuple):
    user: int
    room: int
    message: int
    reason: str
    by_mail: bool
    """Whether they have an address that mail may go to."""
    by_push: bool
    """Whether they have a browser that is told while no page is open."""


class NotificationQuerySet(models.QuerySet["Notification"]):
    def for_user(self, user: User) -> NotificationQuerySet:
        """Theirs, of what they may see today. What was deleted is nothing to be told of."""
        visible = Message.objects.visible_to(user).filter(deleted_at__isnull=True)
        # Asked of each: SQLite would write down all that they may see to look it up there.
        return self.filter(Exists(visible.filter(pk=OuterRef("message"))), user=user)

    def unread(self) -> NotificationQuerySet:
        """Neither put away here nor read in its room."""
        seats = Participant.objects.filter(user=OuterRef("user"), room=OuterRef("room"))
        last_read = Subquery(seats.values("last_read"))
        return self.filter(read_at=None, message__gt=last_read)

    def with_messages(self) -> NotificationQuerySet:
        """With all that showing them reads from other rows by a join."""
        return self.select_related("message__author", "room")

    def still_wanted(self, user: User) -> list[Notification]:
        """Of these, what `user` may see, has not read, and wants to be told of, as things are."""
        rows = list(self.for_user(user).unread().with_messages().order_by("pk"))
        seats = Participant.objects.filter(user=user, room__in={row.room_id for row in rows})
        levels = {seat.room_id: (seat.notify, seat.muted) for seat in seats}
        found = []
        for row in rows:
            level, muted = levels[row.room_id]
            if weigh(row.reason, level=level, muted=muted):
                found.append(row)
        return found

    def put_away(
        self, *, by: User, upto: int | None = None, only: Collection[int] | None = None
    ) -> None:
        """Have read these of one's own: `only` some ids, or all, or all up to an id."""
        mine = self.filter(user=by, read_at=None)
        if only is not None:
            mine = mine.filter(pk__in=only)
        if upto is not None:
            mine = mine.filter(pk__lte=upto)
        mine.update(read_at=timezone.now())

    def expired(self) -> NotificationQuerySet:
        return self.filter(created_at__lt=timezone.now() - settings.CHAT_NOTIFICATION_KEEP)

    def sweep(self) -> int:
        """Remove one batch of old ones; return how many went."""
        ids = list(self.expired().order_by("pk").values_list("pk", flat=True)[:SWEPT_AT_ONCE])
        self.filter(pk__in=ids).delete()
        return len(ids)


class NotificationManager(models.Manager.from_queryset(NotificationQuerySet)):  # type: ignore[misc]
    def count_unread(self, user: User) -> int:
        """Up to 100."""
        return len(_unread(user=user.pk))

    def tell(self, messages: Sequence[Message]) -> list[Told]:
        """Note who is to be told of these new messages, in their transaction.

        Each comes with `room`, `author` and `reply_to` and `mentioned` at hand. Statements: one to
        look, one more where somebody is told.
        """
        news = [message for message in messages if is_news(message)]
        told = list(self._told(news)) if news else []
        if told:
            _insert(told, at=timezone.now())
        return told

    def _told(self, news: Sequence[Message]) -> Iterable[Told]:
        seats: dict[int, list[Participant]] = defaultdict(list)
        for seat in _seats(news):
            seats[seat.room_id].append(seat)
        for message in news:
            for seat in seats[message.room_id]:
                seat.room = message.room
                why = reason(message, seat.user_id)
                if why is None or not weigh(why, level=seat.notify, muted=seat.muted):
                    continue
                if Reader.of(seat).sees(message):
                    yield Told(seat.user_id, message.room_id, message.pk, why, *_ways(seat))


def _ways(seat: Any) -> tuple[bool, bool]:
    """As `_seats` has asked."""
    return seat.by_mail, seat.by_push


def is_news(message: Message) -> bool:
    """Whether anybody is told of such: what somebody has said, to its end."""
    return (
        message.kind == Message.Kind.TEXT
        and message.status == Message.Status.COMPLETE
        and not message.deleted_at
    )


def _called(news: Sequence[Message]) -> set[int]:
    """Whom these messages call by themselves."""
    called: set[int] = set()
    for message in news:
        called.update(message.to, message.mentioned)
        if message.reply_to is not None:
            called.add(message.reply_to.author_id)
    return called


def _seats(news: Sequence[Message]) -> list[Participant]:
    """Of those who may want to be told: whoever is called, and who wants all. In a large room
    nobody else is looked at.
    """
    everyone = {message.room_id for message in news if message.mentions_everyone}
    called = _called(news)
    return _hearing(
        rooms={message.room_id for message in news},
        called=called or [0],
        everyone=everyone or [0],
        some_are_called=bool(called),
        all_are_called=bool(everyone),
    )


@prepared("rooms", "called", "everyone")
def _hearing(
    rooms: Collection[int],
    called: Collection[int],
    everyone: Collection[int],
    some_are_called: bool,
    all_are_called: bool,
) -> models.QuerySet[Participant]:
    """No slot is empty, or the SQL were made anew; nor may one be decided by. So it is said beside
    them whether they name anybody: where they do not, nothing is looked up for them.
    """
    wanted = Q(room__in=rooms, notify=Participant.Notify.ALL)
    if some_are_called:
        wanted |= Q(room__in=rooms, user__in=called)
    if all_are_called:
        wanted |= Q(room__in=everyone)
    seats = Participant.objects.filter(wanted, muted=False)
    hearing = seats.filter(user__kind__in=HEARERS, user__is_active=True)
    by_mail = Q(user__kind=User.Kind.PERSON, user__email__isnull=False)
    hearing = hearing.annotate(
        by_mail=ExpressionWrapper(by_mail, models.BooleanField()),
        by_push=Exists(Subscription.objects.filter(user=OuterRef("user"))),
    )
    return hearing.exclude(notify=Participant.Notify.NOTHING)


def _insert(told: Sequence[Told], *, at: datetime) -> None:
    """In one statement of constant text, however many they are."""
    due = at + settings.CHAT_MAIL_AFTER
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = [list(column) for column in zip(*told, strict=True)]
            cursor.execute(INSERT.format(rows=POSTGRESQL_ROWS), [at, due, *columns])
        else:
            times = [_as_sqlite(at), _as_sqlite(due)]
            cursor.execute(INSERT.format(rows=SQLITE_ROWS), [*times, json.dumps(told)])


def _as_sqlite(at: datetime) -> str:
    return str(connection.ops.adapt_datetimefield_value(at))


INSERT = """
INSERT INTO notifications_notification (user_id, room_id, message_id, reason, created_at,
    mail_due, push_due)
SELECT r.user_id, r.room_id, r.message_id, r.reason, v.at,
    CASE WHEN r.by_mail THEN v.due END, CASE WHEN r.by_push THEN v.at END
FROM (SELECT %s AS at, %s AS due) AS v, ({rows}) AS r
WHERE true
ON CONFLICT (user_id, message_id) DO NOTHING
"""
POSTGRESQL_ROWS = """
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::varchar[],
    %s::boolean[], %s::boolean[]) AS u(user_id, room_id, message_id, reason, by_mail, by_push)
"""
SQLITE_ROWS = """
SELECT json_extract(value, '$[0]') AS user_id, json_extract(value, '$[1]') AS room_id,
    json_extract(value, '$[2]') AS message_id, json_extract(value, '$[3]') AS reason,
    json_extract(value, '$[4]') AS by_mail, json_extract(value, '$[5]') AS by_push
FROM json_each(%s)
"""


class Notification(models.Model):
    """Somebody is to be told of a message. Whether they may see it is asked whenever it is shown
    or sent; whether they have read it is their seat's to say, unless they put it away here.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", db_index=False
    )
    room = models.ForeignKey("rooms.Room", models.CASCADE, related_name="+")
    message = models.ForeignKey(
        "chat_messages.Message", models.CASCADE, related_name="notifications"
    )
    reason = models.CharField(max_length=8, choices=Reason.choices)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    read_at = models.DateTimeField(null=True, blank=True)
    mail_due = models.DateTimeField(
        null=True, blank=True, help_text="When mail is to tell of it; empty: it is done with."
    )
    push_due = models.DateTimeField(null=True, blank=True, help_text="When browsers are; likewise.")

    objects = NotificationManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "message"], name="told_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "id"], name="told_lately"),
            models.Index(
                fields=["mail_due"], condition=Q(mail_due__isnull=False), name="mail_that_is_due"
            ),
            models.Index(
                fields=["push_due"], condition=Q(push_due__isnull=False), name="pushes_that_are_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is told of message {self.message_id}"


@prepared("user")
def _unread(user: int) -> models.QuerySet[Any, int]:
    mine: NotificationQuerySet = Notification.objects.for_user(User(pk=user)).unread()
    return mine.values_list("pk", flat=True)[:COUNTED]
