"""What is worth telling somebody of. Whether they may see it at all is the audience's to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from messages.audience import Audience
from rooms.models import Participant

if TYPE_CHECKING:
    from messages.models import Message


class Reason(models.TextChoices):
    """Why somebody is told. All but the last call for them by themselves."""

    WHISPER = "whisper", "whispered to you"
    MENTION = "mention", "mentioned you"
    REPLY = "reply", "replied to you"
    MESSAGE = "message", "said something"


def reason(message: Message, user: int) -> Reason | None:
    """Why `user` might be told of it, as it is posted; None of what they said themselves."""
    if user == message.author_id:
        return None
    if message.audience == Audience.ONLY and user in message.to:
        return Reason.WHISPER
    if message.mentions_everyone or user in message.mentioned:
        return Reason.MENTION
    if message.reply_to is not None and message.reply_to.author_id == user:
        return Reason.REPLY
    return Reason.MESSAGE


def weigh(reason: str, *, level: str, muted: bool) -> bool:
    """Whether that is enough for somebody who has set a room to this level."""
    if muted or level == Participant.Notify.NOTHING:
        return False
    return level == Participant.Notify.ALL or reason != Reason.MESSAGE
