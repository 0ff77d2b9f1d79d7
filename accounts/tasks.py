"""Recurring work, started by `chatmanager/schedule.py`."""

from celery import shared_task
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.utils import aware_utcnow

from accounts.models import Login, Ticket, User


@shared_task
def sweep_expired() -> None:
    """Remove what opens nothing any more: tickets, old logins, used-up refresh tokens."""
    while Ticket.objects.sweep():
        pass
    while Login.objects.sweep():
        pass
    OutstandingToken.objects.filter(expires_at__lte=aware_utcnow()).delete()


@shared_task
def sweep_statuses() -> None:
    """Take away what people said of themselves for a while that is over."""
    while User.objects.sweep_statuses():
        pass
