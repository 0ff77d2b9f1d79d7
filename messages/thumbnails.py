"""Looking into pictures: how large they are, and a small copy of them.

Made at upload, before any message waits for it, in a process of its own: see `thumbnailer.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import NamedTuple
from weakref import WeakValueDictionary

import structlog
from django.conf import settings
from django.core.files.base import File

PROGRAM = Path(__file__).with_name("thumbnailer.py")
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
SIDE = 720
"""Pixels: what a page shows at most, on a screen of two pixels to the point."""
AT_ONCE = BoundedSemaphore(2)
PATIENCE = 6
"""How many times its processor time a picture may take where others are busy."""

logger = structlog.get_logger(__name__)

_turns: WeakValueDictionary[int, Lock] = WeakValueDictionary()
_finding = Lock()


class Look(NamedTuple):
    """Pixels as it is shown, and a WebP without what the camera wrote into the original.

    No size: it is no picture, or a damaged one. A size and no thumbnail: it takes too much.
    """

    width: int | None = None
    height: int | None = None
    thumbnail: bytes = b""


def look_into(file: File[bytes], type_: str, whose: int = 0) -> Look:
    """What a picture of this type holds; nothing, where it is of another. Of one person's (by the
    id of their user) one is looked into at a time: whoever sends many waits for their own.
    """
    if type_ not in FORMATS:
        return Look()
    file.seek(0)
    content = file.read()
    file.seek(0)
    with _turn_of(whose), AT_ONCE:
        return _run(content, FORMATS[type_])


def _turn_of(user: int) -> Lock:
    with _finding:
        return _turns.setdefault(user, Lock())


def _run(content: bytes, kind: str) -> Look:
    seconds = settings.CHAT_THUMBNAIL_SECONDS
    bounds = [SIDE, settings.CHAT_THUMBNAIL_MAX_PIXELS, settings.CHAT_THUMBNAIL_MEMORY, seconds]
    command = [sys.executable, "-IB", str(PROGRAM), kind, *map(str, bounds)]
    try:
        done = subprocess.run(  # noqa: S603  # our own program, and numbers
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=seconds * PATIENCE,
            check=False,
        )
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        status, output = None, expired.stdout or b""
    except OSError:
        logger.exception("thumbnailer_not_started")
        return Look()
    size, _, thumbnail = output.partition(b"\n")
    if status == os.EX_DATAERR or not size:
        return Look()
    if status != 0:
        logger.warning("thumbnailer_stopped", status=status)
        thumbnail = b""
    width, height = map(int, size.split())
    return Look(width, height, thumbnail)
