"""Thumbnails: what they show, who sees them, when they are made and when they go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from PIL import Image, ImageCms

from messages import thumbnails
from messages.models import Attachment
from messages.models import attachment as attachments
from messages.thumbnails import SIDE, Look, look_into
from tests.callers import Caller
from tests.messages.files import picture, upload
from tests.process import PATIENCE
from tests.rooms.test_api_rooms import everybody
from tests.world import World, again

RED, BLUE = (230, 20, 20), (20, 20, 230)
CORNERS = {1: RED, 2: BLUE, 3: BLUE, 4: RED, 5: RED, 6: RED, 7: BLUE, 8: BLUE}
"""What is to be seen at the top left of a picture that is stored red at its left, blue at its
right, by how the camera was held; upright, in 5 to 8, red is above or below.
"""


def exif(held: int) -> bytes:
    notes = Image.Exif()
    notes[0x0112] = held
    notes[0x010F] = "Camera of Ben"
    notes.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    return notes.tobytes()


def two_colours(kind: str, held: int) -> bytes:
    image = Image.new("RGB", (1600, 800), BLUE)
    image.paste(RED, (0, 0, 800, 800))
    file = BytesIO()
    image.save(file, kind, exif=exif(held), quality=90)
    return file.getvalue()


def near(one: Any, other: Any) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(one, other, strict=True))


def opened(look: Look) -> Image.Image:
    image = Image.open(BytesIO(look.thumbnail))
    assert image.format == "WEBP"
    return image


def files_of(folder: Any) -> set[str]:
    return {path.name for path in Path(folder).rglob("*") if path.is_file()}


@pytest.mark.parametrize("held", CORNERS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_stands_upright_and_tells_nothing_of_the_camera(kind: str, held: int) -> None:
    content = two_colours(kind, held)
    assert b"Camera of Ben" in content
    look = look_into(ContentFile(content), f"image/{kind.lower()}")
    assert (look.width, look.height) == ((1600, 800) if held < 5 else (800, 1600))
    small = opened(look)
    assert small.size == ((SIDE, SIDE // 2) if held < 5 else (SIDE // 2, SIDE))
    assert near(small.convert("RGB").getpixel((5, 5)), CORNERS[held])
    assert not set(small.info) & {"exif", "xmp", "icc_profile"}
    assert b"Camera" not in look.thumbnail


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
        *(("GIF", mode) for mode in ("L", "P")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    ],
)
def test_pictures_of_every_mode_keep_their_brightness(kind: str, mode: str) -> None:
    white = {"1": 1, "LA": (255, 255), "RGBA": (255,) * 4, "I;16": 65535}
    image = Image.new(mode, (90, 60), white.get(mode, 0 if mode == "CMYK" else "white"))
    file = BytesIO()
    image.save(file, kind)
    small = opened(look_into(ContentFile(file.getvalue()), f"image/{kind.lower()}"))
    assert small.size == (90, 60)
    assert near(small.convert("RGB").getpixel((45, 30)), (255, 255, 255))


def test_grey_of_sixteen_bits_is_grey() -> None:
    file = BytesIO()
    Image.new("I;16", (90, 60), 0x4000).save(file, "PNG")
    small = opened(look_into(ContentFile(file.getvalue()), "image/png"))
    assert near(small.convert("RGB").getpixel((45, 30)), (64, 64, 64))


def test_what_can_be_seen_through_stays_so() -> None:
    content = picture("PNG", (90, 60), mode="RGBA", color=(255, 0, 0, 0))
    small = opened(look_into(ContentFile(content), "image/png"))
    assert small.convert("RGBA").getpixel((45, 30))[3] == 0


def test_colours_are_those_of_the_profile() -> None:
    """Of one in which red and blue are exchanged."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
    content = picture("PNG", color=(255, 0, 0), icc_profile=swapped)
    small = opened(look_into(ContentFile(content), "image/png"))
    assert near(small.convert("RGB").getpixel((9, 9)), (0, 0, 255))


def test_a_profile_of_no_use_is_no_matter() -> None:
    content = picture("PNG", color=RED, icc_profile=b"nonsense")
    small = opened(look_into(ContentFile(content), "image/png"))
    assert near(small.convert("RGB").getpixel((9, 9)), RED)


def test_of_what_moves_the_first_frame_is_shown() -> None:
    frames = [Image.new("RGB", (90, 60), colour) for colour in (RED, BLUE)]
    for kind in ("GIF", "WEBP", "PNG"):
        file = BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
        small = opened(look_into(ContentFile(file.getvalue()), f"image/{kind.lower()}"))
        assert getattr(small, "n_frames", 1) == 1
        assert near(small.convert("RGB").getpixel((45, 30)), RED), kind


def test_a_large_photo_is_decoded_small(settings: Any) -> None:
    """Whole, it would not fit."""
    settings.CHAT_THUMBNAIL_MEMORY = 150 * 2**20
    look = look_into(ContentFile(picture("JPEG", (7000, 7000))), "image/jpeg")
    assert opened(look).size == (SIDE, SIDE)


def test_a_thumbnail_is_seen_by_those_who_see_its_message(world: World) -> None:
    def readers(room: Any, by: Any, **how: Any) -> set[str]:
        file = upload(room, by, picture(), "a.png")
        url = f"/attachments/{file.pk}/thumbnail/"

        def seen() -> set[str]:
            answers = everybody(
                world, lambda caller: caller.client.get(url, HTTP_ACCEPT="application/json")
            )
            assert set(answers.values()) <= {200, "not_found"}
            return {name for name, answer in answers.items() if answer == 200}

        assert seen() == {world.name_of(by)}
        message = room.messages.post("", by=by, attachments=[file], **how)
        assert seen() == world.readers(message) - {"dee", "parrot"}
        return seen()

    assert readers(world.team, world.ben) == {"ben", "cleo", "vic", "gus"}
    whisper = {"audience": "only", "to": [world.cleo]}
    assert readers(world.team, world.ben, **whisper) == {"ben", "cleo"}
    assert readers(world.support, world.ada, audience="staff") == {"ada", "sue"}
    assert readers(world.support, world.carl) == {"ada", "sue", "carl", "dora"}


