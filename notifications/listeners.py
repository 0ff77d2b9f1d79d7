"""What is said is noted for whom it is worth telling, in the transaction in which it is said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from django.db import transaction
from django.dispatch import receiver

from accounts.signals import logins_ended
from live import layer
from live.listeners import tell
from messages.models import Message
from messages.signals import changed, finished, posted
from notifications.frames import KIND
from notifications.models import Notification, Preferences, Subscription
from notifications.models.notification import Told
from rooms.models import Participant, Room
from rooms.signals import Event, people_came_by, room_changed, room_opened

SEATED = (Event.JOINED, Event.INVITED)


@receiver(posted)
def note_who_is_told(messages: Sequence[Message], **_: object) -> None:
    """What is still being written is told of at its end."""
    _tell(Notification.objects.tell(messages))


@receiver(finished)
def note_who_is_told_at_last(message: Message, **_: object) -> None:
    _tell(Notification.objects.tell([message]))


def _tell(told: Sequence[Told]) -> None:
    """Wake the sockets of those concerned; what they are told is read there."""
    if told:
        news = {"kind": KIND, "messages": sorted({one.message for one in told})}
        transaction.on_commit(partial(tell, layer.EVERY_PROCESS, news))


@receiver(changed)
def forget_what_was_deleted(messages: Sequence[Message], **_: object) -> None:
    """Nobody is told of a tombstone."""
    deleted = [message.pk for message in messages if message.deleted_at]
    if deleted:
        Notification.objects.filter(message__in=deleted).delete()


@receiver(logins_ended)
def forget_browsers(logins: list[int], **_: object) -> None:
    """A browser is told for as long as somebody is signed in there."""
    Subscription.objects.filter(login__in=logins).delete()


@receiver(room_opened)
@receiver(people_came_by)
def begin_as_they_like(room: Room, people: Collection[Participant], **_: object) -> None:
    """Newcomers are told of what they have chosen for all rooms. Direct rooms tell everything."""
    if room.is_direct:
        return
    chosen = Preferences.objects.by_user([seat.user_id for seat in people])
    changed = []
    for seat in people:
        if (own := chosen.get(seat.user_id)) and own.level:
            seat.notify = own.level
            changed.append(seat)
    Participant.objects.bulk_update(changed, ["notify"])


@receiver(room_changed)
def begin_as_newcomers_like(
    room: Room, event: Event, people: Collection[Participant], **_: object
) -> None:
    if event in SEATED:
        begin_as_they_like(room, people)
