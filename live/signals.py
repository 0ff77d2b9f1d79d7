"""What the socket announces. It may be lost, as all that is not kept."""

from django.dispatch import Signal

typed = Signal()
"""room (its id), user (its id), audience, to: somebody is writing. Sent in a thread of the
database pool, for each room and audience at most every five seconds in each process."""
