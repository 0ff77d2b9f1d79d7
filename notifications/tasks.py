"""Recurring work, started by `chatmanager/schedule.py`."""

from celery import shared_task

from accounts import locks
from notifications import mail, push
from notifications.models import Notification


@shared_task
def sweep_notifications() -> None:
    """Remove what people were told of long ago."""
    while Notification.objects.sweep():
        pass


@shared_task
def sweep_mail() -> None:
    """Have what is due sent to each whom it is for."""
    with locks.alone("sweep mail") as alone:
        for user in mail.sweep() if alone else ():
            send_mail.apply_async((user,), expires=60, retry=False)


@shared_task
def send_mail(user_id: int) -> None:
    """Send what waits for somebody who is away."""
    mail.send(user_id)


@shared_task
def sweep_pushes() -> None:
    """Have browsers told of what is due."""
    with locks.alone("sweep pushes") as alone:
        for user in push.sweep() if alone else ():
            send_pushes.apply_async((user,), expires=60, retry=False)


@shared_task
def send_pushes(user_id: int) -> None:
    """Tell somebody's browsers."""
    push.send(user_id)
