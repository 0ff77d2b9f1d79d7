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
    # All of them first: one by one, a side-bar of the first would be locked before the second.
    locked = Room.objects.lock_with_sidebars(list(serving.values_list("pk", flat=True)))
    for room in locked.values():
        room.fit_seat(user, by=by)
