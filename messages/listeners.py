"""Notes: whatever changes in a room is said in it, in the transaction of the change."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from accounts.models import User
from messages.audience import Audience
from messages.models import Message
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
    Event.UPDATED: "{by} {changes}.",
    Event.REOPENED: "{by} reopened the room.",
    Event.ARCHIVED: "{by} archived the room.",
}

TO_CUSTOMERS = {
    Event.JOINED: "{people} joined.",
    Event.INVITED: "{people} joined.",
    Event.LEFT: "{people} left.",
    Event.CLOSED: "The conversation was closed.",
    Event.REOPENED: "The conversation goes on.",
}
"""What customers of a support room are told, of other customers alone: who of the staff did it,
and who of them comes and goes, stays among the staff."""


@receiver(room_changed)
def leave_a_note(
    room: Room,
    event: Event,
    by: User,
    people: Sequence[Participant],
    changed: dict[str, Any],
    **_: object,
) -> None:
    if room.mode == Mode.SUPPORT and event in TO_CUSTOMERS and _are_customers(people):
        told = {name: value for name, value in changed.items() if name == "state"}
        sentence, author, audience = TO_CUSTOMERS[event], User.objects.system(), Audience.EVERYONE
    elif event in SENTENCES:
        sentence, author, told = SENTENCES[event], by, changed
        audience = Audience.EVERYONE if room.mode == Mode.TEAM else Audience.STAFF
    else:
        return  # says so by a card: see messages.closing
    body = sentence.format(
        by=author.name,
        people=", ".join(seat.user.name for seat in people),
        first=people[0].user.name if people else "",
        role=people[0].role if people else "",
        changes=_changes(changed),
    )
    note = post_note(room, body, note_data(event, author, people, told), audience=audience)
    if event in (Event.JOINED, Event.INVITED):
        _begin_reading(people, at=note)


def _begin_reading(people: Sequence[Participant], *, at: Message) -> None:
    """Newcomers have read up to the note of their coming, which they see themselves: what was the
    newest before it may be nothing that they may know of.
    """
    Participant.objects.filter(pk__in=[seat.pk for seat in people]).update(last_read=at.pk)
    for seat in people:
        seat.last_read = at.pk


def note_data(
    event: Event, by: User, people: Sequence[Participant], changed: dict[str, Any]
) -> dict[str, Any]:
    """What a note tells programs: `room` frames are made of it."""
    return {
        "event": event,
        "by": by.public(),
        "people": [{**seat.user.public(), "role": seat.role} for seat in people],
        "changed": changed,
    }


def _are_customers(people: Sequence[Participant]) -> bool:
    return all(seat.role == Role.CUSTOMER for seat in people)


def _changes(changed: dict[str, Any]) -> str:
    if "name" in changed:
        return f"named the room “{changed['name']}”"
    if "history" in changed:
        if changed["history"] == Room.History.ALL:
            return "opened the whole history to newcomers"
        return "closed the history from before people joined"
    return f"changed the room’s {' and '.join(changed)}"
