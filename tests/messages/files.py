"""Files to send."""

from django.core.files.base import ContentFile

from accounts.models import User
from messages.models import Attachment
from rooms.models import Room

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0" * 64


def upload(
    room: Room, by: User, content: bytes = b"plain words", name: str = "words.txt"
) -> Attachment:
    return Attachment.objects.upload(ContentFile(content, name=name), room=room, by=by)
