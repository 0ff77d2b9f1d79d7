"""The card a closed room shows: how it ended, and a way back."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from messages import cards
from messages.audience import Audience
from messages.listeners import note_data, place_of
from messages.models import Message
from messages.posting import post_note
from rooms.models import Room
from rooms.modes import Mode
from rooms.signals import Event, room_changed

CARD = "room.closed"
REOPEN = "reopen"


@receiver(room_changed)
def show_how_it_ended(
    room: Room, event: Event, by: User, changed: dict[str, Any], **_: object
) -> None:
    if event == Event.CLOSED:
        data = {
            **note_data(event, by, [], changed),
            "card": CARD,
            "actions": [cards.offer(REOPEN, "Reopen")],
        }
        audience = Audience.EVERYONE if room.mode == Mode.TEAM else Audience.STAFF
        post_note(room, f"{by.name} closed the {place_of(room)}.", data, audience=audience)
    elif event == Event.REOPENED:
        _withdraw(room)


@cards.answers(CARD)
def reopen(card: Message, action: str, data: dict[str, Any], *, by: User) -> None:
    """Raises Forbidden, Room.WrongState."""
    card.room.reopen(by=by)


def _withdraw(room: Room) -> None:
    """What was offered on the last such card is done."""
    card = Message.objects.filter(room=room, kind=Message.Kind.CARD, data__card=CARD).last()
    if card is not None:
        actions = [cards.offer(REOPEN, "Reopen", why_not=f"The {place_of(room)} is open again.")]
        card.room = room
        card.update_card({**card.data, "actions": actions})
