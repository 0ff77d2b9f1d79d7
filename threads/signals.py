"""What the app announces, inside the transaction of the change and under its room's lock."""

from django.dispatch import Signal

changed = Signal()
"""sidebar: it was opened or concluded, or goes on."""
