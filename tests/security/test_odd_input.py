"""What no page would send is refused, and leaves nothing behind."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from tests.world import World

BACKEND = "django.contrib.auth.backends.ModelBackend"
ODD = {
    "squared": "²",
    "long": "9" * 5000,
    "negative": "-1",
    "float": "1e3",
    "zero byte": "\0",
    "none": "",
}


@pytest.fixture
def ben(world: World) -> Client:
    client = Client()
    client.force_login(world.ben, backend=BACKEND)
    return client


@pytest.mark.parametrize("number", ODD.values(), ids=ODD)
def test_what_only_looks_like_a_number_is_none(world: World, ben: Client, number: str) -> None:
    message = world.say(world.team, world.ben)
    answers = [
        ben.post(f"/rooms/{world.team.pk}/people/", {"do": "revoke", "invitation": number}),
        ben.post(f"/messages/{message.pk}/share/", {"room": number}),
        ben.post(f"/messages/{message.pk}/actions/", {"version": number, "action": "reopen"}),
    ]
    assert all(answer.status_code < 500 for answer in answers)


@pytest.mark.parametrize("path", ["/rooms/browse/?q=%00", "/direct/%00/", "/?q=%00"])
def test_zero_bytes_are_no_fault_of_ours(world: World, ben: Client, path: str) -> None:
    assert ben.get(path).status_code in (200, 400, 404)


def test_a_zero_byte_that_reaches_the_database_is_refused(world: World, ben: Client) -> None:
    form = {"do": "close", "outcome": "success", "note": "a\0b"}
    answer = ben.post(f"/rooms/{world.team.pk}/settings/", form)
    assert answer.status_code == (400 if connection.vendor == "postgresql" else 302)


def test_files_of_a_refused_form_are_not_kept(
    world: World, ben: Client, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    files = [SimpleUploadedFile(f"{n}.txt", b"x" * 100) for n in range(3)]
    form = {"body": "y" * 20_000, "client_id": str(uuid4()), "files": files}
    with django_capture_on_commit_callbacks(execute=True):
        answer = ben.post(f"/rooms/{world.team.pk}/messages/", form)
    assert answer.status_code == 400
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []


def test_files_before_one_that_is_refused_are_not_kept(
    world: World, ben: Client, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    files = [SimpleUploadedFile("good.txt", b"x"), SimpleUploadedFile("empty.txt", b"")]
    form = {"body": "both", "client_id": str(uuid4()), "files": files}
    with django_capture_on_commit_callbacks(execute=True):
        answer = ben.post(f"/rooms/{world.team.pk}/messages/", form)
    assert answer.status_code == 400
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []
