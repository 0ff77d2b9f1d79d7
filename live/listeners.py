"""Wakes: what was committed is told to the hubs, of this process and of the others.

Everything here leaves after commit, and may be lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from copy import copy
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from accounts.models import User
from accounts.signals import logins_ended, status_changed
from live import hub, layer
from live.bulletin import Bulletin
from live.models import Presence
from messages.models import Mention, Message
from messages.signals import changed, posted, read
from rooms.models import Participant, Room
from rooms.signals import people_came_by, room_changed, room_opened


@receiver(posted)
def hand_over(messages: Sequence[Message], **_: object) -> None:
    """Give new messages to our own hub as they are, and wake the others."""
    by_room: dict[int, list[Message]] = defaultdict(list)
    for message in messages:
        by_room[message.room_id].append(message)
    bulletins = [_bulletin(room, batch) for room, batch in by_room.items()]
    transaction.on_commit(partial(_announce, bulletins))


@receiver(posted)
def mention_who_is_here(messages: Sequence[Message], **_: object) -> None:
    """`@here` mentions those who are online now, and stays theirs when they leave."""
    calling = [message for message in messages if message.mentions_here]
    if not calling:
        return
    online = Presence.objects.live().filter(state=Presence.State.ONLINE).values("user")
    seats = Participant.objects.filter(room__in={m.room_id for m in calling}, user__in=online)
    here: dict[int, list[int]] = defaultdict(list)
    for room, user in seats.values_list("room", "user"):
        here[room].append(user)
    Mention.objects.bulk_create(
        [
            Mention(message=message, room_id=message.room_id, user_id=user)
            for message in calling
            for user in here[message.room_id]
        ],
        ignore_conflicts=True,
    )
    for message in calling:
        message.mentioned |= frozenset(here[message.room_id])


def _bulletin(room: int, messages: list[Message]) -> Bulletin:
    return Bulletin(
        room,
        [_as_posted(message) for message in messages],
        start=messages[0].revision - 1,
        end=messages[-1].revision,
        people_revision=messages[0].room.people_revision,
        files={message.pk: message.attached for message in messages if message.attached},
    )


def _as_posted(message: Message) -> Message:
    """Who writes a message on may do so with this very object, while it waits to be handed on."""
    return copy(message) if message.status == Message.Status.STREAMING else message


def _announce(bulletins: Sequence[Bulletin]) -> None:
    carried = [bulletin.carried() for bulletin in bulletins] if layer.is_shared() else ()
    hub.in_hub(partial(_take, bulletins))
    _wake_others(
        [(bulletin.room, bulletin.end, []) for bulletin in bulletins],
        [one for one in carried if one is not None],
    )


def _take(bulletins: Sequence[Bulletin], our_hub: hub.Hub) -> None:
    for bulletin in bulletins:
        if any(message.shared_from_id for message in bulletin.messages):
            our_hub.wake(bulletin.room, bulletin.end)  # who may see the original is looked up
        else:
            our_hub.hand_over(bulletin)


@receiver(changed)
def wake_for_changes(messages: Sequence[Message], **_: object) -> None:
    ends: dict[int, int] = {}
    for message in messages:
        ends[message.room_id] = max(message.revision, ends.get(message.room_id, 0))
    for room, revision in ends.items():
        transaction.on_commit(partial(_wake, room, revision, []))


@receiver(room_changed)
@receiver(room_opened)
@receiver(people_came_by)
def wake_for_people(room: Room, people: Collection[Participant], **_: object) -> None:
    """Those who came in may have sockets in any process, none of which knows the room yet."""
    users = [seat.user_id for seat in people]
    transaction.on_commit(partial(_wake, room.pk, room.revision, users))


@receiver(read)
def tell_read(participant: Participant, message: int, shown: int | None, **_: object) -> None:
    news = {
        "kind": "read",
        "room": participant.room_id,
        "user": participant.user_id,
        "role": participant.role,
        "message": message,
        "shown": shown,
        "people_revision": participant.room.people_revision,
    }
    transaction.on_commit(partial(tell, layer.EVERY_PROCESS, news))


@receiver(status_changed)
def tell_status(user: User, **_: object) -> None:
    news = {"kind": "status", "user": user.pk}
    transaction.on_commit(partial(tell, layer.EVERY_PROCESS, news))


@receiver(logins_ended)
def close_sockets(logins: list[int], users: list[int], **_: object) -> None:
    news = {"kind": "logins_ended", "logins": logins, "users": users}
    transaction.on_commit(partial(tell, layer.EVERY_PROCESS, news))


def _wake(room: int, revision: int, users: list[int]) -> None:
    hub.in_hub(lambda our_hub: our_hub.wake(room, revision, users))
    _wake_others([(room, revision, users)])


def _wake_others(
    rooms: Sequence[tuple[int, int, list[int]]], carried: Sequence[list[Any]] = ()
) -> None:
    """One wake a batch and group; newcomers are looked for everywhere."""
    groups: dict[str, dict[str, list[Any]]] = defaultdict(lambda: {"rooms": [], "carried": []})
    for room, revision, users in rooms:
        group = layer.EVERY_PROCESS if users else layer.shard_of(room)
        groups[group]["rooms"].append([room, revision, users])
    for one in carried:
        groups[layer.shard_of(one[0])]["carried"].append(one)
    layer.publish_all({group: {"origin": _origin(), **told} for group, told in groups.items()})


def tell(group: str, news: dict[str, Any]) -> None:
    """News that may be lost, to the hubs of a group: this process's first."""
    hub.in_hub(lambda our_hub: our_hub.tell(news))
    layer.publish(group, {"origin": _origin(), "news": news})


def _origin() -> str | None:
    ours = hub.current()
    return ours.process if ours else None
