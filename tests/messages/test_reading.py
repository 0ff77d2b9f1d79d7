"""What is unread: visible, of others, not deleted, after what one read; and mentions likewise."""

import time_machine

from accounts.models import User
from messages.models import Mention, Message
from messages.overview import overview
from messages.signals import read
from rooms.models import Room
from tests.world import World, again, expected


def shown(world: World, room: Room, who: User) -> dict[str, object]:
    (row,) = overview(again(who), [again(room)])
    return row


def unread(world: World, room: Room) -> dict[str, int]:
    """Of everybody in the room who has something unread."""
    counts = {name: shown(world, room, who)["unread"] for name, who in world.people.items()}
    return {name: count for name, count in counts.items() if count}


def mentions(world: World, room: Room) -> dict[str, int]:
    counts = {name: shown(world, room, who)["mentions"] for name, who in world.people.items()}
    return {name: count for name, count in counts.items() if count}


def test_what_is_said_is_unread_by_the_others_who_see_it(world: World) -> None:
    world.say(world.team, world.ben)
    assert unread(world, world.team) == dict.fromkeys(("cleo", "vic", "dee", "gus", "parrot"), 1)
    world.whisper(world.team, world.ben, world.gus)
    assert unread(world, world.team)["gus"] == 2
    assert unread(world, world.team)["cleo"] == 1
    world.note(world.ada)
    assert unread(world, world.support) == {"sue": 1}


def test_notes_of_the_system_are_not_unread(world: World) -> None:
    again(world.team).invite(world.otto, by=world.ben)
    again(world.team).update(by=world.ben, name="Crew")
    assert unread(world, world.team) == {}


def test_what_is_deleted_is_not_unread(world: World) -> None:
    message = world.say(world.team, world.ben, "@cleo")
    message.remove(by=world.ben)
    assert unread(world, world.team) == mentions(world, world.team) == {}


def test_who_reads(world: World) -> None:
    message = world.say(world.team, world.ben)
    for verb in ("mark_read", "mark_unread"):
        answers = world.answers(lambda who, v=verb: getattr(again(message), v)(by=who))
        assert answers == expected(yes="ben cleo vic dee gus parrot", otherwise="not_found")
    whisper = world.whisper(world.team, world.ben, world.gus)
    answers = world.answers(lambda who: again(whisper).mark_read(by=who))
    assert answers == expected(yes="ben gus", otherwise="not_found")


def test_reading_goes_up_to_a_message_and_never_back(world: World) -> None:
    first, second, third = (world.say(world.team, world.ben) for _ in range(3))
    second.mark_read(by=world.cleo)
    assert unread(world, world.team)["cleo"] == 1
    first.mark_read(by=world.cleo)
    assert world.seat(world.team, world.cleo).last_read == second.pk
    third.mark_read(by=world.cleo)
    assert "cleo" not in unread(world, world.team)


def test_reading_the_newest_visible_message_gives_zero_always(world: World) -> None:
    for _ in range(3):
        world.say(world.support, world.ada, "@everyone")
        world.note(world.sue)
        world.whisper(world.support, world.sue, world.dora)
    for name, person in world.people.items():
        newest = Message.objects.visible_to(person).filter(room=world.support).last()
        if newest:
            newest.mark_read(by=person)
            assert shown(world, world.support, person)["unread"] == 0, name
            assert shown(world, world.support, person)["mentions"] == 0, name


def test_marking_unread_from_here_counts_from_there(world: World) -> None:
    first, second, third = (world.say(world.team, world.ben) for _ in range(3))
    third.mark_read(by=world.cleo)
    second.mark_unread(by=world.cleo)
    assert unread(world, world.team)["cleo"] == 2
    first.mark_unread(by=world.cleo)
    assert unread(world, world.team)["cleo"] == 3
    third.mark_unread(by=world.cleo)
    assert unread(world, world.team)["cleo"] == 1


def test_counting_stops_at_a_hundred(world: World) -> None:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        for n in range(101):
            world.say(world.team, world.ben, f"@cleo {n}")
    assert shown(world, world.team, world.cleo)["unread"] == 100
    assert shown(world, world.team, world.cleo)["mentions"] == 100
    newest = Message.objects.filter(room=world.team).latest("pk")
    newest.mark_read(by=world.cleo)
    assert shown(world, world.team, world.cleo)["unread"] == 0


def test_ninety_nine_are_ninety_nine(world: World) -> None:
    for n in range(99):
        world.say(world.team, world.ben, f"{n}")
    assert shown(world, world.team, world.cleo)["unread"] == 99


# Mentions


def test_who_is_named_is_mentioned_if_they_see_it(world: World) -> None:
    world.say(world.team, world.ben, "@cleo and @otto and @nobody")
    assert mentions(world, world.team) == {"cleo": 1}
    world.say(world.team, world.ben, "@cleo", audience="only", to=[world.dee])
    assert mentions(world, world.team) == {"cleo": 1}
    world.say(world.team, world.cleo, "@cleo")
    assert mentions(world, world.team) == {"cleo": 1}, "not by themselves"


def test_everyone_is_everyone_who_sees_it(world: World) -> None:
    world.say(world.team, world.ben, "@everyone", audience="only", to=[world.gus])
    assert mentions(world, world.team) == {"gus": 1}
    world.say(world.team, world.cleo, "@everyone hello")
    assert mentions(world, world.team) == {"ben": 1, "vic": 1, "dee": 1, "gus": 2, "parrot": 1}


def test_guests_customers_and_robots_call_nobody_together(world: World) -> None:
    for person in (world.gus, world.parrot):
        world.say(world.team, person, "@everyone @here")
    assert mentions(world, world.team) == {}
    world.say(world.support, world.carl, "@everyone")
    assert mentions(world, world.support) == {}
    world.say(world.team, world.gus, "@cleo")
    assert mentions(world, world.team) == {"cleo": 1}, "but somebody by name"


def test_nobody_is_mentioned_in_code_or_quotes(world: World) -> None:
    world.say(world.team, world.ben, "`@cleo`\n\n> @cleo\n\n```\n@everyone\n```")
    assert not Mention.objects.exists()
    assert mentions(world, world.team) == {}


def test_a_mention_in_a_note_shows_with_promotion(world: World) -> None:
    again(world.support).invite(world.amy, by=world.ada, role="customer")
    world.say(world.support, world.ada, "@amy", audience="staff")
    assert mentions(world, world.support) == {}
    again(world.support).change_role(world.amy, "agent", by=world.ada)
    assert mentions(world, world.support) == {"amy": 1}


def test_handles_are_named_in_any_case(world: World) -> None:
    world.say(world.team, world.ben, "@Cleo")
    assert mentions(world, world.team) == {"cleo": 1}


# What others are told


def test_read_receipts_name_the_newest_message_for_everyone(world: World) -> None:
    heard: list[tuple[int, int | None]] = []

    def listen(participant: object, message: int, shown: int | None, **_: object) -> None:
        heard.append((message, shown))

    said = world.say(world.support, world.carl)
    note = world.note(world.ada)
    read.connect(listen)
    try:
        note.mark_read(by=world.sue)
        note.mark_read(by=world.sue)
        said.mark_read(by=world.sue)
        note.mark_unread(by=world.sue)
    finally:
        read.disconnect(listen)
    assert heard == [(note.pk, said.pk), (note.pk - 1, None)], "none where it would be the same"


# Rooms as each sees them


def test_last_message_at_is_over_what_the_viewer_sees(world: World) -> None:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        world.say(world.support, world.carl)
    with time_machine.travel("2026-01-02T00:00:00Z", tick=False):
        world.note(world.ada)
    assert (
        shown(world, world.support, world.carl)["last_message_at"] == "2026-01-01T00:00:00.000000Z"
    )
    assert (
        shown(world, world.support, world.sue)["last_message_at"] == "2026-01-02T00:00:00.000000Z"
    )
    assert shown(world, world.support, world.amy)["last_message_at"] is None


def test_customers_are_told_of_as_many_people_as_they_are_shown(world: World) -> None:
    counts = {
        name: shown(world, world.support, world.people[name])["participants_count"]
        for name in ("ada", "sue", "carl", "amy")
    }
    assert counts == {"ada": 5, "sue": 5, "carl": 3, "amy": 5}
    assert shown(world, world.team, world.vic)["participants_count"] == 6


def test_a_direct_room_is_called_as_the_other_one(world: World) -> None:
    assert shown(world, world.direct, world.ben)["name"] == "Cleo"
    assert shown(world, world.direct, world.cleo)["name"] == "Ben"


def test_a_room_one_is_not_in_says_nothing_of_its_messages(world: World) -> None:
    world.say(world.public, world.ben, "@everyone")
    row = shown(world, world.public, world.otto)
    assert (row["me"], row["unread"], row["mentions"], row["last_message_at"]) == (None, 0, 0, None)
