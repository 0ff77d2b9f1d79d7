"""What a file is, by its first bytes alone: neither its name nor what the client says counts."""

import re

import puremagic

HEAD = 4096
"""How many bytes are looked at."""
UNKNOWN = "application/octet-stream"

SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a browser may show in place, where a thumbnail was made of it."""

SIGNATURES = {
    "image/png": rb"\x89PNG\r\n\x1a\n",
    "image/jpeg": rb"\xff\xd8\xff",
    "image/gif": rb"GIF8[79]a",
    "image/webp": rb"RIFF....WEBP",
    "audio/wav": rb"RIFF....WAVE",
    "audio/flac": rb"fLaC",
    "audio/mpeg": rb"ID3[\2-\4]|\xff[\xfa\xfb\xf2\xf3]",
    "audio/aac": rb"\xff[\xf0\xf1\xf8\xf9]",
    "audio/ogg": rb"OggS.{24,64}(?:OpusHead|\x01vorbis|\x7fFLAC|Speex)",
    "video/ogg": rb"OggS.{24,64}\x80theora",
    "audio/mp4": rb"....ftypM4[AB] ",
    "video/quicktime": rb"....ftypqt  ",
    "video/mp4": rb"....ftyp(?:isom|iso[2-9]|mp4[12]|avc1|dash|M4V |MSNV|3g[p2])",
    "video/webm": rb"\x1a\x45\xdf\xa3.{0,64}webm",
}
"""How what is shown or played in place begins. Only what is listed here ever is."""

PLAYED = frozenset(SIGNATURES) - SHOWN
KNOWN = [(type_, re.compile(start, re.DOTALL)) for type_, start in SIGNATURES.items()]


def sniff(head: bytes) -> str:
    """The media type the first bytes show; what is not known is a bag of bytes."""
    for type_, start in KNOWN:
        if start.match(head):
            return type_
    try:
        guess = puremagic.from_string(head, mime=True) or UNKNOWN
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    return UNKNOWN if guess in SIGNATURES else str(guess)
