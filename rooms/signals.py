"""What the app announces, inside the transaction of the change and under the room's lock."""

from django.db import models
from django.dispatch import Signal


class Event(models.TextChoices):
    """Everything that can happen to a room, as `data.event` of the note it leaves names it."""

    JOINED = "joined"
    INVITED = "invited"
    LEFT = "left"
    REMOVED = "removed"
    ROLE_CHANGED = "role_changed"
    OWNER_CHANGED = "owner_changed"
    UPDATED = "updated"
    CLOSED = "closed"
    REOPENED = "reopened"
    ARCHIVED = "archived"


room_changed = Signal()
"""room, event, by, people (the participants concerned, as they are or last were), changed
(`{field: new value}`; for a role `{"role": …}`)."""

room_opened = Signal()
"""room, by, people (its participants)."""

people_came_by = Signal()
"""room (an open side-bar), people (who look at it, or are named in it, for the first time)."""
