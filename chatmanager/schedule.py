"""When recurring work is done: the one table of Celery's beat. What it does is in the apps."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from celery.schedules import schedule as celery_schedule

_began = datetime.now(UTC) - timedelta(seconds=time.monotonic())


def steadily() -> datetime:
    """The time, as if nobody had set the clock since this process began."""
    return _began + timedelta(seconds=time.monotonic())


class Every(celery_schedule):
    """So often, whatever becomes of the clock. Celery's own waits for what it believed to be the
    time: of a clock that is set back by an hour, nothing is done for an hour.
    """

    def now(self) -> datetime:
        return steadily()

    def remaining_estimate(self, last_run_at: datetime) -> timedelta:
        """`last_run_at` may be an earlier process's, whose clock was ahead."""
        every: timedelta = self.run_every  # type: ignore[attr-defined]
        return min(super().remaining_estimate(last_run_at), every)


def schedule(*, replies: timedelta) -> dict[str, dict[str, Any]]:
    """What an operator chooses is named; the settings, which use this, know it."""
    return {
        "sweep attachments nobody posted": {
            "task": "messages.tasks.sweep_attachments",
            "schedule": Every(timedelta(minutes=15)),
        },
        "sweep expired sign-ins, tickets and tokens": {
            "task": "accounts.tasks.sweep_expired",
            "schedule": Every(timedelta(minutes=10)),
        },
        "send mail to who is away": {
            "task": "notifications.tasks.sweep_mail",
            "schedule": Every(timedelta(seconds=15)),
            "options": {"expires": 15},
        },
        "tell browsers of who is away": {
            "task": "notifications.tasks.sweep_pushes",
            "schedule": Every(timedelta(seconds=5)),
            "options": {"expires": 5},
        },
        "sweep old notifications": {
            "task": "notifications.tasks.sweep_notifications",
            "schedule": Every(timedelta(hours=1)),
        },
        "sweep statuses that are over": {
            "task": "accounts.tasks.sweep_statuses",
            "schedule": Every(timedelta(seconds=30)),
            "options": {"expires": 30},
        },
        "sweep answers that no worker writes": {
            "task": "robots.tasks.sweep_replies",
            "schedule": Every(replies),
            # One that was not done in time is followed by another.
            "options": {"expires": replies.total_seconds()},
        },
        "have robots take their turns": {
            "task": "robots.tasks.advance_autopilots",
            "schedule": Every(timedelta(seconds=2)),
            "options": {"expires": 2},
        },
    }
