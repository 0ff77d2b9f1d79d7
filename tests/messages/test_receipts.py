"""Who has read how far, and what others are told of it."""

from __future__ import annotations

from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from messages.models import Message
from messages.receipts import Receipts
from rooms.models import Room
from tests.world import NAMES, World, again
from threads.models import Sidebar


def told(world: World, room: Room, viewer: User) -> dict[str, int]:
    """By name, the message that somebody is shown at."""
    seat = world.seat(room, viewer)
    found = Receipts([seat]).of(seat)
    return {world.name_of(User.objects.get(pk=one.user)): one.message for one in found}


def read(message: Message, *people: User) -> None:
    for user in people:
        again(message).mark_read(by=user)


def ask(viewer: User, message: Message) -> tuple[int, dict]:
    client = APIClient()
    client.force_authenticate(viewer)
    answer = client.get(f"/api/v1/messages/{message.pk}/readers/")
    return answer.status_code, answer.json()


def test_each_is_shown_at_the_newest_message_they_have_read(world: World) -> None:
    first, second = world.say(world.team, world.ben), world.say(world.team, world.ben)
    read(first, world.cleo, world.gus)
    read(second, world.vic)
    assert told(world, world.team, world.ben) == {
        "cleo": first.pk,
        "gus": first.pk,
        "vic": second.pk,
    }
    assert "cleo" not in told(world, world.team, world.cleo)


def test_nobody_is_shown_at_what_others_do_not_see(world: World) -> None:
    said = world.say(world.team, world.ben)
    whisper = world.whisper(world.team, world.ben, world.cleo)
    read(whisper, world.cleo)
    for viewer in (world.ben, world.vic, world.gus):
        assert told(world, world.team, viewer)["cleo"] == said.pk


def test_newcomers_and_robots_have_read_nothing(world: World) -> None:
    world.say(world.team, world.ben)
    again(world.team).invite(world.otto, by=world.ben)
    assert not {"otto", "parrot"} & set(told(world, world.team, world.ben))
    after = world.say(world.team, world.ben)
    read(after, world.otto, world.parrot)
    assert told(world, world.team, world.ben) == {"otto": after.pk}


def test_who_sees_only_what_came_later_is_not_told_of_what_was_before(world: World) -> None:
    again(world.team).update(by=world.ben, history="joined")
    before = world.say(world.team, world.ben)
    read(before, world.cleo)
    again(world.team).invite(world.otto, by=world.ben)
    assert told(world, world.team, world.vic) == {"cleo": before.pk}
    assert told(world, world.team, world.otto) == {}


def test_customers_are_told_of_agents_and_of_nobody_else(world: World) -> None:
    said = world.say(world.support, world.carl)
    read(said, world.ada, world.sue, world.dora)
    assert set(told(world, world.support, world.carl)) == {"ada", "dora"}
    assert set(told(world, world.support, world.ada)) == {"sue", "dora"}
    _, body = ask(world.carl, said)
    assert ([user["name"] for user in body["readers"]], body["count"]) == (["Ada", "Dora"], 2)


def test_large_rooms_are_told_no_names(world: World, settings) -> None:
    said = world.say(world.team, world.ben)
    read(said, world.cleo, world.vic)
    settings.CHAT_PRESENCE_MAX_ROOM = 2
    assert ask(world.ben, said) == (200, {"readers": [], "count": 2})


def test_who_may_ask_who_has_read_a_message(world: World) -> None:
    said = world.say(world.team, world.ben)
    read(said, world.cleo)
    codes = {
        name: ask(user, said)[0]
        for name in NAMES
        if (user := again(getattr(world, name))).may_sign_in
    }
    assert {name for name, code in codes.items() if code == 200} == {"ben", "cleo", "vic", "gus"}
    assert set(codes.values()) == {200, 404}
    _, body = ask(world.ben, said)
    assert [user["handle"] for user in body["readers"]] == ["cleo"]


def test_the_readers_of_a_whisper_or_a_note_are_nobodys_business(world: World) -> None:
    whisper = world.whisper(world.team, world.ben, world.cleo)
    note = world.note(world.ada)
    assert ask(world.ben, whisper)[1]["error"]["code"] == "forbidden"
    assert ask(world.cleo, whisper)[1]["error"]["code"] == "forbidden"
    assert ask(world.vic, whisper)[0] == 404
    assert ask(world.sue, note)[1]["error"]["code"] == "forbidden"
    assert ask(world.carl, note)[0] == 404


def test_who_came_after_a_message_has_not_read_it(world: World) -> None:
    before = world.say(world.team, world.ben)
    again(world.team).invite(world.otto, by=world.ben)
    read(world.say(world.team, world.ben), world.otto)
    assert ask(world.ben, before)[1]["count"] == 0


def test_people_of_an_open_side_bar_have_read_there(world: World) -> None:
    anchor = world.say(world.team, world.ben)
    beside = Sidebar.objects.open(again(anchor), by=world.ben, access="open").room
    Room.objects.seat_in(beside.pk, world.cleo)
    said = world.say(beside, world.ben)
    read(said, world.cleo)
    assert told(world, beside, world.ben) == {"cleo": said.pk}
    assert told(world, world.team, world.ben) == {}


def test_authors_see_on_a_messages_page_who_has_read_it(world: World) -> None:
    said = world.say(world.team, world.ben)
    read(said, world.cleo)

    def page(viewer: User) -> str:
        client = Client()
        client.force_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
        return client.get(f"/messages/{said.pk}/").content.decode()

    assert "Read by 1" in page(world.ben)
    assert "Read by" not in page(world.vic)
