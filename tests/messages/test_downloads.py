"""Parts of files, so that sound and film can be wound; and files that did not change."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient

from accounts import tokens
from accounts.models import Login
from messages import downloads
from tests.callers import Caller
from tests.messages.files import MP4, upload
from tests.world import World

CONTENT = MP4 + bytes(range(256)) * 20
SIZE = len(CONTENT)


@pytest.fixture
def url(world: World) -> str:
    file = upload(world.team, world.ben, CONTENT, "film.mp4")
    world.say(world.team, world.ben, "", attachments=[file])
    return file.url


def get(world: World, url: str, **headers: str) -> Any:
    return Caller(world.cleo).client.get(url, **headers)


def content_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-", slice(0, None)),
        ("bytes=0-0", slice(0, 1)),
        ("bytes=100-199", slice(100, 200)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-100", slice(-100, None)),
        (f"bytes={SIZE - 1}-{SIZE * 9}", slice(SIZE - 1, None)),
        (f"bytes=1-{SIZE}", slice(1, None)),
    ],
)
def test_a_part_is_sent_as_such(
    world: World, url: str, asked: str, part: slice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "PIECE", 1000)
    response = get(world, url, HTTP_RANGE=asked)
    first, last, _ = part.indices(SIZE)
    whole = last - first == SIZE
    assert response.status_code == (200 if whole else 206)
    assert content_of(response) == CONTENT[part]
    assert response["Content-Length"] == str(last - first)
    if not whole:
        assert response["Content-Range"] == f"bytes {first}-{last - 1}/{SIZE}"
    assert response["Content-Type"] == "video/mp4"
    assert response["Content-Security-Policy"] == downloads.LOCKED_UP
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "asked",
    [
        *("", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=0-1,4-5", "lines=0-1"),
        *(f"bytes={'9' * 30}-", f"bytes=-{SIZE * 2}"),
    ],
)
def test_what_is_no_single_part_is_answered_with_the_whole(
    world: World, url: str, asked: str
) -> None:
    response = get(world, url, HTTP_RANGE=asked)
    assert response.status_code == 200
    assert response["Accept-Ranges"] == "bytes"
    assert content_of(response) == CONTENT


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0", f"bytes={SIZE}-{SIZE + 5}"])
def test_a_part_that_is_not_there_is_416(world: World, url: str, asked: str) -> None:
    response = get(world, url, HTTP_RANGE=asked)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_who_has_it_is_not_sent_it_again(world: World, url: str) -> None:
    etag = get(world, url)["ETag"]
    response = get(world, url, HTTP_IF_NONE_MATCH=etag)
    assert (response.status_code, response.content) == (304, b"")
    assert get(world, url, HTTP_RANGE="bytes=0-9", HTTP_IF_RANGE=etag).status_code == 206
    assert get(world, url, HTTP_RANGE="bytes=0-9", HTTP_IF_RANGE='"old"').status_code == 200
    assert Caller(world.cleo).client.head(url, HTTP_RANGE="bytes=0-9").status_code == 200
    assert Caller(world.otto).client.get(url, HTTP_IF_NONE_MATCH=etag).status_code == 404


def test_an_asgi_server_gets_a_part_in_pieces(
    world: World, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "PIECE", 1000)
    access = tokens.issue(Login.objects.start(world.cleo, kind=Login.Kind.TOKEN))["access"]

    async def read() -> list[bytes]:
        headers = {"Authorization": f"Bearer {access}", "Range": "bytes=10-2509"}
        response = await AsyncClient().get(url, headers=headers)
        assert response.status_code == 206
        return [piece async for piece in response.streaming_content]

    pieces = async_to_sync(read)()
    assert [len(piece) for piece in pieces] == [1000, 1000, 500]
    assert b"".join(pieces) == CONTENT[10:2510]


@pytest.mark.django_db(transaction=True)
def test_who_reads_slowly_keeps_no_connection_to_the_database(world: World, url: str) -> None:
    response = get(world, url)
    assert connection.connection is None
    assert content_of(response) == CONTENT
