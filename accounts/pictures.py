"""Pictures of people: which files are taken, what they are called, how they are sent."""

from __future__ import annotations

import secrets
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.template.defaultfilters import filesizeformat

from accounts.errors import Invalid

TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}


def checked(upload: File[Any]) -> File[Any]:
    """The upload, named by what it is. Raises Invalid. What the client calls it counts nothing."""
    if (upload.size or 0) > settings.CHAT_AVATAR_MAX_SIZE:
        most = filesizeformat(settings.CHAT_AVATAR_MAX_SIZE)
        raise Invalid(details={"avatar": [f"A picture may have up to {most}."]})
    extension = sniffed(upload.read(16))
    upload.seek(0)
    if extension is None:
        raise Invalid(details={"avatar": ["Send a PNG, JPEG, GIF or WebP picture."]})
    upload.name = f"picture.{extension}"
    return upload


def sniffed(head: bytes) -> str | None:
    """The extension that the first 16 bytes speak for."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    return None


def path_for(user: Any, name: str) -> str:
    """A new, unguessable place, so that it may be cached for ever."""
    return f"avatars/{secrets.token_hex(12)}{PurePosixPath(name).suffix}"


def name_of(path: str) -> str:
    """The last part of where a picture is stored: what the URL shows."""
    return PurePosixPath(path).name


def content_type(path: str) -> str:
    """What the file is sent as."""
    return TYPES.get(PurePosixPath(path).suffix.lstrip("."), "application/octet-stream")
