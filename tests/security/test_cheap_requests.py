"""What costs the caller little must not cost the server much."""

from unittest import mock

from messages import markdown
from tests.callers import Caller
from tests.world import World


def test_one_message_quoted_by_many_is_read_once(world: World) -> None:
    original = world.say(world.team, world.ben, "![" * 350 + "]" * 350)
    for _ in range(20):
        world.say(world.team, world.cleo, reply_to=original)
    markdown._excerpt.cache_clear()
    with mock.patch.object(markdown, "_parse", side_effect=markdown._parse) as parse:
        answer = Caller(world.cleo).get(f"rooms/{world.team.pk}/messages/", limit=200)
    quotes = [message["reply_to"] for message in answer.json()["messages"]]
    assert sum(quote is not None for quote in quotes) == 20
    assert parse.call_count == 1
