"""Notes: whatever changes in a room is said in it, in the transaction of the change."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Max
from django.dispatch import receiver

from accounts.models import User
from messages.audience import Audience
from messages.models import Message
from messages.posting import post_note
from rooms.models import Participant, Room
from rooms.modes import Mode, Role
from rooms.signals import Event, people_came_by, room_changed

SENTENCES = {
    Event.JOINED: "{by} joined.",
    Event.INVITED: "{by} brought in {people}.",
    Event.LEFT: "{people} left.",
    Event.REMOVED: "{by} removed {people}.",
    Event.ROLE_CHANGED: "{by} made {people} {role}.",
    Event.OWNER_CHANGED: "{by} handed the {place} over to {first}.",
    Event.UPDATED: "{by} {changes}.",
    Event.REOPENED: "{by} reopened the {place}.",
    Event.ARCHIVED: "{by} archived the {place}.",
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
    if _is_for_customers(room, event, people):
        told = {name: value for name, value in changed.items() if name == "state"}
        sentence, author, audience = TO_CUSTOMERS[event], User.objects.system(), Audience.EVERYONE
    elif event in SENTENCES:
        sentence, author, told = SENTENCES[event], by, changed
        audience = Audience.EVERYONE if room.mode == Mode.TEAM else Audience.STAFF
    else:
        return  # says so by a card: see messages.closing
    body = sentence.format(
        by=author.name,
        place=place_of(room),
        people=", ".join(seat.user.name for seat in people),
        first=people[0].user.name if people else "",
        role=people[0].role if people else "",
        changes=_changes(changed, place_of(room)),
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


@receiver(people_came_by)
def begin_where_they_see(room: Room, people: Sequence[Participant], **_: object) -> None:
    """Who comes by has read all, up to something that they may see. Whoever was named has that
    to read.
    """
    for seat in people:
        if seat.last_read == room.newest:
            seen = Message.objects.visible_to(seat.user).filter(room=room)
            seat.last_read = seen.aggregate(newest=Max("pk", default=0))["newest"]
            seat.save(update_fields=["last_read"])


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


def _is_for_customers(room: Room, event: Event, people: Sequence[Participant]) -> bool:
    """Whether customers are told: not in side-bars, where none of them is."""
    serves = room.mode == Mode.SUPPORT and not room.is_sidebar
    return serves and event in TO_CUSTOMERS and all(seat.role == Role.CUSTOMER for seat in people)


def place_of(room: Room) -> str:
    """What people call it."""
    return "side-bar" if room.is_sidebar else "room"


def _changes(changed: dict[str, Any], place: str) -> str:
    if "name" in changed:
        return f"named the {place} “{changed['name']}”"
    if "history" in changed:
        if changed["history"] == Room.History.ALL:
            return "opened the whole history to newcomers"
        return "closed the history from before people joined"
    return f"changed the {place}’s {' and '.join(changed)}"
