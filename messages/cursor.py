"""How far a client has come in a room's feed, sealed so that it tells the client nothing.

Sealing is random: of two cursors for the same place nobody can say that they are, so that a
reader cannot count what was said behind their back.
"""

import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.crypto import salted_hmac

NONCE = 12


@cache
def _cipher(secret: str) -> AESGCM:
    return AESGCM(salted_hmac("chat.cursor", "", secret=secret, algorithm="sha256").digest())


def seal(room: int, revision: int) -> str:
    nonce = os.urandom(NONCE)
    place = struct.pack(">QQ", room, revision)
    sealed = _cipher(settings.SECRET_KEY).encrypt(nonce, place, None)
    return urlsafe_b64encode(nonce + sealed).decode()


def unseal(cursor: str, *, room: int) -> int | None:
    """The revision it stands for, or None where it is unreadable or of another room."""
    try:
        raw = urlsafe_b64decode(cursor)
        place = _cipher(settings.SECRET_KEY).decrypt(raw[:NONCE], raw[NONCE:], None)
    except (ValueError, InvalidTag):
        return None
    owner, revision = struct.unpack(">QQ", place)
    return int(revision) if owner == room else None
