"""The small rows that hang on a message and go with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.rows import QuickRows
from messages.audience import Audience
from rooms.models import Participant

if TYPE_CHECKING:
    from messages.models.message import Message


class MentionManager(models.Manager["Mention"]):
    def note(self, messages: Sequence[Message]) -> None:
        """Remember whom these messages name (`named`), of those who are in their rooms."""
        handles: frozenset[str] = frozenset().union(*(message.named for message in messages))
        if not handles:
            return
        self._bring_in([message for message in messages if message.named])
        rooms = {message.room_id for message in messages if message.named}
        found: dict[int, dict[str, int]] = defaultdict(dict)
        for room, handle, user in Participant.objects.filter(
            room__in=rooms, user__handle__in=handles
        ).values_list("room", "user__handle", "user"):
            found[room][handle] = user
        for message in messages:
            here = found[message.room_id]
            message.mentioned = frozenset(here[handle] for handle in message.named & here.keys())
        self.bulk_create(
            Mention(message=message, room_id=message.room_id, user_id=user)
            for message in messages
            for user in message.mentioned
        )

    def _bring_in(self, messages: Sequence[Message]) -> None:
        """Whoever is named in an open side-bar is in it from then on, and has this to read."""
        for message in messages:
            room = message.room
            if room.is_open_sidebar and message.audience != Audience.ONLY:
                around = Participant.objects.around(room).filter(user__handle__in=message.named)
                room.seat_around(around.values_list("user", flat=True), last_read=message.pk - 1)


class Mention(models.Model):
    """Somebody named in a message. Whether they may see it is asked when it is counted."""

    message = models.ForeignKey("chat_messages.Message", models.CASCADE, related_name="mentions")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentions", db_index=False
    )
    room = models.ForeignKey("rooms.Room", models.CASCADE, related_name="+")

    objects = MentionManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "message"], name="mentioned_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "room", "message"], name="mentions_in")]

    def __str__(self) -> str:
        return f"{self.user_id} in message {self.message_id}"


class Reaction(QuickRows):
    message = models.ForeignKey(
        "chat_messages.Message", models.CASCADE, related_name="reactions", db_index=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    emoji = models.CharField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["message", "emoji", "user"], name="one_reaction_of_a_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emoji} on message {self.message_id}"


class EarlierText(models.Model):
    """What an edited message said before, kept for staff."""

    message = models.ForeignKey(
        "chat_messages.Message", models.CASCADE, related_name="earlier_texts"
    )
    body = models.TextField()
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"Earlier text of message {self.message_id}"
