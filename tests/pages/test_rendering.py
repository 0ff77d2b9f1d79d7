"""One message as pages show it."""

import pytest

from messages.encoding import encode_for
from messages.rendering import article
from messages.timeline import entries
from tests.world import World


def shown(world: World, message, reader=None) -> str:
    (encoded,) = encode_for(reader or message.author, [message])
    return article(encoded)


def test_a_note_and_a_whisper_say_who_may_see_them(world: World) -> None:
    assert "Note to staff" in shown(world, world.note(world.ada))
    whisper = shown(world, world.whisper(world.team, world.ben, world.cleo))
    assert "Whisper" in whisper
    assert f'data-to="{world.cleo.pk}"' in whisper
    plain = shown(world, world.say(world.team, world.ben))
    assert "Whisper" not in plain
    assert "Note to staff" not in plain


def test_it_is_the_same_for_every_reader(world: World) -> None:
    message = world.say(world.team, world.ben, "hello @cleo")
    assert shown(world, message, world.ben) == shown(world, message, world.cleo)


def test_names_and_files_are_text_and_never_markup(world: World) -> None:
    world.ben.name = "<script>alert(1)</script>"
    world.ben.save(update_fields=["name"])
    message = world.say(world.team, world.ben)
    (encoded,) = encode_for(world.ben, [message])
    encoded["attachments"] = [
        {"id": 1, "name": '"><img src=x>', "type": "text/plain", "size": 3, "url": "/a"}
    ]
    html = article(encoded)
    assert "<script" not in html
    assert "<img" not in html


def test_a_deleted_message_shows_that_it_was_there_and_no_more(world: World) -> None:
    message = world.say(world.team, world.ben, "a secret")
    message.remove(by=world.ben)
    html = shown(world, message)
    assert "was deleted" in html
    assert "secret" not in html


def test_only_pictures_a_browser_may_show_are_shown_in_place(world: World) -> None:
    (encoded,) = encode_for(world.ben, [world.say(world.team, world.ben)])
    for kind, inline in {"image/png": True, "image/svg+xml": False, "text/html": False}.items():
        file = {"id": 1, "name": "file", "type": kind, "size": 3, "url": "/attachments/1/file"}
        assert ("<img" in article({**encoded, "attachments": [file]})) is inline, kind


def test_a_message_that_cannot_be_shown_does_not_take_the_page_with_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    (encoded,) = encode_for(world.ben, [world.say(world.team, world.ben)])

    class Broken:
        def __str__(self) -> str:
            raise ValueError("broken")

    html = article({**encoded, "html": Broken()})
    assert "cannot be shown" in html
    assert f'data-id="{encoded["id"]}"' in html


def test_messages_are_grouped_divided_and_marked_for_the_reader(world: World) -> None:
    world.say(world.team, world.ben, "one")
    seen = world.say(world.team, world.ben, "two")
    world.say(world.team, world.ben, "three")
    world.whisper(world.team, world.ben, world.cleo)
    world.say(world.team, world.cleo, "mine")
    visible = world.team.messages.visible_to(world.cleo).with_people().order_by("pk")
    rows = entries(encode_for(world.cleo, visible), me=world.cleo, last_read=seen.pk)
    texts = [row for row in rows if row.message["kind"] == "text"]
    assert [row.follows for row in texts] == [False, True, False, False, False]
    assert [row.first_unread for row in texts] == [False, False, True, False, False]
    assert [row.mine for row in texts] == [False, False, False, False, True]
    assert [bool(row.day) for row in rows] == [True] + [False] * (len(rows) - 1)
    assert "to Cleo" in texts[3].article
