"""One message as pages show it."""

import pytest

from messages.encoding import encode_for
from messages.rendering import article
from messages.timeline import entries
from rooms.templatetags import pages
from rooms.templatetags.pages import drawn
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


def test_what_is_kept_of_it_shows_each_reader_the_quotes_that_are_theirs(world: World) -> None:
    whisper = world.whisper(world.team, world.ben, world.cleo, body="the surprise party")
    reply = world.say(world.team, world.ben, "see there", reply_to=whisper, audience="everyone")
    for _ in range(2):
        assert "the surprise party" in shown(world, reply, world.cleo)
        assert "the surprise party" not in shown(world, reply, world.gus)


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


FILE = {
    "id": 1,
    "name": "file",
    "size": 3,
    "url": "/attachments/1/file",
    "thumbnail": None,
    "width": None,
    "height": None,
}


def with_files(world: World, *files: dict[str, object]) -> str:
    (encoded,) = encode_for(world.ben, [world.say(world.team, world.ben)])
    return article({**encoded, "attachments": [{**FILE, **file} for file in files]})


def test_only_what_has_a_thumbnail_is_shown_in_place_in_its_own_shape(world: World) -> None:
    for kind in ("image/png", "image/svg+xml", "text/html"):
        assert "<img" not in with_files(world, {"type": kind}), kind
    small = {"type": "image/png", "thumbnail": "/attachments/1/thumbnail/"}
    html = with_files(world, {**small, "width": 4000, "height": 1000})
    assert 'src="/attachments/1/thumbnail/"' in html
    assert 'width="360" height="90"' in html
    assert 'width="44" height="300"' in with_files(world, {**small, "width": 1, "height": 9000})
    assert "data-many" not in html
    assert "data-many" in with_files(world, *[{**small, "width": 40, "height": 30}] * 2)


def test_a_picture_without_a_thumbnail_says_why(world: World) -> None:
    large = with_files(world, {"type": "image/png", "width": 10_000, "height": 10_000})
    assert "too large for a preview: 10000 × 10000 pixels" in large
    assert "it is damaged, or no picture" in with_files(world, {"type": "image/gif"})
    assert "preview" not in with_files(world, {"type": "application/pdf"})


def test_sound_and_film_are_played_and_everything_is_downloaded(world: World) -> None:
    assert "<audio" in with_files(world, {"type": "audio/mpeg"})
    assert "<video" in with_files(world, {"type": "video/mp4"})
    for kind in ("audio/midi", "video/x-msvideo", "application/x-shockwave-flash"):
        html = with_files(world, {"type": kind})
        assert "<audio" not in html, kind
        assert "<video" not in html, kind
        assert 'download="file"' in html, kind


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


def test_what_is_kept_of_a_page_is_drawn_anew_where_any_of_its_values_is_another() -> None:
    ada = {"id": 1, "name": "Ada", "kind": "person", "avatar": None, "role": "member"}
    plain, owner, elsewhere, named = (
        drawn("rooms/_person.html", person=person, room=room, direct="")
        for person, room in (
            (ada, 5),
            ({**ada, "role": "owner"}, 5),
            (ada, 6),
            ({**ada, "name": "<b>"}, 5),
        )
    )
    assert "Owner" not in plain
    assert "Owner" in owner
    assert "/rooms/6/people/1/" in elsewhere
    assert "<b>" not in named


def test_a_row_of_the_list_is_kept_by_what_it_shows() -> None:
    kept = pages._drawn.cache_info
    me, other = {"muted": False, "last_read": 1}, None
    room = {"id": 5, "name": "Tea", "mode": "team", "visibility": "private", "state": "active"}
    room |= {"unread": 0, "mentions": 0, "me": me, "other": other, "last_message_at": None}
    plain = pages.room_row(room, None)
    before = kept().misses
    read = room | {"me": {"muted": False, "last_read": 9}, "last_message_at": "2026-01-01"}
    assert pages.room_row(read, 6) == plain
    assert kept().misses == before
    ada = {"id": 1, "name": "Ada", "kind": "person", "avatar": None, "presence": "online"}
    for changed, shown in (
        ({"name": "Tea & cake"}, "Tea &amp; cake"),
        ({"mode": "support"}, 'data-kind="support"'),
        ({"state": "waiting"}, "Waiting"),
        ({"unread": 3}, "<span data-number>3</span>"),
        ({"mentions": 2}, "<span data-number>2</span>"),
        ({"me": {"muted": True}}, "data-muted"),
        ({"other": ada}, 'data-state="online"'),
        ({"id": 7}, 'href="/rooms/7/"'),
    ):
        assert shown in pages.room_row(room | changed, None)
        assert shown not in plain
    assert 'aria-current="page"' in pages.room_row(room, 5)
