"""Hostile files: none runs, none hurts, each gets a clear answer."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.response import Response

from messages import thumbnails
from messages.models import Attachment
from messages.thumbnails import Look, look_into
from tests.callers import Caller, answered
from tests.messages.files import MP4, WAV, picture
from tests.world import World

HTML = b"<!doctype html><script>alert(document.domain)</script>"
SCRIPT = b"*/=1;alert(document.domain)//"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
EXIF = Image.Exif()
EXIF[0x010E] = "<?php system($_GET['c']); ?>" + HTML.decode()
EXIF.get_ifd(0x8825)[1] = "N"
SAFE_TYPES = {
    *("image/png", "image/jpeg", "image/gif", "image/webp"),
    *("audio/wav", "video/mp4", "application/octet-stream"),
}


def gif_and_script() -> bytes:
    """A true GIF whose width, read as text, begins a comment that ends behind it."""
    return picture("GIF", (0x2A2F, 1)) + SCRIPT


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(width: int, height: int, rows: bytes, *before: bytes, colour: int = 0) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8 if colour else 1, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", head), *before, chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def nothing(count: int) -> bytes:
    """So many zeros, deflated a thousandfold."""
    squeeze = zlib.compressobj(9)
    piece = bytes(2**20)
    pieces = [squeeze.compress(piece) for _ in range(count // 2**20)]
    return b"".join([*pieces, squeeze.compress(bytes(count % 2**20)), squeeze.flush()])


HUGE = png(10_000, 10_000, nothing(10_000 * 1251))
BOMB = png(5_000, 5_000, nothing(5_000 * (5_000 * 4 + 1)), colour=6)
LYING = png(2**31 - 1, 2**31 - 1, nothing(1000))
WIDER_THAN_ALLOWED = png(2**32 - 1, 1, nothing(1000))
HARMLESS = {
    "a GIF that is a script": gif_and_script(),
    "a JPEG with PHP and HTML in EXIF": picture("JPEG", exif=EXIF),
    "a PNG with HTML behind it": picture() + HTML,
}
"""True pictures: shown as such, whatever else they are."""

DOWNLOADED = {
    "HTML": HTML,
    "XHTML": b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">' + HTML,
    "SVG": SVG,
    "SVG in XML": b"<?xml version='1.0'?>" + SVG,
    "script": b"alert(document.domain)",
    "PDF and HTML": b"%PDF-1.7\n" + HTML,
    "MHTML": b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" + HTML,
    "Flash": b"CWS\x0a" + HTML,
    "a GIF by its first bytes, a script by the rest": b"GIF89a/*" + SCRIPT,
    "a PNG by its first bytes, HTML by the rest": b"\x89PNG\r\n\x1a\n" + HTML,
    "a JPEG by its first bytes, HTML by the rest": b"\xff\xd8\xff\xe0" + HTML,
    "sound by its first bytes, HTML by the rest": WAV + HTML,
    "film by its first bytes, HTML by the rest": MP4 + HTML,
    "half a PNG": picture(size=(400, 300), color=0)[:-30],
    "half a JPEG": picture("JPEG", (400, 300))[:500],
    "half a GIF": picture("GIF", (400, 300))[:40],
    "half a WebP": picture("WEBP", (400, 300))[:60],
    "a PNG with a broken chunk": picture().replace(b"IDAT", b"IDAX"),
    "100 megapixels": HUGE,
    "a picture of four billion gigapixels": LYING,
    "a picture wider than any may be": WIDER_THAN_ALLOWED,
    "one byte": b"<",
    "zeros": bytes(5000),
}
OTHER_FORMATS = ["BMP", "DDS", "EPS", "ICNS", "ICO", "JPEG2000", "MSP", "PCX", "PPM", "SGI"]
OTHER_FORMATS += ["SPIDER", "TGA", "TIFF", "XBM"]


def send(world: World, content: bytes, name: str = "innocent.png") -> Response:
    file = SimpleUploadedFile(name, content, content_type="image/png")
    return Caller(world.ben).upload(f"rooms/{world.team.pk}/attachments/", file=file)


def received(world: World, content: bytes, name: str = "innocent.png") -> tuple[Any, Any]:
    """The attachment as Ben posted it, and what Cleo gets of it."""
    uploaded = send(world, content, name)
    assert uploaded.status_code == 201, uploaded.content
    posted = Caller(world.ben).say(world.team.pk, "", attachments=[uploaded.json()["id"]]).json()
    (shape,) = posted["attachments"]
    response = Caller(world.cleo).client.get(shape["url"])
    assert b"".join(response.streaming_content) == content
    return shape, response


def must_be_locked_up(response: Any) -> None:
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Cache-Control"].startswith("private")
    assert response["Content-Type"] in SAFE_TYPES


@pytest.mark.parametrize("what", DOWNLOADED)
def test_what_is_no_whole_picture_only_downloads(world: World, what: str) -> None:
    shape, response = received(world, DOWNLOADED[what])
    must_be_locked_up(response)
    assert response["Content-Disposition"] == 'attachment; filename="innocent.png"'
    assert shape["thumbnail"] is None
    assert Caller(world.ben).client.get(f"/attachments/{shape['id']}/thumbnail/").status_code == 404


def test_of_a_size_that_no_picture_has_nothing_is_told() -> None:
    assert look_into(ContentFile(WIDER_THAN_ALLOWED), "image/png") == Look()


@pytest.mark.parametrize("what", HARMLESS)
def test_a_true_picture_is_shown_and_nothing_else_that_it_is(world: World, what: str) -> None:
    shape, response = received(world, HARMLESS[what])
    must_be_locked_up(response)
    assert response["Content-Type"] == shape["type"]
    small = Caller(world.cleo).client.get(shape["thumbnail"])
    must_be_locked_up(small)
    assert small["Content-Type"] == "image/webp"
    content = b"".join(small.streaming_content)
    assert not any(words in content for words in (b"alert", b"php", b"script"))
    Image.open(BytesIO(content)).load()


@pytest.mark.parametrize("kind", OTHER_FORMATS)
def test_no_other_decoder_is_ever_asked(kind: str) -> None:
    mode = {"MSP": "1", "XBM": "1", "SPIDER": "F"}.get(kind, "RGBA" if kind == "ICNS" else "RGB")
    content = picture(kind, (32, 32), mode=mode, color=0)
    with Image.open(BytesIO(content)) as opened:
        assert opened.format == kind, "the decoder is there"
    for type_ in thumbnails.FORMATS:
        assert look_into(ContentFile(content), type_) == Look()


def test_a_hundred_megapixels_are_not_decoded_and_say_how_many_they_are(
    world: World, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CHAT_THUMBNAIL_MEMORY = 8 * 2**30  # it is not for want of memory
    shape, _ = received(world, HUGE)
    assert (shape["width"], shape["height"], shape["thumbnail"]) == (10_000, 10_000, None)
    assert "thumbnailer_stopped" not in caplog.text
    page = Caller(world.cleo).get(f"rooms/{world.team.pk}/messages/", render="html").json()
    assert "too large for a preview: 10000 × 10000 pixels" in page["messages"][-1]["article"]


def test_what_takes_more_memory_than_it_may_ends_its_own_process_alone(settings: Any) -> None:
    settings.CHAT_THUMBNAIL_MEMORY = 150 * 2**20
    assert look_into(ContentFile(BOMB), "image/png") == Look(5_000, 5_000)
    settings.CHAT_THUMBNAIL_MEMORY = 768 * 2**20
    assert look_into(ContentFile(BOMB), "image/png").thumbnail


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_what_is_packed_into_notes_of_a_picture_is_not_unpacked(kind: bytes) -> None:
    def noted(content: bytes) -> bytes:
        return png(8, 8, nothing(8 * 2), chunk(kind, b"a\0\0" + content))

    assert look_into(ContentFile(noted(zlib.compress(b"short"))), "image/png").thumbnail
    assert look_into(ContentFile(noted(nothing(2**24))), "image/png") == Look()


def test_the_limits_hold_in_the_process_that_decodes() -> None:
    program = (
        "import json, resource, runpy, sys;"
        f"confine = runpy.run_path({str(thumbnails.PROGRAM)!r})['confine'];"
        "confine(300_000_000, 4);"
        "print(json.dumps([resource.getrlimit(getattr(resource, f'RLIMIT_{name}'))"
        " for name in ('AS', 'CPU', 'CORE', 'FSIZE')]))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert json.loads(told) == [[300_000_000] * 2, [4, 4], [0, 0], [0, 0]]


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    program = folder / "program.py"
    program.write_text("\n".join(["import os, sys, time", *lines]))
    monkeypatch.setattr(thumbnails, "PROGRAM", program)


SIZE = r"sys.stdout.buffer.write(b'4 3\n'); sys.stdout.flush()"


@pytest.mark.parametrize(
    ("end", "found"),
    [
        ("sys.stdout.buffer.write(b'webp')", Look(4, 3, b"webp")),
        ("sys.stdout.buffer.write(b'we'); sys.stdout.flush(); os.abort()", Look(4, 3)),
        ("os.kill(os.getpid(), 9)", Look(4, 3)),
        ("sys.exit(os.EX_DATAERR)", Look()),
        ("raise ValueError", Look(4, 3)),
        ("while True: time.sleep(1)", Look(4, 3)),
    ],
)
def test_however_a_decoder_ends_the_server_goes_on(
    end: str, found: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, SIZE, end)
    if "while" in end:
        monkeypatch.setattr(thumbnails, "PATIENCE", 0.3)
    assert look_into(ContentFile(picture()), "image/png") == found


def test_a_decoder_knows_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hidden")
    stand_in(tmp_path, monkeypatch, SIZE, "print(sorted(os.environ))")
    assert look_into(ContentFile(picture()), "image/png").thumbnail in {b"[]\n", b"['LC_CTYPE']\n"}


def test_a_server_that_can_start_no_process_takes_files_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert look_into(ContentFile(picture()), "image/png") == Look()


NAMES = {
    "../../../etc/passwd": "passwd",
    "..\\..\\windows\\system32\\x.dll": "x.dll",
    "a\r\nSet-Cookie: x=1\r\n\r\n<script>.png": "aSet-Cookie x=1<script>.png",
    "photo\u202egpj.exe": "photogpj.exe",
    "a\u2066b\u2069\u200f.png": "ab.png",
    "quo\"te'.png": "quo\"te'.png",
    "x" * 5000 + ".png": "x" * 116 + ".png",
    "🎂🎉.png": "🎂🎉.png",
    "%2e%2e%2fpasswd": "%2e%2e%2fpasswd",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_words_and_nothing_more(world: World, name: str) -> None:
    file = Attachment.objects.upload(ContentFile(HTML, name), room=world.team, by=world.ben)
    world.say(world.team, world.ben, "", attachments=[file])
    if "Set-Cookie" not in name:
        assert file.name == NAMES[name]
    assert len(file.name) <= 120
    assert ".." not in Path(file.file.path).parts
    assert Path(file.file.path).is_relative_to(file.file.storage.location)
    response = Caller(world.cleo).client.get(file.url)
    assert response.status_code == 200
    assert "Set-Cookie" not in response
    assert response["Content-Disposition"].isprintable()
    assert response["Content-Disposition"].startswith("attachment; filename")
    page = Caller(world.cleo).get(f"rooms/{world.team.pk}/messages/", render="html").json()
    assert "<script" not in page["messages"][-1]["article"]


def test_nothing_at_all_is_refused_in_a_sentence(world: World) -> None:
    response = send(world, b"")
    assert answered(response) == (400, "invalid")
    assert response.json()["error"]["details"] == {"file": ["The file is empty."]}


def test_what_is_too_large_is_refused_in_a_sentence(world: World, settings: Any) -> None:
    settings.CHAT_ATTACHMENT_MAX_SIZE = 2**20
    response = send(world, bytes(2**20 + 1))
    assert answered(response) == (413, "too_large")
    assert response.json()["error"]["message"] == "A file may be at most 1 MB."
