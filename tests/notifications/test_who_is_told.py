"""Who is told may see it, and who may see it and wants to know is told: on every way out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from accounts.models import User
from messages.models import Message
from notifications import frames
from notifications.listeners import begin_as_they_like
from notifications.models import Notification, Preferences
from rooms.models import Participant, Room
from tests.callers import Caller
from tests.race import race
from tests.world import World, again

pytestmark = pytest.mark.django_db
Level = Participant.Notify

SPEAKERS = {"team": ("ben", "cleo", "gus"), "support": ("ada", "carl"), "direct": ("ben",)}


def everything(world: World) -> None:
    """Everybody wants to be told of all."""
    Participant.objects.update(notify=Level.ALL, muted=False)


def noted(message: Message) -> dict[str, str]:
    rows = Notification.objects.filter(message=message).select_related("user")
    return {row.user.handle.split("-")[0]: row.reason for row in rows}


def names(world: World, users: set[int]) -> set[str]:
    return {name for name, person in world.people.items() if person.pk in users}


def by_page(world: World, message: Message) -> set[str]:
    """Who sees the message on the page of their notifications and over the API."""
    found = set()
    for name, person in world.people.items():
        if not again(person).may_sign_in:
            continue
        listed = Caller(again(person)).get("notifications/").json()["results"]
        if any(row["message"] == message.pk for row in listed):
            found.add(name)
    return found


def by_socket(world: World, message: Message) -> set[str]:
    everybody = [person.pk for person in world.people.values()]
    return names(world, {news.user for news in frames.look(everybody, [message.pk])})


def hearing(world: World, message: Message) -> set[str]:
    """Who may see it, was not its author, and can be told of anything."""
    kinds = (User.Kind.PERSON, User.Kind.GUEST, User.Kind.CUSTOMER)
    return {
        name
        for name in world.readers(message)
        if world.people[name].pk != message.author_id
        and world.people[name].kind in kinds
        and again(world.people[name]).is_active
    }


AUDIENCES: dict[str, Callable[[World], Message]] = {
    "aloud": lambda w: w.say(w.team, w.ben),
    "by a guest": lambda w: w.say(w.team, w.gus, "@everyone, @cleo, @otto"),
    "whispered": lambda w: w.whisper(w.team, w.ben, w.cleo),
    "by a customer": lambda w: w.say(w.support, w.carl, "help"),
    "to a customer": lambda w: w.say(w.support, w.ada, "I am here"),
    "noted": lambda w: w.note(w.ada, "@sue @carl look"),
    "whispered to staff": lambda w: w.whisper(w.support, w.ada, w.sue),
    "whispered to a robot": lambda w: w.whisper(w.support, w.ada, w.parrot),
    "directly": lambda w: w.say(w.direct, w.cleo),
    "to who is not there": lambda w: w.say(w.public, w.ben, "@otto come"),
}


def audiences(world: World) -> list[Message]:
    """Something said to each of them."""
    return [say(world) for say in AUDIENCES.values()]


@pytest.mark.parametrize("which", AUDIENCES)
def test_who_may_see_it_is_told_and_nobody_else(world: World, which: str) -> None:
    everything(world)
    message = AUDIENCES[which](world)
    told = hearing(world, message)
    assert told
    assert set(noted(message)) == {world.people[name].handle.split("-")[0] for name in told}
    assert by_page(world, message) == told
    assert by_socket(world, message) == told


CHANGES: dict[str, Callable[[World], object]] = {
    "demoted": lambda w: again(w.support).change_role(w.sue, "agent", by=w.root),
    "removed": lambda w: again(w.team).remove(w.cleo, by=again(w.ben)),
    "left": lambda w: again(w.support).leave(by=again(w.sue)),
    "came": lambda w: again(w.support).join(by=again(w.amy)),
    "history": lambda w: again(w.team).update(by=again(w.ben), history="joined"),
    "shut out": lambda w: again(w.cleo).deactivate(by=again(w.root)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_one_may_see_no_more_one_is_told_no_more(world: World, change: str) -> None:
    everything(world)
    said = audiences(world)
    try:
        CHANGES[change](world)
    except Exception as refused:
        pytest.fail(f"{change}: {refused!r}")
    for message in said:
        told = names(
            world, set(Notification.objects.filter(message=message).values_list("user", flat=True))
        )
        expected = told & hearing(world, message)
        assert by_page(world, message) == expected, message.body
        assert by_socket(world, message) == expected, message.body


def test_a_tombstone_is_nothing_to_be_told_of(world: World) -> None:
    message = world.say(world.team, world.ben, "@cleo look")
    assert by_page(world, message) == {"cleo"}
    again(message).remove(by=world.ben)
    assert not Notification.objects.filter(message=message).exists()
    assert by_page(world, message) == by_socket(world, message) == set()


def test_mentions_answers_and_whispers_call_by_themselves(world: World) -> None:
    asked = world.say(world.team, world.cleo, "anyone?")
    assert noted(asked) == {}
    assert noted(world.say(world.team, world.ben, "I am", reply_to=asked)) == {"cleo": "reply"}
    assert noted(world.say(world.team, world.ben, "@cleo and @vic")) == {
        "cleo": "mention",
        "vic": "mention",
    }
    assert noted(world.whisper(world.team, world.ben, world.cleo)) == {"cleo": "whisper"}
    everyone = noted(world.say(world.team, world.ben, "@everyone"))
    assert {"cleo", "vic", "guest"} == set(everyone)
    assert set(everyone.values()) == {"mention"}


def test_a_level_and_a_mute_are_heeded(world: World) -> None:
    seat = world.seat(world.team, world.cleo)
    for level, plain, called in [("all", 1, 1), ("mentions", 0, 1), ("nothing", 0, 0)]:
        seat.set_preferences(notify=level)
        assert ("cleo" in noted(world.say(world.team, world.ben))) == bool(plain)
        assert ("cleo" in noted(world.say(world.team, world.ben, "@cleo"))) == bool(called)
    seat.set_preferences(notify="all", muted=True)
    assert noted(world.whisper(world.team, world.ben, world.cleo)) == {}


def test_a_level_changed_meanwhile_is_heeded_at_telling(world: World) -> None:
    message = world.say(world.team, world.ben, "@cleo")
    world.seat(world.team, world.cleo).set_preferences(notify="nothing")
    assert by_socket(world, message) == set()


def test_two_who_talk_and_customers_with_staff_are_told_of_all(world: World) -> None:
    assert noted(world.say(world.direct, world.ben)) == {"cleo": "message"}
    assert "customer" in noted(world.say(world.support, world.ada))
    assert {"ada", "sue"} <= set(noted(world.say(world.support, world.carl)))


def test_notes_of_the_room_and_edits_tell_nobody(world: World) -> None:
    everything(world)
    before = Notification.objects.count()
    again(world.team).update(by=again(world.ben), name="Renamed")
    assert Notification.objects.count() == before
    message = world.say(world.team, world.ben, "hello")
    count = Notification.objects.count()
    again(message).edit("hello @otto @vic", by=world.ben)
    assert Notification.objects.count() == count


def test_what_is_written_bit_by_bit_tells_at_its_end(world: World) -> None:
    from messages.posting import Draft, post_all

    asked = world.say(world.team, world.cleo, "@parrot what?")
    draft = Draft(room=world.team.pk, author=world.parrot, body="", reply_to=asked.pk, attempt=1)
    message = post_all([draft])[0].message
    assert noted(message) == {}
    again(message).finish("that, @ben", {})
    assert noted(message) == {"cleo": "reply", "ben": "mention"}
    again(message).finish("that, @vic", {})
    assert noted(message) == {"cleo": "reply", "ben": "mention"}


def test_telling_twice_tells_once(world: World) -> None:
    message = world.say(world.team, world.ben, "@cleo")
    message.mentioned = frozenset({world.cleo.pk})
    Notification.objects.tell([message])
    assert Notification.objects.filter(message=message).count() == 1


def test_newcomers_are_told_of_what_they_have_chosen(world: World) -> None:
    otto = again(world.otto)
    Preferences.objects.of(otto).change(by=otto, level="all")
    again(world.public).join(by=otto)
    assert world.seat(world.public, otto).notify == "all"
    vic = again(world.vic)
    again(world.public).join(by=vic)
    assert world.seat(world.public, vic).notify == "mentions"
    Preferences.objects.of(otto).change(by=otto, level="nothing")
    room = Room.objects.open("Another", by=again(world.ben), people=[otto])
    assert world.seat(room, otto).notify == "nothing"
    assert world.seat(Room.objects.direct(otto, by=again(world.ben)), otto).notify == "all"


def test_what_many_newcomers_have_chosen_is_written_in_one_statement(
    world: World, django_assert_num_queries: Callable[..., AbstractContextManager[object]]
) -> None:
    chosen = {world.cleo: "all", world.vic: "nothing", world.gus: "mentions"}
    for person, level in chosen.items():
        Preferences.objects.of(person).change(by=person, level=level)
    seats = list(world.team.participants.select_related("room"))
    with django_assert_num_queries(2):  # one to read what they chose
        begin_as_they_like(world.team, seats)
    found = {person: world.seat(world.team, person).notify for person in chosen}
    assert found == chosen


def test_the_site_says_what_rooms_begin_with(world: World, settings: pytest.FixtureRequest) -> None:
    settings.CHAT_NOTIFY_DEFAULT = "nothing"
    again(world.public).join(by=again(world.otto))
    assert world.seat(world.public, world.otto).notify == "nothing"


def test_it_goes_with_the_message_and_the_room(world: World) -> None:
    message = world.say(world.team, world.ben, "@cleo")
    Notification.objects.filter(message=message).get()
    Message.objects.filter(pk=message.pk).delete()
    assert not Notification.objects.filter(message=message.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_posting_and_leaving_at_once_tells_nobody_who_is_gone(world: World) -> None:
    race(
        lambda: world.say(again(world.team), again(world.ben), "@cleo stay"),
        lambda: again(world.team).leave(by=again(world.cleo)),
    )
    assert Caller(again(world.cleo)).get("notifications/").json()["results"] == []
