"""Files: uploaded through the API, downloaded by those who may see their messages."""

import errno
import os
from io import BytesIO
from typing import Any, BinaryIO

import pytest
from asgiref.sync import async_to_sync
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client
from rest_framework.response import Response

from accounts import tokens
from accounts.models import Login, User
from messages import downloads
from messages.models import Attachment
from rooms.models import Room
from tests.callers import Caller, answered
from tests.messages.files import PNG
from tests.rooms.test_api_rooms import everybody
from tests.world import World

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def upload(
    who: User, room: Room, name: str = "notes.txt", content: bytes = b"some notes"
) -> Response:
    file = SimpleUploadedFile(name, content)
    return Caller(who).upload(f"rooms/{room.pk}/attachments/", file=file)


def content_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_file_is_uploaded_and_read_back(world: World) -> None:
    response = upload(world.ben, world.team, "plan.png", PNG)
    assert response.status_code == 201
    file = response.json()
    assert file == {
        "id": file["id"],
        "name": "plan.png",
        "type": "image/png",
        "size": len(PNG),
        "url": f"/attachments/{file['id']}/plan.png",
        "thumbnail": f"/attachments/{file['id']}/thumbnail/",
        "width": 40,
        "height": 30,
    }
    read = Caller(world.ben).client.get(file["url"])
    assert content_of(read) == PNG
    assert read["Content-Type"] == "image/png"
    assert read["Content-Length"] == str(len(PNG))
    assert read["Content-Disposition"] == 'inline; filename="plan.png"'


@pytest.mark.parametrize(
    ("name", "content"),
    [("page.html", b"<script>alert(1)</script>"), ("a.svg", SVG), ("fake.png", b"not a picture")],
)
def test_what_is_no_picture_is_never_shown_in_place(
    world: World, name: str, content: bytes
) -> None:
    url = upload(world.ben, world.team, name, content).json()["url"]
    response = Caller(world.ben).client.get(url)
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private"
    assert content_of(response) == content


@pytest.mark.parametrize(
    "name",
    [
        "😀",
        "!!!",
        "été.txt",
        "a b.txt",
        "100%.txt",
        "a#b?c.txt",
        'q"uote.txt',
        "../../etc/passwd",
        "C:\\x\\y.txt",
        "a\u202eb.txt",
    ],
)
def test_a_file_may_be_called_anything(world: World, name: str) -> None:
    response = upload(world.ben, world.team, name)
    assert response.status_code == 201
    file = response.json()
    assert "/" not in file["name"]
    assert "\\" not in file["name"]
    posted = Caller(world.ben).say(world.team.pk, "", attachments=[file["id"]])
    assert posted.json()["attachments"] == [file]
    assert content_of(Caller(world.cleo).client.get(file["url"])) == b"some notes"


def test_who_may_upload(world: World) -> None:
    def act(room: Room) -> dict[str, Any]:
        return everybody(
            world,
            lambda caller: caller.upload(
                f"rooms/{room.pk}/attachments/", file=SimpleUploadedFile("a.txt", b"x")
            ),
        )

    answers = act(world.team)
    assert {answers.pop(name) for name in ("ben", "cleo", "gus")} == {201}
    assert answers.pop("vic") == "forbidden"
    assert set(answers.values()) == {"not_found"}


def test_who_may_download(world: World) -> None:
    def readers(audience: str | None, to: list[int], room: Room, by: User) -> set[str]:
        file = upload(by, room).json()
        how = {"audience": audience, "to": to} if audience else {}
        assert Caller(by).say(room.pk, attachments=[file["id"]], **how).status_code == 201
        answers = everybody(
            world, lambda caller: caller.client.get(file["url"], HTTP_ACCEPT="application/json")
        )
        assert set(answers.values()) <= {200, "not_found"}
        return {name for name, answer in answers.items() if answer == 200}

    assert readers(None, [], world.team, world.ben) == {"ben", "cleo", "vic", "gus"}
    assert readers("only", [world.cleo.pk], world.team, world.ben) == {"ben", "cleo"}
    assert readers("staff", [], world.support, world.ada) == {"ada", "sue"}
    assert readers(None, [], world.support, world.carl) == {"ada", "sue", "carl", "dora"}


def test_what_is_not_posted_yet_is_the_uploaders_alone(world: World) -> None:
    url = upload(world.ben, world.team).json()["url"]
    answers = everybody(
        world, lambda caller: caller.client.get(url, HTTP_ACCEPT="application/json")
    )
    assert {name for name, answer in answers.items() if answer == 200} == {"ben"}


