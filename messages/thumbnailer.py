"""A program: reads a picture from its standard input, and writes its size and its thumbnail.

`messages.thumbnails` runs it, in a process of its own that has little memory, little time and no
secrets: whatever a picture does to its decoder, the server does not feel it. The first line of the
output is `width height`, as the picture is shown; a WebP follows, where one could be made of it.
Ends with EX_DATAERR where it is no picture, or a damaged one.
"""

import os
import resource
import sys
from io import BytesIO

from PIL import Image, ImageCms, WebPImagePlugin  # noqa: F401  # WebP is not loaded by itself

ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What puts a picture upright, by the number EXIF has for how the camera was held."""
SIDEWAYS = 5
"""From this number on width and height change places."""
LARGEST = 2**31 - 1
"""Pixels to a side: what PNG allows, and what a database keeps."""


def main(kind: str, side: int, pixels: int, memory: int, seconds: int) -> None:
    """`kind` is the one format it may be; beyond `pixels` it is not decoded at all."""
    confine(memory, seconds)
    try:
        thumbnail = look(kind, side, pixels)
    except MemoryError:
        return
    except Exception:
        # A decoder raises whatever it likes.
        sys.exit(os.EX_DATAERR)
    sys.stdout.buffer.write(thumbnail)


def confine(memory: int, seconds: int) -> None:
    """Take no more than this, and nothing before others."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def look(kind: str, side: int, pixels: int) -> bytes:
    """Tell the size, then make the thumbnail: empty where the picture is too large."""
    Image.MAX_IMAGE_PIXELS = None  # else there would be no size to tell
    with Image.open(BytesIO(sys.stdin.buffer.read()), formats=[kind]) as picture:
        held = orientation(picture)
        if max(picture.size) > LARGEST:
            raise ValueError(picture.size)
        width, height = picture.size if held < SIDEWAYS else reversed(picture.size)
        sys.stdout.buffer.write(b"%d %d\n" % (width, height))
        sys.stdout.buffer.flush()
        if width * height > pixels:
            return b""
        Image.MAX_IMAGE_PIXELS = pixels
        return shrink(picture, held, side)


def orientation(picture: Image.Image) -> int:
    """As EXIF has it, where it is in its place: `getexif` would decode a whole PNG to find it."""
    exif = Image.Exif()
    try:
        exif.load(picture.info.get("exif", b""))
        return int(exif.get(ORIENTATION, 1))
    except Exception:
        # What is wrong with its notes is no matter to the picture.
        return 1


def shrink(picture: Image.Image, held: int, side: int) -> bytes:
    """Upright, in the colours of the web, and with nothing but its pixels."""
    profile = picture.info.get("icc_profile")
    picture = plain(picture)
    picture.thumbnail((side, side))
    if profile:
        picture = in_colours_of_the_web(picture, profile)
    if picture.mode == "CMYK":
        picture = picture.convert("RGB")
    if held in TURNS:
        picture = picture.transpose(TURNS[held])
    file = BytesIO()
    picture.save(file, "WEBP", quality=78, icc_profile=b"", exif=b"", xmp=b"")
    return file.getvalue()


def plain(picture: Image.Image) -> Image.Image:
    """In a mode that is made smaller well. A JPEG stays as it is, to be decoded small at once."""
    if picture.mode.startswith("I;16"):
        return picture.point(lambda value: value / 256).convert("L")
    if picture.mode in {"L", "RGB", "RGBA", "CMYK"}:
        return picture
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def in_colours_of_the_web(picture: Image.Image, profile: bytes) -> Image.Image:
    """As its profile has it, in sRGB; unchanged where the profile is of no use."""
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        given = ImageCms.getOpenProfile(BytesIO(profile))
        web = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, given, web, outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
