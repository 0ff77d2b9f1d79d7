"""What the app announces, inside the transaction of the change and under the room's lock."""

from django.dispatch import Signal

posted = Signal()
"""messages: the new ones of one batch, in order, each with `room`, `author`, `attached`,
`reply_to` and `shared_from` at hand, and `named`."""

changed = Signal()
"""messages: edited, deleted, reacted to, finished, or quoting such a one; their rows as they now
are. rewritten: id of the one among them whose words were changed, or None."""

finished = Signal()
"""message: one that was being written, and is complete, stopped or failed now; with `named`.
`changed` tells of it, too."""

read = Signal()
"""participant, message (id now read up to), shown (id others may be told of, or None)."""
