"""How a message will look, asked before it is sent."""

import pytest
from django.test import override_settings
from rest_framework.response import Response

from messages.models import Mention, Message
from tests.callers import Caller
from tests.rooms.test_api_rooms import everybody, expected
from tests.world import World


def test_a_preview_is_what_the_message_becomes(world: World) -> None:
    body = "**Hi** @cleo, see\n\n```python\nx = 1\n```"
    shown = preview(world, "ben", body)
    assert not Message.objects.filter(room=world.team, kind="text").exists()
    assert not Mention.objects.exists()
    posted = Caller(world.ben).say(world.team.pk, body).json()
    assert shown.json() == {"html": posted["html"], "mentions": ["cleo"]}


def test_it_says_who_is_reached_and_who_is_not_here(world: World) -> None:
    body = "@Cleo @otto @nobody @parrot @here `@vic`"
    assert preview(world, "ben", body).json()["mentions"] == ["cleo", "here", "parrot"]


def test_it_tells_nobody_of_people_whom_they_may_not_know(world: World) -> None:
    body = "@parrot @ada @everyone"
    room = world.support.pk
    assert preview(world, "carl", body, room).json()["mentions"] == ["ada"]
    assert preview(world, "ada", body, room).json()["mentions"] == ["ada", "everyone", "parrot"]


def test_only_those_who_are_in_the_room_are_shown_one(world: World) -> None:
    path = f"rooms/{world.team.pk}/preview/"
    answers = everybody(world, lambda caller: caller.post(path, body="@ben"))
    assert answers == expected(yes="ben cleo vic gus", otherwise="not_found")


@pytest.mark.parametrize("body", [" ", "a" * 16_001, "nul \0"])
def test_what_could_not_be_posted_has_none(world: World, body: str) -> None:
    assert preview(world, "ben", body).status_code == 400


@override_settings(CHAT_THROTTLES=True, CHAT_POST_RATE=1, CHAT_POST_BURST=2)
def test_previews_count_as_posts_do(world: World) -> None:
    assert [preview(world, "ben", "hi").status_code for _ in range(3)] == [200, 200, 429]


def preview(world: World, who: str, body: str, room: int | None = None) -> Response:
    path = f"rooms/{room or world.team.pk}/preview/"
    return Caller(world.people[who]).post(path, body=body)
