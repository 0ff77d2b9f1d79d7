"""The page of a room: who may open it, where it begins, and how one pages through it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messages.models import Message
from tests.world import World, expected

Browse = Callable[[User], Client]
MEMBERS = {
    "team": "ben cleo vic gus",
    "support": "ada sue carl dora",
    "public": "ben cleo",
    "direct": "ben cleo",
}
CANNOT_SIGN_IN = {"dee", "parrot", "system"}


def ids_on(page: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'data-entry="(\d+)"', page)]


@pytest.mark.parametrize("name", MEMBERS)
def test_a_room_is_there_for_those_who_are_in_it(name: str, world: World, browse: Browse) -> None:
    room = world.rooms[name]
    message = world.say(room, world.ada if name == "support" else world.ben, "the secret word")
    doors = {"public": "root sue ada amy vic otto", "support": "root amy"}.get(name, "")
    answers = {}
    for who, person in world.people.items():
        if who in CANNOT_SIGN_IN:
            continue
        page = browse(person).get(f"/rooms/{room.pk}/")
        reads = page.status_code == 200 and "the secret word" in page.text
        answers[who] = "reads" if reads else "door" if page.status_code == 200 else "404"
        assert browse(person).get(f"/messages/{message.pk}/").status_code == (200 if reads else 404)
    wanted = expected(reads=MEMBERS[name], door=doors, otherwise="404")
    assert answers == {who: wanted[who] for who in answers}


def test_whoever_is_not_signed_in_is_asked_to(world: World) -> None:
    for path in ("/", "/desk/", "/rooms/browse/", f"/rooms/{world.team.pk}/"):
        answer = Client().get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login/?next=")


def test_what_one_may_not_see_leaves_no_trace_on_the_page(world: World, browse: Browse) -> None:
    note = world.note(world.ada, "not for customers")
    whisper = world.whisper(world.team, world.ben, world.cleo, body="not for vic")
    carl = browse(world.carl).get(f"/rooms/{world.support.pk}/").text
    assert "not for customers" not in carl
    assert note.pk not in ids_on(carl)
    assert "Sue" not in carl
    assert "Parrot" not in carl
    vic = browse(world.vic).get(f"/rooms/{world.team.pk}/").text
    assert "not for vic" not in vic
    assert whisper.pk not in ids_on(vic)


def test_it_offers_only_the_audiences_one_may_choose(world: World, browse: Browse) -> None:
    def offered(user: User, room: str) -> list[str]:
        page = browse(user).get(f"/rooms/{world.rooms[room].pk}/").text
        return re.findall(r'name="audience" value="(\w+)"', page)

    assert offered(world.ada, "support") == ["everyone", "staff", "only"]
    assert offered(world.carl, "support") == []
    assert offered(world.ben, "team") == ["everyone", "only"]
    assert offered(world.ben, "direct") == []


def test_a_viewer_reads_and_has_nowhere_to_write(world: World, browse: Browse) -> None:
    assert "<textarea" not in browse(world.vic).get(f"/rooms/{world.team.pk}/").text
    assert "<textarea" in browse(world.cleo).get(f"/rooms/{world.team.pk}/").text


def test_it_begins_at_the_first_unread_message(world: World, browse: Browse) -> None:
    said = [world.say(world.team, world.ben, f"line {n}") for n in range(120)]
    said[9].mark_read(by=world.cleo)
    page = browse(world.cleo).get(f"/rooms/{world.team.pk}/").text
    assert said[10].pk in ids_on(page)
    assert said[119].pk not in ids_on(page)
    assert page.index('id="unread"') < page.index(f'data-entry="{said[10].pk}"')
    assert page.index('id="unread"') > page.index(f'data-entry="{said[9].pk}"')
    said[119].mark_read(by=world.cleo)
    page = browse(world.cleo).get(f"/rooms/{world.team.pk}/").text
    assert ids_on(page)[-1] == said[119].pk
    assert 'id="unread"' not in page


def test_links_lead_through_the_whole_history_each_message_once(
    world: World, browse: Browse
) -> None:
    for n in range(130):
        world.say(world.team, world.ben, f"line {n}")
    visible = list(
        world.team.messages.visible_to(world.ben).order_by("pk").values_list("pk", flat=True)
    )
    client, path = browse(world.ben), f"/rooms/{world.team.pk}/"
    page = client.get(path).text
    found = ids_on(page)
    while older := re.search(r'rel="prev" href="(\?before=\d+)"', page):
        page = client.get(path + older.group(1)).text
        found = ids_on(page) + found
    assert found == visible
    found = ids_on(page)
    while newer := re.search(r'rel="next" href="(\?after=\d+)"', page):
        page = client.get(path + newer.group(1)).text
        found += ids_on(page)
    assert found == visible


def test_it_begins_where_a_day_begins_for_who_asks(world: World, browse: Browse) -> None:
    said = [world.say(world.team, world.ben, f"line {n}") for n in range(120)]
    begins = datetime(2030, 3, 3, 23, tzinfo=UTC)  # and in Paris the fourth
    for n, message in enumerate(said):
        at = begins + timedelta(hours=n - 60)
        Message.objects.filter(pk=message.pk).update(created_at=at)
    client, path = browse(world.ben), f"/rooms/{world.team.pk}/?on=2030-03-04"
    assert f'data-around="{said[61].pk}"' in client.get(path).text
    world.ben.update_profile(by=world.ben, time_zone="Europe/Paris")
    page = browse(world.ben).get(path).text
    assert f'data-around="{said[60].pk}"' in page
    assert said[60].pk in ids_on(page)
    assert said[0].pk not in ids_on(page)
    later = client.get(f"/rooms/{world.team.pk}/?on=2031-01-01").text
    assert ids_on(later)[-1] == said[-1].pk


@pytest.mark.parametrize(
    "start",
    ["before=x", "after=-1", "around=99999999999999999999", "before=", "on=2026-02-30", "on=x"],
)
def test_a_place_that_is_none_is_left_out_of_account(
    start: str, world: World, browse: Browse
) -> None:
    page = browse(world.ben).get(f"/rooms/{world.team.pk}/?{start}")
    assert page.status_code == 200


def test_in_a_crowded_room_nobody_is_told_who_is_there_or_has_read(
    world: World, browse: Browse, settings: Any
) -> None:
    said = world.say(world.team, world.cleo)
    said.mark_read(by=world.vic)

    def shown() -> tuple[bool, bool]:
        context = browse(world.ben).get(f"/rooms/{world.team.pk}/").context
        return context["shows_presence"], bool(context["reads"])

    assert shown() == (True, True)
    settings.CHAT_PRESENCE_MAX_ROOM = 2
    assert shown() == (False, False)


def test_it_asks_nothing_twice(world: World, browse: Browse) -> None:
    client, path = browse(world.ben), f"/rooms/{world.team.pk}/"
    client.get(path)
    with CaptureQueriesContext(connection) as caught:
        client.get(path)
    asked = [query["sql"] for query in caught]
    assert [sql for sql in asked if asked.count(sql) > 1] == []


def test_its_cost_does_not_grow(world: World, browse: Browse) -> None:
    client = browse(world.ben)

    def queries(path: str) -> int:
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert client.get(path).status_code == 200
        return len(caught)

    def grow() -> None:
        for n in range(15):
            message = world.say(world.team, world.cleo, f"hello @ben {n}")
            message.react("👍", by=world.ben)
            world.whisper(world.team, world.cleo, world.ben)
            world.say(world.team, world.ben, reply_to=message)
        for n in range(6):
            room = type(world.team).objects.open(f"More {n}", by=world.ben, people=[world.cleo])
            world.say(room, world.cleo)
        for other in (world.otto, world.vic, world.ada):
            world.say(type(world.team).objects.direct(other, by=world.ben), other)

    message = world.say(world.team, world.cleo, "hello @ben")
    message.react("👍", by=world.ben)
    world.whisper(world.team, world.cleo, world.ben)
    world.say(world.team, world.ben, reply_to=message)
    paths = ["/", "/rooms/browse/", f"/rooms/{world.team.pk}/", f"/rooms/{world.team.pk}/people/"]
    before = [queries(path) for path in paths]
    grow()
    assert [queries(path) for path in paths] == before
    assert max(before) < 40
