"""What accounts announces, inside the transaction of the change.

logins_ended(logins: list[int], users: list[int])
    These logins are over; the users are theirs. Sockets opened with them must end.
"""

from django.dispatch import Signal

logins_ended = Signal()
