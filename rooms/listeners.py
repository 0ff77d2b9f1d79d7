"""What rooms hear: somebody is less on the site than they were."""

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import site_role_changed
from rooms.models import Room
from rooms.modes import STAFF


@receiver(site_role_changed)
def fit_their_seats(user: User, by: User, **_: object) -> None:
    """Who could not be made staff of a room any more is not left there as its staff."""
    serving = Room.objects.filter(participants__user=user, participants__role__in=STAFF)
    for room in serving.order_by("pk"):
        room.fit_seat(user, by=by)
