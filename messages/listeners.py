"""Notes: whatever changes in a room is said in it, in the transaction of the change."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from accounts.models import User
from messages.audience import Audience
from messages.posting import post_note
from rooms.models import Participant, Room
from rooms.modes import Mode, Role
from rooms.signals import Event, room_changed

SENTENCES = {
    Event.JOINED: "{by} joined.",
    Event.INVITED: "{by} brought in {people}.",
    Event.LEFT: "{people} left.",
    Event.REMOVED: "{by} removed {people}.",
    Event.ROLE_CHANGED: "{by} made {people} {role}.",
    Event.OWNER_CHANGED: "{by} handed the room over to {first}.",
    Event.REOPENED: "{by} reopened the room.",
    Event.ARCHIVED: "{by} archived the room.",
}


@receiver(room_changed)
def leave_a_note(
    room: Room,
    event: Event,
    by: User,
    people: Sequence[Participant],
    changed: dict[str, Any],
    **_: object,
) -> None:
    if event == Event.CLOSED:
        return  # says so by a card: see messages.closing
    data = {
        "event": event,
        "by": by.public(),
        "people": [{**seat.user.public(), "role": seat.role} for seat in people],
        "changed": changed,
    }
    sentence = _updated(by, changed) if event == Event.UPDATED else SENTENCES[event]
    body = sentence.format(
        by=by.name,
        people=", ".join(seat.user.name for seat in people),
        first=people[0].user.name if people else "",
        role=people[0].role if people else "",
    )
    post_note(room, body, data, audience=_audience(room, event, people))


def _audience(room: Room, event: Event, people: Sequence[Participant]) -> Audience:
    """Customers hear of customers, and that the conversation goes on; the rest is the staff's."""
    if room.mode == Mode.TEAM or event == Event.REOPENED:
        return Audience.EVERYONE
    customers_only = people and all(seat.role == Role.CUSTOMER for seat in people)
    if customers_only and event in (Event.JOINED, Event.INVITED, Event.LEFT):
        return Audience.EVERYONE
    return Audience.STAFF


def _updated(by: User, changed: dict[str, Any]) -> str:
    if "name" in changed:
        return "{by} named the room “%s”." % _literal(changed["name"])
    if "history" in changed:
        whole = changed["history"] == Room.History.ALL
        return "{by} opened the whole history to newcomers." if whole else (
            "{by} closed the history from before people joined."
        )
    return "{by} changed the room’s " + " and ".join(changed) + "."


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
