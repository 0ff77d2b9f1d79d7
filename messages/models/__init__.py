from messages.models.attachment import Attachment
from messages.models.message import Message, MessageManager, MessageQuerySet
from messages.models.parts import EarlierText, Mention, Reaction

__all__ = [
    "Attachment",
    "EarlierText",
    "Mention",
    "Message",
    "MessageManager",
    "MessageQuerySet",
    "Reaction",
]
