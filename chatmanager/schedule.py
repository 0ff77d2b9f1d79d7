"""When recurring work is done: the one table of Celery's beat. What it does is in the apps."""

from datetime import timedelta

SCHEDULE = {
    "sweep attachments nobody posted": {
        "task": "messages.tasks.sweep_attachments",
        "schedule": timedelta(minutes=15),
    },
    "sweep expired sign-ins, tickets and tokens": {
        "task": "accounts.tasks.sweep_expired",
        "schedule": timedelta(minutes=10),
    },
}
