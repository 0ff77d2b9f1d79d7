"""Where a moment lies among ids, which are in the order of their times but for a few."""

from __future__ import annotations

from datetime import datetime

from messages.models import Message
from rooms.ids import MAX_ID

OUT_OF_ORDER = 500
"""Messages whose ids may be in another order than their times, as they waited for different locks.
"""


def first_id(since: datetime) -> int:
    """An id that no message said from then on has a smaller one than."""
    later = Message.objects.filter(created_at__gte=since).order_by("created_at")
    return min(later.values_list("pk", flat=True)[:OUT_OF_ORDER], default=MAX_ID)


def last_id(until: datetime) -> int:
    """An id that no message said before then has a greater one than."""
    earlier = Message.objects.filter(created_at__lt=until).order_by("-created_at")
    return max(earlier.values_list("pk", flat=True)[:OUT_OF_ORDER], default=0)
