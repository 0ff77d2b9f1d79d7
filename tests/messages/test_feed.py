"""The feed and the pages of history: state, in the order of changes; pages by id, both ways."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

import pytest

from accounts.errors import NotFound
from messages import cursor
from messages.encoding import encode_for
from messages.history import History
from messages.models import Message
from rooms.models import Room
from tests.world import World, again


def feed(world: World, who: object, revision: int = 0, room: object = None) -> list[int]:
    return [row.pk for row in History(again(room or world.team), who).since(revision).rows]


def test_new_edited_deleted_and_reacted_messages_come_in_the_order_of_changes(world: World) -> None:
    start = again(world.team).revision
    first, second, third, fourth = (world.say(world.team, world.ben, f"{n}") for n in range(4))
    assert feed(world, world.cleo, start) == [first.pk, second.pk, third.pk, fourth.pk]
    mark = again(world.team).revision
    again(third).edit("new", by=world.ben)
    again(first).remove(by=world.ben)
    again(second).react("👍", by=world.cleo)
    assert feed(world, world.cleo, mark) == [third.pk, first.pk, second.pk]
    assert feed(world, world.cleo, start) == [fourth.pk, third.pk, first.pk, second.pk]
    assert feed(world, world.cleo, again(world.team).revision) == []


def test_a_burst_of_edits_is_one_row(world: World) -> None:
    message = world.say(world.team, world.ben, "0")
    mark = again(world.team).revision
    for n in range(1, 6):
        again(message).edit(f"{n}", by=world.ben)
    (row,) = History(again(world.team), world.cleo).since(mark).rows
    assert (row.body, row.version) == ("5", 6)


def test_the_feed_tells_nobody_what_they_may_not_see(world: World) -> None:
    world.whisper(world.team, world.ben, world.gus)
    note = world.note(world.ada)
    start = 0
    for name, person in world.people.items():
        told = set(feed(world, person, start, world.support))
        assert (note.pk in told) == (name in ("ada", "sue"))
        assert told == set(
            Message.objects.visible_to(person)
            .filter(room=world.support)
            .values_list("pk", flat=True)
        )


def test_the_feed_comes_in_pages_that_join(world: World) -> None:
    start = again(world.team).revision
    messages = [world.say(world.team, world.ben, f"{n}") for n in range(7)]
    again(messages[1]).edit("late", by=world.ben)
    history, told, more, revision = History(again(world.team), world.cleo), [], True, start
    while more:
        page = history.since(revision, 3)
        told += [row.pk for row in page.rows]
        more, revision = page.has_newer, page.revision
    assert told == [row.pk for row in (*messages[:1], *messages[2:], messages[1])]
    assert revision == again(world.team).revision


def test_a_page_of_what_one_does_not_see_moves_on_all_the_same(world: World) -> None:
    start = again(world.team).revision
    for _ in range(3):
        world.whisper(world.team, world.ben, world.gus)
    page = History(again(world.team), world.cleo).since(start)
    assert (page.rows, page.has_newer, page.revision) == ([], False, again(world.team).revision)


def test_notes_of_comings_goings_and_settings_are_in_the_feed(world: World) -> None:
    start = again(world.team).revision
    again(world.team).invite(world.otto, by=world.ben)
    again(world.team).change_role(world.otto, "viewer", by=world.ben)
    again(world.team).update(by=world.ben, description="new")
    again(world.team).remove(world.otto, by=world.ben)
    again(world.team).close(by=world.ben)
    again(world.team).reopen(by=world.ben)
    events = [row.data["event"] for row in History(again(world.team), world.cleo).since(start).rows]
    assert events == ["invited", "role_changed", "updated", "removed", *events[4:]]
    assert sorted(events[4:]) == ["closed", "reopened"]


# Pages


def test_pages_by_id_both_ways(world: World) -> None:
    messages = [world.say(world.public, world.ben, f"{n}").pk for n in range(10)]
    history = History(again(world.public), world.cleo)

    def ids(page: object) -> tuple[list[int], bool, bool]:
        return [row.pk for row in page.rows], page.has_older, page.has_newer

    assert ids(history.newest(4)) == (messages[6:], True, False)
    assert ids(history.newest(10)) == (messages, False, False)
    assert ids(history.before(messages[6], 4)) == (messages[2:6], True, True)
    assert ids(history.before(messages[2], 4)) == (messages[:2], False, True)
    assert ids(history.before(messages[0], 4)) == ([], False, True)
    assert ids(history.after(messages[3], 4)) == (messages[4:8], True, True)
    assert ids(history.after(messages[7], 4)) == (messages[8:], True, False)
    assert ids(history.after(0, 4)) == (messages[:4], False, True)
    assert ids(history.around(messages[5], 4)) == (messages[3:7], True, True)
    assert ids(history.around(messages[0], 4)) == (messages[:2], False, True)
    assert ids(history.around(messages[9], 4)) == (messages[7:], True, False)
    assert ids(history.before(10**15, 4)) == (messages[6:], True, False)


def test_a_page_around_what_one_does_not_see_holds_its_neighbours(world: World) -> None:
    before = world.say(world.team, world.ben)
    whisper = world.whisper(world.team, world.ben, world.gus)
    after = world.say(world.team, world.ben)
    rows = [row.pk for row in History(again(world.team), world.cleo).around(whisper.pk, 2).rows]
    assert rows == [before.pk, after.pk]


def said_on(day: int, message: Message) -> int:
    at = datetime(2026, 3, day, 12, tzinfo=UTC)
    Message.objects.filter(pk=message.pk).update(created_at=at)
    return message.pk


def test_a_moment_finds_what_was_said_then_or_next(world: World) -> None:
    Message.objects.filter(room=world.team).update(created_at=datetime(2026, 3, 1, tzinfo=UTC))
    first, second, third, fourth = (
        said_on(day, world.say(world.team, world.ben)) for day in (2, 4, 4, 9)
    )
    history = History(again(world.team), world.cleo)

    def at(day: int) -> list[int]:
        return [row.pk for row in history.at(datetime(2026, 3, day, tzinfo=UTC), 2).rows]

    assert at(2)[-1] == first
    assert at(3) == at(4) == [first, second]
    assert at(5) == at(9) == [third, fourth]
    assert at(10) == [third, fourth]


def test_a_moment_passes_over_what_one_does_not_see(world: World) -> None:
    Message.objects.filter(room=world.team).update(created_at=datetime(2026, 3, 1, tzinfo=UTC))
    whisper = said_on(4, world.whisper(world.team, world.ben, world.gus))
    after = said_on(5, world.say(world.team, world.ben))
    moment = datetime(2026, 3, 3, tzinfo=UTC)
    assert History(again(world.team), world.cleo).first_at(moment) == after
    assert History(again(world.team), world.gus).first_at(moment) == whisper
    assert History(again(world.team), world.otto).first_at(moment) is None


def test_pages_for_everybody_hold_what_each_may_see(world: World) -> None:
    world.say(world.support, world.carl)
    world.note(world.ada)
    world.whisper(world.support, world.ada, world.carl)
    world.whisper(world.support, world.sue, world.parrot)
    for person in world.people.values():
        visible = list(
            Message.objects.visible_to(person)
            .filter(room=world.support)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        history = History(again(world.support), person)
        assert [row.pk for row in history.newest().rows] == visible
        assert [row.pk for row in history.after(0).rows] == visible
        assert sorted(row["id"] for row in encode_for(person, history.since(0).rows)) == visible


# Cursors


def test_a_cursor_is_read_back_in_its_room_alone() -> None:
    sealed = cursor.seal(7, 42)
    assert cursor.unseal(sealed, room=7) == 42
    assert cursor.unseal(sealed, room=8) is None
    assert cursor.unseal(cursor.seal(1, 2**63), room=1) == 2**63


def test_two_cursors_of_one_place_do_not_tell_that_they_are() -> None:
    assert len({cursor.seal(7, 42) for _ in range(50)}) == 50
    assert len({len(cursor.seal(7, revision)) for revision in (0, 1, 255, 2**40)}) == 1


def test_a_room_that_has_gone_is_not_there(world: World) -> None:
    history = History(again(world.team), world.cleo)
    Room.objects.filter(pk=world.team.pk).delete()
    with pytest.raises(NotFound):
        history.newest()
    with pytest.raises(NotFound):
        history.since(0)


@pytest.mark.parametrize(
    "wrong", ["", "x", "====", "A" * 48, "ä", "💥" * 20, "\0", "a" * 10_000, "42", "-1"]
)
def test_what_is_no_cursor(wrong: str) -> None:
    assert cursor.unseal(wrong, room=7) is None


def test_a_cursor_that_was_touched_is_none() -> None:
    sealed = urlsafe_b64decode(cursor.seal(7, 42))
    for place in range(len(sealed)):
        touched = bytearray(sealed)
        touched[place] ^= 1
        assert cursor.unseal(urlsafe_b64encode(touched).decode(), room=7) is None
    assert cursor.unseal(urlsafe_b64encode(sealed[:-1]).decode(), room=7) is None


def test_a_cursor_of_another_secret_is_none(settings: object) -> None:
    sealed = cursor.seal(7, 42)
    settings.SECRET_KEY = "another one entirely"
    assert cursor.unseal(sealed, room=7) is None
