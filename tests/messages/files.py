"""Files to send."""

from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from PIL import Image

from accounts.models import User
from messages.models import Attachment
from rooms.models import Room


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **how: Any) -> bytes:
    file = BytesIO()
    Image.new(how.pop("mode", "RGB"), size, how.pop("color", 90)).save(file, kind, **how)
    return file.getvalue()


PNG = picture()
# How each begins that is shown or played, or not.
WAV = b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 64
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\0" * 64
OPUS = b"OggS\0\2" + b"\0" * 21 + b"\x13OpusHead\1" + b"\0" * 64


def upload(
    room: Room, by: User, content: bytes = b"plain words", name: str = "words.txt"
) -> Attachment:
    return Attachment.objects.upload(ContentFile(content, name=name), room=room, by=by)
