"""Saying something by the plain form of the page, as it works without a script."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from messages.models import Attachment, Message
from messages.models import attachment as attachments
from messages.thumbnails import Look
from tests.messages.files import PNG
from tests.world import World

Browse = Callable[[User], Client]


def newest(world: World, room: str = "team") -> Message:
    return world.rooms[room].messages.order_by("pk").last()


def send(client: Client, room, **fields):
    given = {"client_id": str(uuid4()), "body": "hello", **fields}
    return client.post(f"/rooms/{room.pk}/messages/", given)


def test_what_is_sent_is_said_and_one_is_back_in_the_room(world: World, browse: Browse) -> None:
    answer = send(browse(world.ben), world.team, body="**hello**")
    said = newest(world)
    assert (said.author, said.body, said.audience) == (world.ben, "**hello**", "everyone")
    assert answer.status_code == 302
    assert answer["Location"] == f"/rooms/{world.team.pk}/#message-{said.pk}"


def test_the_form_on_the_page_is_all_that_is_needed(world: World, browse: Browse) -> None:
    client = browse(world.ada)
    page = client.get(f"/rooms/{world.support.pk}/").text
    client_id = re.search(r'name="client_id" value="([^"]+)"', page).group(1)
    send(client, world.support, client_id=client_id, body="for us", audience="staff")
    assert newest(world, "support").audience == "staff"


def test_a_form_sent_twice_says_it_once(world: World, browse: Browse) -> None:
    client, client_id = browse(world.ben), str(uuid4())
    before = world.team.messages.count()
    for _ in range(2):
        file = SimpleUploadedFile("a.txt", b"some text")
        answer = send(client, world.team, client_id=client_id, files=file)
        assert answer.status_code == 302
    assert world.team.messages.count() == before + 1
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "name", "content"),
    [("other words", "a.txt", b"text"), ("words", "b.txt", b"text"), ("words", "a.txt", b"longer")],
)
def test_what_is_sent_after_going_back_is_said_at_the_second_try(
    world: World, browse: Browse, body: str, name: str, content: bytes
) -> None:
    client, client_id = browse(world.ben), str(uuid4())
    file = SimpleUploadedFile("a.txt", b"text")
    send(client, world.team, client_id=client_id, body="words", files=file)
    other = {"body": body, "files": SimpleUploadedFile(name, content)}
    answer = send(client, world.team, client_id=client_id, **other)
    assert answer.status_code == 409
    assert "Send this to say it as well." in answer.text
    assert Attachment.objects.count() == 1
    given = re.search(r'name="client_id" value="([^"]+)"', answer.text).group(1)
    other["files"].seek(0)
    assert send(client, world.team, client_id=given, **other).status_code == 302
    assert newest(world).body == body
    assert Attachment.objects.count() == 2


def test_what_was_deleted_since_comes_back_by_no_form_that_says_otherwise(
    world: World, browse: Browse
) -> None:
    """With the files it had is gone whether this is the same."""
    client, given = browse(world.ben), {"client_id": str(uuid4()), "body": "words"}
    send(client, world.team, **given, files=SimpleUploadedFile("a.txt", b"text"))
    newest(world).remove(by=world.ben)
    before = world.team.messages.count()
    answer = send(client, world.team, **given, files=SimpleUploadedFile("a.txt", b"text"))
    assert answer.status_code == 409
    assert "was deleted. Send this to say it anew." in answer.text
    assert "something else" not in answer.text
    assert world.team.messages.count() == before
    given["client_id"] = re.search(r'name="client_id" value="([^"]+)"', answer.text).group(1)
    assert send(client, world.team, **given).status_code == 302
    assert newest(world).body == "words"


def test_a_form_sent_again_while_its_picture_is_looked_into_says_it_once(
    world: World, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, client_id = browse(world.ben), str(uuid4())
    before = world.team.messages.count()

    def click() -> HttpResponse:
        file = SimpleUploadedFile("a.png", PNG)
        return send(client, world.team, client_id=client_id, files=file)

    def click_once_more(*_: object) -> Look:
        monkeypatch.undo()
        assert click().status_code == 302
        return Look()

    monkeypatch.setattr(attachments, "look_into", click_once_more)
    assert click()["Location"].endswith(f"#message-{newest(world).pk}")
    assert world.team.messages.count() == before + 1
    assert Attachment.objects.count() == 1


def test_a_whisper_goes_to_those_chosen(world: World, browse: Browse) -> None:
    send(browse(world.ben), world.team, audience="only", to=[world.cleo.pk])
    assert world.readers(newest(world)) == {"ben", "cleo"}


def test_people_chosen_and_then_not_whispered_to_are_no_matter(
    world: World, browse: Browse
) -> None:
    send(browse(world.ben), world.team, audience="everyone", to=[world.cleo.pk])
    assert newest(world).audience == "everyone"


def test_the_answer_to_a_whisper_is_for_the_same_people(world: World, browse: Browse) -> None:
    whisper = world.whisper(world.team, world.ben, world.cleo)
    client = browse(world.cleo)
    page = client.get(f"/rooms/{world.team.pk}/?reply_to={whisper.pk}").text
    assert re.search(r'value="only" checked', page)
    assert re.search(rf'name="to" value="{world.ben.pk}" checked', page)
    send(client, world.team, reply_to=whisper.pk, audience="only", to=[world.ben.pk])
    answer = newest(world)
    assert answer.reply_to == whisper
    assert world.readers(answer) == {"ben", "cleo"}


def test_what_is_replied_to_is_quoted_as_it_will_be(world: World, browse: Browse) -> None:
    said = world.say(world.team, world.ben, "**Bold** and `code`")
    page = browse(world.cleo).get(f"/rooms/{world.team.pk}/?reply_to={said.pk}").text
    assert "<span data-reply-excerpt>Bold and code</span>" in page


def test_files_go_with_what_is_said(world: World, browse: Browse) -> None:
    files = [SimpleUploadedFile("a.txt", b"one"), SimpleUploadedFile("b.txt", b"two")]
    send(browse(world.ben), world.team, body="", files=files)
    said = newest(world)
    assert [file.name for file in said.attachments.all()] == ["a.txt", "b.txt"]
    assert "a.txt" in browse(world.cleo).get(f"/rooms/{world.team.pk}/").text


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"body": " "}, 400, "Write something"),
        ({"body": "x" * 16_001}, 400, "at most"),
        ({"body": "keep me", "audience": "only"}, 400, "Name people"),
        ({"body": "keep me", "audience": "staff"}, 400, "no staff"),
        ({"body": "keep me", "audience": "only", "to": "999999"}, 400, "in the room"),
        ({"body": "keep me", "reply_to": "999999"}, 404, "no such thing"),
    ],
)
def test_what_is_refused_is_there_again_with_the_reason(
    fields: dict[str, str], status: int, reason: str, world: World, browse: Browse
) -> None:
    before = world.team.messages.count()
    file = SimpleUploadedFile("a.txt", b"some text")
    answer = send(
        browse(world.ben),
        world.team,
        **fields,
        **({"files": file} if "keep" in fields["body"] else {}),
    )
    assert answer.status_code == status
    assert reason in answer.text
    assert fields["body"].strip() in answer.text
    assert world.team.messages.count() == before
    assert Attachment.objects.count() == 0


@pytest.mark.parametrize(
    ("who", "room", "status"),
    [
        ("vic", "team", 403),
        ("otto", "team", 404),
        ("root", "team", 404),
        ("otto", "public", 404),
        ("ben", "support", 404),
    ],
)
def test_only_those_who_may_write_there_say_anything(
    who: str, room: str, status: int, world: World, browse: Browse
) -> None:
    before = world.rooms[room].messages.count()
    assert send(browse(world.people[who]), world.rooms[room]).status_code == status
    assert world.rooms[room].messages.count() == before


def test_customers_choose_no_audience_not_even_by_a_form_of_their_own(
    world: World, browse: Browse
) -> None:
    client = browse(world.carl)
    assert send(client, world.support, audience="staff").status_code == 403
    assert send(client, world.support).status_code == 302
    assert newest(world, "support").audience == "everyone"


def test_a_closed_room_takes_nothing_but_a_customers_message(world: World, browse: Browse) -> None:
    world.support.close(by=world.ada)
    refused = send(browse(world.ada), world.support)
    assert refused.status_code == 409
    assert "closed" in refused.text
    assert send(browse(world.carl), world.support).status_code == 302
    world.support.refresh_from_db()
    assert world.support.state == "active"


def test_a_form_from_another_site_is_refused(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.ben, backend="django.contrib.auth.backends.ModelBackend")
    assert send(client, world.team).status_code == 403
