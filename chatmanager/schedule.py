"""When recurring work is done: the one table of Celery's beat. What it does is in the apps."""

from datetime import timedelta
from typing import Any


def schedule(*, replies: timedelta) -> dict[str, dict[str, Any]]:
    """What an operator chooses is named; the settings, which use this, know it."""
    return {
        "sweep attachments nobody posted": {
            "task": "messages.tasks.sweep_attachments",
            "schedule": timedelta(minutes=15),
        },
        "sweep expired sign-ins, tickets and tokens": {
            "task": "accounts.tasks.sweep_expired",
            "schedule": timedelta(minutes=10),
        },
        "send mail to who is away": {
            "task": "notifications.tasks.sweep_mail",
            "schedule": timedelta(seconds=15),
            "options": {"expires": 15},
        },
        "tell browsers of who is away": {
            "task": "notifications.tasks.sweep_pushes",
            "schedule": timedelta(seconds=5),
            "options": {"expires": 5},
        },
        "sweep old notifications": {
            "task": "notifications.tasks.sweep_notifications",
            "schedule": timedelta(hours=1),
        },
        "sweep statuses that are over": {
            "task": "accounts.tasks.sweep_statuses",
            "schedule": timedelta(seconds=30),
            "options": {"expires": 30},
        },
        "sweep answers that no worker writes": {
            "task": "robots.tasks.sweep_replies",
            "schedule": replies,
            # One that was not done in time is followed by another.
            "options": {"expires": replies.total_seconds()},
        },
        "have robots take their turns": {
            "task": "robots.tasks.advance_autopilots",
            "schedule": timedelta(seconds=2),
            "options": {"expires": 2},
        },
    }
