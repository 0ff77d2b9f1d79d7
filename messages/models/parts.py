"""The small rows that hang on a message and go with it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class Mention(models.Model):
    """Somebody named in a message. Whether they may see it is asked when it is counted."""

    message = models.ForeignKey("chat_messages.Message", models.CASCADE, related_name="mentions")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentions", db_index=False
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "message"], name="mentioned_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in message {self.message_id}"


class Reaction(models.Model):
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
