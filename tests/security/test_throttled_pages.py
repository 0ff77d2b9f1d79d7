"""What the API slows down pages slow down too, and no field of a call frees one of it."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from messages.models import Message
from tests.callers import Caller
from tests.world import PASSWORD, World

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def _slow(settings: Any) -> None:
    settings.CHAT_POST_RATE = 0.001
    settings.CHAT_POST_BURST = 2
    settings.CHAT_LOGIN_RATE = 2
    settings.CHAT_DOOR_RATE = 2


def browse(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def test_posts_by_form_and_by_call_fill_one_bucket(world: World) -> None:
    page, form = browse(world.cleo), f"/rooms/{world.team.pk}/messages/"
    answers = [
        page.post(form, {"body": "hello", "client_id": str(uuid4())}).status_code for _ in range(3)
    ]
    assert answers == [302, 302, 429]
    assert Caller(world.cleo).say(world.team.pk).status_code == 429


def test_what_was_written_too_fast_is_there_again(world: World) -> None:
    page, form = browse(world.cleo), f"/rooms/{world.team.pk}/messages/"
    for _ in range(2):
        page.post(form, {"body": "hello", "client_id": str(uuid4())})
    refused = page.post(form, {"body": "my long thought", "client_id": str(uuid4())})
    assert "my long thought" in refused.content.decode()


def test_edits_are_counted_as_posts_are(world: World) -> None:
    message, cleo = world.say(world.team, world.cleo), Caller(world.cleo)
    answers = [cleo.patch(f"messages/{message.pk}/", body=f"take {n}") for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    browse(world.cleo).post(f"/messages/{message.pk}/edit/", {"body": "by form"})
    assert Message.objects.get(pk=message.pk).body == "take 1"


def test_guests_come_no_faster_whatever_else_they_send(world: World) -> None:
    _, token = world.team.create_invitation(by=world.ben)
    door = Caller(None)
    answers = [
        door.post("auth/guest/", invite=token, name="Gail", username=str(uuid4())).status_code
        for _ in range(3)
    ]
    assert answers == [200, 200, 429]
    assert Client().post(f"/join/{token}/", {"name": "Gail"}).status_code in (400, 429)
    assert User.objects.filter(name="Gail").count() == 2


def test_a_stolen_login_does_not_let_one_guess_the_password(world: World) -> None:
    cleo = Caller(world.cleo)
    guesses = [
        cleo.post("me/password/", current="wrong", password="Zebra-cross-1", username=str(uuid4()))
        for _ in range(3)
    ]
    assert [guess.status_code for guess in guesses] == [400, 400, 429]
    form = {"current": PASSWORD, "password": "Zebra-cross-1", "again": "Zebra-cross-1"}
    assert browse(world.cleo).post("/password/", form).status_code == 429
    assert User.objects.get(pk=world.cleo.pk).check_password(PASSWORD)


def test_forms_that_say_nothing_are_counted_as_calls_are(world: World, settings: Any) -> None:
    settings.CHAT_CALL_RATE, settings.CHAT_CALL_BURST = 0.001, 2
    message, page = world.say(world.team, world.ben), browse(world.cleo)
    address = f"/messages/{message.pk}/react/"
    answers = [page.post(address, {"emoji": emoji}).status_code for emoji in "👍👎🎉"]
    assert answers == [302, 302, 429]
    assert message.reactions.count() == 2
    assert Caller(world.cleo).react(message.pk, "🎉").status_code == 429
    assert page.get(f"/rooms/{world.team.pk}/").status_code == 200
