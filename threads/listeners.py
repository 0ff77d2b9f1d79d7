"""What side-bars do about what happens in their rooms: their stubs have news."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from live import layer
from live import listeners as live
from messages.audience import Audience
from messages.models import Message
from messages.signals import changed as messages_changed
from messages.signals import posted
from rooms.models import Room
from rooms.signals import Event, people_came_by, room_changed
from threads import frames, signals
from threads.models import Sidebar


@receiver(posted)
def tell_of_messages(messages: Sequence[Message], **_: object) -> None:
    _tell({message.room_id: message.room for message in messages if _counts(message)}.values())


@receiver(messages_changed)
def tell_of_deleted(messages: Sequence[Message], **_: object) -> None:
    tell_of_messages([message for message in messages if message.deleted_at])


@receiver(room_changed)
@receiver(people_came_by)
def tell_of_people(room: Room, **_: object) -> None:
    _tell([room])


@receiver(signals.changed)
def tell_of_state(sidebar: Sidebar, **_: object) -> None:
    _tell([sidebar.room])


@receiver(room_changed)
def go_on(room: Room, event: Event, **_: object) -> None:
    """Whoever reopens the room of a side-bar takes up what was concluded."""
    if event == Event.REOPENED and room.is_sidebar:
        for sidebar in Sidebar.objects.filter(room=room, concluded_at__isnull=False):
            sidebar.room = room
            sidebar.take_up()


def _counts(message: Message) -> bool:
    """Whether stubs count it. Of what was whispered not even a frame may tell."""
    return message.kind == Message.Kind.TEXT and message.audience != Audience.ONLY


def _tell(rooms: Collection[Room]) -> None:
    for room in rooms:
        if room.parent_id is not None:
            news: dict[str, Any] = {"kind": frames.KIND, "room": room.parent_id, "sidebar": room.pk}
            transaction.on_commit(partial(live.tell, layer.shard_of(room.parent_id), news))
