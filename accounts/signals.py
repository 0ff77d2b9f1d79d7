"""What accounts announces, inside the transaction of the change.

logins_ended(logins: list[int], users: list[int])
    These logins are over; the users are theirs. Sockets opened with them must end.

site_role_changed(user: User, by: User)
    They hold another site role now. What only the former one allowed must end.

status_changed(user: User)
    They say something else of themselves now, or nothing any more.
"""

from django.dispatch import Signal

logins_ended = Signal()
site_role_changed = Signal()
status_changed = Signal()
