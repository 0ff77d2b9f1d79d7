"""What the app announces, inside the transaction of the change and under the room's lock."""

from django.dispatch import Signal

reply_ended = Signal()
"""reply: it is done, stopped, failed or declined now; is_at_goal: it says so."""