def test_nobody_reads_a_thumbnail_by_its_address_alone(world: World) -> None:
    file = upload(world.team, world.ben, picture(), "a.png")
    world.say(world.team, world.ben, "", attachments=[file])
    url = file.thumbnail_url
    assert Client().get(url, HTTP_ACCEPT="application/json").status_code == 401
    assert Client().get(url, HTTP_ACCEPT="text/html").status_code == 302
    cleo = Caller(world.cleo)
    answer = cleo.client.get(url)
    assert answer["Cache-Control"] == "private, max-age=3600"
    assert {"Authorization", "Cookie"} <= set(answer["Vary"].split(", "))
    again(world.team).leave(by=world.cleo)
    assert cleo.client.get(url).status_code == 404
    assert cleo.client.get(url, HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 404
    assert Caller(world.ben).client.get("/attachments/999999/thumbnail/").status_code == 404
    assert Caller(world.ben).client.post(url).status_code == 405


def test_a_thumbnail_goes_with_the_last_message_that_has_its_file(
    world: World, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    file = upload(world.team, world.ben, picture(), "a.png")
    said = world.say(world.team, world.ben, "", attachments=[file])
    stored = files_of(settings.MEDIA_ROOT)
    assert len(stored) == 2
    share = said.share(by=world.ben, audience="everyone", room=world.public).message
    (copy,) = share.attachments.all()
    assert (copy.thumbnail, copy.width, copy.height) == (file.thumbnail, 40, 30)
    with django_capture_on_commit_callbacks(execute=True):
        again(said).remove(by=world.ben)
    assert files_of(settings.MEDIA_ROOT) == stored
    assert Caller(world.cleo).client.get(copy.thumbnail_url).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        again(share).remove(by=world.ben)
    assert files_of(settings.MEDIA_ROOT) == set()
    assert Caller(world.cleo).client.get(copy.thumbnail_url).status_code == 404


def test_a_thumbnail_is_swept_with_what_nobody_posted(
    world: World, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    upload(world.team, world.ben, picture(), "a.png")
    old = timezone.now() - settings.CHAT_ATTACHMENT_KEEP_UNATTACHED
    Attachment.objects.update(created_at=old)
    with django_capture_on_commit_callbacks(execute=True):
        assert Attachment.objects.sweep() == 1
    assert files_of(settings.MEDIA_ROOT) == set()


def test_what_could_not_be_kept_leaves_nothing_behind(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(Attachment, "save", fails)
    with pytest.raises(RuntimeError):
        upload(world.team, world.ben, picture(), "a.png")
    assert files_of(settings.MEDIA_ROOT) == set()


def form(world: World, browser: Client, *files: bytes, body: str = "look") -> Any:
    sent = [SimpleUploadedFile("a.png", content) for content in files]
    return browser.post(f"/rooms/{world.team.pk}/messages/", {"body": body, "files": sent})


@pytest.fixture
def ben(world: World) -> Client:
    client = Client()
    client.force_login(world.ben, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_what_a_refused_form_sent_leaves_nothing_behind(
    world: World, ben: Client, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert form(world, ben, picture(), b"").status_code == 400
        assert form(world, ben, picture(), body="x" * 17_000).status_code == 400
    assert files_of(settings.MEDIA_ROOT) == set()
    assert not Attachment.objects.exists()


def test_of_too_many_files_none_is_looked_into(
    world: World, ben: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    monkeypatch.setattr(attachments, "look_into", lambda *_: looked.append(1) or Look())
    settings.CHAT_ATTACHMENTS_MAX = 2
    answer = form(world, ben, *[picture()] * 3)
    assert (answer.status_code, looked) == (400, [])
    assert "At most 2 files go with a message." in answer.text
    assert form(world, ben, *[picture()] * 2).status_code == 302
    assert len(looked) == 2


@pytest.mark.django_db(transaction=True)
def test_no_transaction_and_no_connection_waits_for_a_picture(
    world: World, ben: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []

    def look(*_: object) -> Look:
        held.append(connection.in_atomic_block or connection.connection is not None)
        return Look()

    monkeypatch.setattr(attachments, "look_into", look)
    assert form(world, ben, picture()).status_code == 302
    file = SimpleUploadedFile("a.png", picture())
    Caller(world.ben).upload(f"rooms/{world.team.pk}/attachments/", file=file)
    assert held == [False, False]


def test_one_person_holds_up_nobody_elses_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, begun = Event(), Semaphore(0)

    def run(content: bytes, _kind: str) -> Look:
        begun.release()
        if content == b"slow":
            assert slow.wait(PATIENCE)
        return Look(1, 1)

    monkeypatch.setattr(thumbnails, "_run", run)
    with ThreadPoolExecutor(6) as pool:
        pool_of_ben = [pool.submit(look_into, ContentFile(b"slow"), "image/png", 1) for _ in "abcd"]
        assert begun.acquire(timeout=PATIENCE)
        try:
            cleos = pool.submit(look_into, ContentFile(b"quick"), "image/png", 2)
            assert cleos.result(timeout=PATIENCE) == Look(1, 1)
        finally:
            slow.set()
        assert {look.result(timeout=PATIENCE) for look in pool_of_ben} == {Look(1, 1)}
