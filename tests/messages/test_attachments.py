"""Files: uploaded first, attached by their uploader in that room, seen as their message is."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from accounts.errors import Invalid, NotFound, TooLarge
from messages.encoding import encode_attachment, encode_for
from messages.models import Attachment
from messages.models.attachment import clean_name
from rooms.models import Room
from tests.messages.files import MP4, OPUS, WAV, picture, upload
from tests.race import until_it_waits_for_us
from tests.world import World, again, expected


def readers(world: World, file: Attachment) -> set[str]:
    return {
        name
        for name, who in world.people.items()
        if Attachment.objects.visible_to(who).filter(pk=file.pk).exists()
    }


def test_who_uploads(world: World) -> None:
    answers = world.answers(lambda who: upload(again(world.team), who))
    assert answers == expected(
        yes="ben cleo dee gus parrot", forbidden="vic", otherwise="not_found"
    )
    answers = world.answers(lambda who: upload(again(world.support), who))
    assert answers == expected(yes="ada sue carl dora parrot", otherwise="not_found")


def test_unattached_files_are_seen_by_their_uploader_while_in_the_room(world: World) -> None:
    file = upload(world.team, world.cleo)
    assert readers(world, file) == {"cleo"}
    again(world.team).leave(by=world.cleo)
    assert readers(world, file) == set()


def test_attached_files_are_seen_as_their_message_is(world: World) -> None:
    for message_of, seen in (
        (
            lambda file: world.say(world.team, world.ben, "", attachments=[file]),
            {"ben", "cleo", "vic", "dee", "gus", "parrot"},
        ),
        (
            lambda file: world.team.messages.post(
                "", by=world.ben, audience="only", to=[world.gus], attachments=[file]
            ),
            {"ben", "gus"},
        ),
    ):
        file = upload(world.team, world.ben)
        message_of(file)
        assert readers(world, file) == seen
    file = upload(world.support, world.ada)
    world.support.messages.post("see", by=world.ada, audience="staff", attachments=[file])
    assert readers(world, file) == {"ada", "sue"}


def test_only_ones_own_unattached_files_of_the_same_room_are_attached(world: World) -> None:
    others = upload(world.team, world.cleo)
    elsewhere = upload(world.public, world.ben)
    used = upload(world.team, world.ben)
    world.say(world.team, world.ben, "first", attachments=[used])
    for file in (others, elsewhere, used):
        with pytest.raises(NotFound):
            world.say(world.team, world.ben, "look", attachments=[file])
    twice = upload(world.team, world.ben)
    with pytest.raises(NotFound):
        world.say(world.team, world.ben, "look", attachments=[twice, twice])
    assert again(twice).message is None


def test_at_most_ten_files_go_with_a_message(world: World) -> None:
    files = [upload(world.team, world.ben) for _ in range(11)]
    with pytest.raises(Invalid):
        world.say(world.team, world.ben, "look", attachments=files)
    message = world.say(world.team, world.ben, "look", attachments=files[:10])
    assert message.attachments.count() == 10


def test_files_stand_in_the_order_in_which_they_are_named(world: World) -> None:
    files = [upload(world.team, world.ben, name=f"{n}.txt") for n in range(4)]
    named = [files[2], files[0], files[3], files[1]]
    message = world.say(world.team, world.ben, "look", attachments=named)
    share = message.share(by=world.ben, audience="everyone", room=world.public).message
    for said in (message, share):
        (shape,) = encode_for(world.ben, [said])
        names = [file["name"] for file in shape["attachments"]]
        assert names == ["2.txt", "0.txt", "3.txt", "1.txt"]


def test_size_is_bounded(world: World, settings: object) -> None:
    settings.CHAT_ATTACHMENT_MAX_SIZE = 10
    assert upload(world.team, world.ben, b"x" * 10).size == 10
    with pytest.raises(TooLarge):
        upload(world.team, world.ben, b"x" * 11)
    with pytest.raises(Invalid):
        upload(world.team, world.ben, b"")
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "type_", "shown", "played"),
    [
        (picture(), "image/png", True, False),
        (picture("JPEG"), "image/jpeg", True, False),
        (picture("GIF"), "image/gif", True, False),
        (picture("WEBP"), "image/webp", True, False),
        (picture("PNG")[:40], "image/png", False, False),
        (picture("TIFF"), "image/tiff", False, False),
        (picture("BMP"), "image/x-ms-bmp", False, False),
        (b"%PDF-1.4\n" + b"x" * 64, "application/pdf", False, False),
        (WAV, "audio/wav", False, True),
        (OPUS, "audio/ogg", False, True),
        (b"ID3\4" + b"\0" * 64, "audio/mpeg", False, True),
        (b"fLaC" + b"\0" * 64, "audio/flac", False, True),
        (MP4, "video/mp4", False, True),
        (MP4.replace(b"isom", b"M4A "), "audio/mp4", False, True),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64, "image/heif", False, False),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + b"\0" * 64, "video/webm", False, True),
    ],
)
def test_the_type_is_what_the_bytes_show(
    world: World, content: bytes, type_: str, shown: bool, played: bool
) -> None:
    file = upload(world.team, world.ben, content, "innocent.txt")
    assert (file.type, file.is_shown, file.is_played) == (type_, shown, played)


@pytest.mark.parametrize(
    "content",
    [
        b"<html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg onload='alert(1)'/>",
        b"plain words",
        b"\0\1\2\3",
        b"x",
    ],
)
def test_whatever_could_run_is_never_shown_in_place(world: World, content: bytes) -> None:
    assert not upload(world.team, world.ben, content, "picture.png").is_shown


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("a\r\nb\0c.txt", "abc.txt"),
        (".", "file"),
        ("..", "file"),
        ("", "file"),
        ("x" * 300 + ".txt", "x" * 116 + ".txt"),
        ("übung 漢字.txt", "übung 漢字.txt"),
        ("a\u202egpj.exe", "agpj.exe"),
    ],
)
def test_names_are_shown_without_paths_or_control_characters(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@pytest.mark.parametrize(
    "name", ["???", "🎉", "(&)", "...x", "a/b", "%00", "#?&", "‮", "-", "名前.pdf"]
)
def test_a_file_of_any_name_has_an_address(world: World, name: str) -> None:
    file = Attachment.objects.upload(
        ContentFile(b"x", name=name or "x"), room=world.team, by=world.ben
    )
    row = encode_attachment(file)
    assert row["url"].startswith(f"/attachments/{file.pk}/")
    assert len(row["url"]) > len(f"/attachments/{file.pk}/")
    assert not set(row["url"]) & set("?#\\\n ")


def test_a_customer_may_send_a_file_to_a_closed_room(world: World) -> None:
    Room.objects.filter(pk=world.support.pk).update(state="closed")
    file = upload(again(world.support), world.carl)
    world.say(again(world.support), world.carl, "", attachments=[file])
    assert again(world.support).state == "active"
    Room.objects.filter(pk=world.support.pk).update(state="closed")
    assert world.answer(lambda who: upload(again(world.support), who), world.ada) == "room_closed"


def test_what_is_unattached_for_a_day_is_swept_with_its_file(
    world: World, django_capture_on_commit_callbacks: object
) -> None:
    old, attached = upload(world.team, world.ben), upload(world.team, world.ben)
    world.say(world.team, world.ben, "look", attachments=[attached])
    with time_machine.travel(timezone.now() + timedelta(hours=23), tick=False):
        assert Attachment.objects.sweep() == 0
        young = upload(world.team, world.ben)
    with (
        time_machine.travel(timezone.now() + timedelta(hours=25), tick=False),
        django_capture_on_commit_callbacks(execute=True),
    ):
        assert Attachment.objects.sweep() == 1
    assert set(Attachment.objects.all()) == {attached, young}
    assert not default_storage.exists(old.file.name)
    assert default_storage.exists(attached.file.name)


def test_sweeping_goes_in_batches_to_the_end(world: World) -> None:
    for _ in range(5):
        upload(world.team, world.ben)
    Attachment.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert Attachment.objects.sweep(batch=2) == 5


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_swept_is_not_posted_at_that_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either is first: a message never stands there without what it was posted with."""
    file = upload(world.team, world.ben)
    Attachment.objects.update(created_at=timezone.now() - timedelta(days=2))
    discard = Attachment.discard

    def post() -> object:
        try:
            return world.say(world.team, world.ben, "see the plan", attachments=[file])
        except NotFound as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        posting: list[Future[object]] = []

        def discard_while_it_is_posted(rows: list[Attachment]) -> None:
            if rows:
                posting.append(pool.submit(post))
                until_it_waits_for_us(posting[0])
            discard(rows)

        monkeypatch.setattr(Attachment, "discard", discard_while_it_is_posted)
        assert Attachment.objects.sweep() == 1
        posted = posting[0].result()
    assert isinstance(posted, NotFound) or posted.attachments.count() == 1


def test_an_own_file_is_found_once_however_many_are_in_the_room(world: World) -> None:
    file = upload(world.team, world.ben)
    assert Attachment.objects.visible_to(world.ben).filter(pk=file.pk).count() == 1
    world.say(world.team, world.ben, attachments=[file])
    assert Attachment.objects.visible_to(world.ben).filter(pk=file.pk).count() == 1