def test_a_file_goes_with_its_message(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    file = upload(world.ben, world.team).json()
    posted = Caller(world.ben).say(world.team.pk, "", attachments=[file["id"]]).json()
    stored = Attachment.objects.get(pk=file["id"]).file.name
    with django_capture_on_commit_callbacks(execute=True):
        Caller(world.ben).delete(f"messages/{posted['id']}/")
    assert Caller(world.ben).client.get(file["url"]).status_code == 404
    assert not default_storage.exists(stored)


def test_a_file_lost_on_disk_is_404(world: World) -> None:
    file = upload(world.ben, world.team).json()
    default_storage.delete(Attachment.objects.get(pk=file["id"]).file.name)
    assert Caller(world.ben).client.get(file["url"]).status_code == 404


@pytest.mark.parametrize("number", ["999999", str(2**63), "9" * 30])
def test_a_file_that_is_not_there_is_404(world: World, number: str) -> None:
    assert Caller(world.ben).client.get(f"/attachments/{number}/x.txt").status_code == 404


def test_a_session_reads_files_and_nobody_is_sent_to_sign_in(world: World) -> None:
    url = upload(world.ben, world.team).json()["url"]
    nobody = Client()
    sent = nobody.get(url, HTTP_ACCEPT="text/html")
    assert (sent.status_code, sent["Location"]) == (302, f"/login/?next={url}")
    assert nobody.get(url, HTTP_ACCEPT="application/json").status_code == 401
    wrong = nobody.get(url, HTTP_AUTHORIZATION="Bearer nonsense", HTTP_ACCEPT="application/json")
    assert answered(wrong) == (401, "token_invalid")
    page = Client()
    page.force_login(world.ben, backend="django.contrib.auth.backends.ModelBackend")
    assert content_of(page.get(url)) == b"some notes"
    assert page.post(url).status_code == 405


def test_a_file_that_is_none_is_refused(world: World) -> None:
    ben, path = Caller(world.ben), f"rooms/{world.team.pk}/attachments/"
    for wrong in (
        {},
        {"file": "text"},
        {"other": SimpleUploadedFile("a.txt", b"x")},
        {"file": SimpleUploadedFile("a.txt", b"")},
    ):
        response = ben.upload(path, **wrong)
        assert answered(response) == (400, "invalid")
        assert set(response.json()["error"]["details"]) == {"file"}
    assert answered(ben.post(path, file="x")) == (415, "unsupported_media_type")
    broken = ben.client.generic(
        "POST", f"/api/v1/{path}", b"--x", content_type="multipart/form-data"
    )
    assert answered(broken) == (400, "invalid")
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("number", [1, 2])
def test_where_the_disk_is_full_it_is_said_and_nothing_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Of a picture and of its thumbnail, the first or the second."""
    opened = []

    def open_full(descriptor: int, mode: str) -> BinaryIO:
        file = open(descriptor, mode, buffering=0)  # noqa: SIM115  # the storage closes it
        opened.append(file)
        return Full(file) if len(opened) == number else file

    monkeypatch.setattr("django.core.files.storage.filesystem.os.fdopen", open_full)
    answer = upload(world.ben, world.team, "plan.png", PNG)
    assert len(opened) == number
    assert answer.status_code == 503
    assert answer["Retry-After"]
    error = answer.json()["error"]
    assert (error["code"], error["retryable"]) == ("unavailable", True)
    assert "no space left" in error["message"]
    assert not Attachment.objects.exists()
    assert default_storage.listdir(f"attachments/{world.team.pk}") == ([], [])
    assert upload(world.ben, world.team, "plan.png", PNG).status_code == 201


class Full:
    """A file on a disk that has room for its beginning alone."""

    def __init__(self, file: BinaryIO) -> None:
        self.close = file.close
        self._file = file

    def write(self, content: bytes) -> None:
        self._file.write(content[:20])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_that_is_too_large_is_refused(world: World, settings: Any) -> None:
    settings.CHAT_ATTACHMENT_MAX_SIZE = 10
    assert answered(upload(world.ben, world.team, content=b"x" * 11)) == (413, "too_large")
    assert upload(world.ben, world.team, content=b"x" * 10).status_code == 201


def test_at_most_ten_files_go_with_a_message(world: World) -> None:
    ids = [upload(world.ben, world.team).json()["id"] for _ in range(11)]
    ben = Caller(world.ben)
    assert answered(ben.say(world.team.pk, attachments=ids)) == (400, "invalid")
    assert len(ben.say(world.team.pk, attachments=ids[:10]).json()["attachments"]) == 10


def test_an_asgi_server_gets_a_file_in_pieces(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "PIECE", 1000)
    content = bytes(range(256)) * 20
    url = upload(world.ben, world.team, "big.bin", content).json()["url"]
    access = tokens.issue(Login.objects.start(world.ben, kind=Login.Kind.TOKEN))["access"]

    async def read() -> list[bytes]:
        response = await AsyncClient().get(url, headers={"Authorization": f"Bearer {access}"})
        assert response.is_async
        return [piece async for piece in response.streaming_content]

    pieces = async_to_sync(read)()
    assert len(pieces) == 6
    assert b"".join(pieces) == content


def test_a_file_is_closed_when_nobody_reads_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = upload(world.ben, world.team).json()["url"]
    access = tokens.issue(Login.objects.start(world.ben, kind=Login.Kind.TOKEN))["access"]
    opened: list[BytesIO] = []

    def open_it(*_: object) -> BytesIO:
        opened.append(BytesIO(b"some notes"))
        return opened[-1]

    monkeypatch.setattr(default_storage, "open", open_it)
    response = async_to_sync(AsyncClient().head)(url, headers={"Authorization": f"Bearer {access}"})
    response.close()
    assert [file.closed for file in opened] == [True]
