"""What a message would look like, and whom it would call: nothing is said and nobody is told."""

from __future__ import annotations

from dataclasses import dataclass

from messages.body import compose
from messages.models.message import CALLS
from rooms.models import Participant


@dataclass(frozen=True, slots=True)
class Preview:
    html: str
    mentions: frozenset[str]
    """Handles that reach somebody, of those that the writer may know of; `here`, `everyone`."""


def preview(body: str, *, by: Participant) -> Preview:
    """As it would be shown if `by` posted it. Raises Invalid as posting it would."""
    rendered = compose(body)
    named = rendered.mentions - CALLS
    known = Participant.objects.shown_to(by) if named else Participant.objects.none()
    found = set(known.filter(user__handle__in=named).values_list("user__handle", flat=True))
    calls = rendered.mentions & CALLS if by.user.site_role is not None else frozenset()
    return Preview(rendered.html, frozenset(found) | calls)
