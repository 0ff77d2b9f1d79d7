"""Editing, deleting and reacting: who may, until when, and what goes with what is gone."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.errors import Forbidden, Invalid
from accounts.models import AuditEntry
from messages.encoding import encode_for
from messages.models import Attachment, EarlierText, Mention, Message, Reaction
from messages.signals import changed
from rooms.models import Room
from tests.messages.files import upload
from tests.world import World, again, expected

# Editing


def test_who_edits(world: World) -> None:
    message = world.say(world.team, world.cleo)
    answers = world.answers(lambda who: again(message).edit("new", by=who))
    assert answers == expected(
        yes="cleo", forbidden="ben vic dee gus parrot", otherwise="not_found"
    )
    whisper = world.whisper(world.team, world.cleo, world.gus)
    answers = world.answers(lambda who: again(whisper).edit("new", by=who))
    assert answers == expected(yes="cleo", forbidden="gus", otherwise="not_found")


def test_customers_and_robots_messages_are_never_edited(world: World) -> None:
    for author in (world.carl, world.parrot):
        message = world.say(world.support, author)
        answers = world.answers(lambda who, m=message: again(m).edit("new", by=who))
        assert "yes" not in answers.values()


def test_editing_ends_after_a_quarter_of_an_hour(world: World) -> None:
    message = world.say(world.team, world.ben)
    with time_machine.travel(message.created_at + timedelta(minutes=14, seconds=59), tick=False):
        again(message).edit("in time", by=world.ben)
    with time_machine.travel(message.created_at + timedelta(minutes=15, seconds=1), tick=False):
        assert (
            world.answer(lambda who: again(message).edit("too late", by=who), world.ben)
            == "forbidden"
        )
    assert again(message).body == "in time"


def test_editing_keeps_the_earlier_texts_and_counts_as_a_change(world: World) -> None:
    message = world.say(world.team, world.ben, "first")
    message.edit("second", by=world.ben)
    again(message).edit("**third**", by=world.ben)
    message = again(message)
    assert list(message.earlier_texts.values_list("body", flat=True)) == ["first", "second"]
    assert (message.body, message.version) == ("**third**", 3)
    assert "<strong>third</strong>" in message.html
    assert message.edited_at is not None
    assert message.revision == again(world.team).revision


def test_the_same_text_again_changes_nothing(world: World) -> None:
    message = world.say(world.team, world.ben, "same")
    revision = again(world.team).revision
    message.edit("same", by=world.ben)
    assert (again(message).version, again(message).edited_at) == (1, None)
    assert again(world.team).revision == revision


@pytest.mark.parametrize("body", ["", "  ", "x" * 16_001, "\0"])
def test_a_message_is_not_edited_into_what_is_no_text(world: World, body: str) -> None:
    message = world.say(world.team, world.ben, "words")
    with pytest.raises(Invalid):
        message.edit(body, by=world.ben)
    assert again(message).body == "words"


def test_edits_summon_nobody(world: World) -> None:
    message = world.say(world.team, world.ben, "hello")
    message.edit("hello @cleo and @everyone", by=world.ben)
    assert not Mention.objects.filter(message=message).exists()
    assert not again(message).mentions_everyone


def test_an_edit_changes_neither_audience_nor_recipients(world: World) -> None:
    whisper = world.whisper(world.team, world.ben, world.cleo)
    whisper.edit("psst again", by=world.ben)
    assert world.readers(whisper) == {"ben", "cleo"}


def test_nothing_is_edited_in_a_closed_room_nor_when_deleted(world: World) -> None:
    message = world.say(world.team, world.ben)
    for state in ("closed", "archived"):
        Room.objects.filter(pk=world.team.pk).update(state=state)
        assert (
            world.answer(lambda who: again(message).edit("new", by=who), world.ben)
            == f"room_{state}"
        )
    Room.objects.filter(pk=world.team.pk).update(state="active")
    again(message).remove(by=world.ben)
    assert (
        world.answer(lambda who: again(message).edit("new", by=who), world.ben) == "message_deleted"
    )


def test_who_may_only_read_edits_no_more(world: World) -> None:
    message = world.say(world.team, world.cleo)
    again(world.team).change_role(world.cleo, "viewer", by=world.ben)
    with pytest.raises(Forbidden):
        again(message).edit("new", by=world.cleo)


def test_notes_and_cards_are_edited_and_deleted_by_nobody(world: World) -> None:
    world.team.close(by=world.ben)
    again(world.team).reopen(by=world.ben)
    for message in world.team.messages.exclude(kind="text"):
        for verb in (
            lambda who, m=message: again(m).edit("x", by=who),
            lambda who, m=message: again(m).remove(by=who),
        ):
            assert "yes" not in world.answers(verb).values()


# Deleting


def test_who_deletes(world: World) -> None:
    message = world.say(world.team, world.cleo)
    answers = world.answers(lambda who: again(message).remove(by=who))
    assert answers == expected(
        yes="ben cleo", forbidden="vic dee gus parrot", otherwise="not_found"
    )
    message = world.say(world.support, world.carl)
    answers = world.answers(lambda who: again(message).remove(by=who))
    assert answers == expected(yes="ada sue carl", forbidden="dora parrot", otherwise="not_found")
    message = world.say(world.direct, world.ben)
    answers = world.answers(lambda who: again(message).remove(by=who))
    assert answers == expected(yes="ben", forbidden="cleo", otherwise="not_found")


def test_an_owner_deletes_no_whisper_they_do_not_see(world: World) -> None:
    whisper = world.whisper(world.team, world.cleo, world.gus)
    answers = world.answers(lambda who: again(whisper).remove(by=who))
    assert answers == expected(yes="cleo", forbidden="gus", otherwise="not_found")


def test_a_tombstone_is_told_to_exactly_those_who_could_see_the_message(world: World) -> None:
    for message in (
        world.say(world.team, world.cleo),
        world.whisper(world.team, world.cleo, world.gus),
        world.note(world.ada),
        world.whisper(world.support, world.ada, world.carl),
    ):
        readers = world.readers(message)
        again(message).remove(by=message.author)
        assert world.readers(again(message)) == readers


def test_everything_that_hangs_on_a_message_goes_with_it(
    world: World, django_capture_on_commit_callbacks: object
) -> None:
    file = upload(world.team, world.ben)
    original = world.say(world.team, world.cleo)
    message = world.say(
        world.team, world.ben, "secret @cleo @everyone", attachments=[file], reply_to=original
    )
    message.edit("secret still @cleo", by=world.ben)
    again(message).react("👍", by=world.cleo)
    with django_capture_on_commit_callbacks(execute=True):
        again(message).remove(by=world.ben)
    message = again(message)
    for rows in (Mention, Reaction, EarlierText, Attachment):
        assert not rows.objects.filter(message=message).exists()
    assert (message.body, message.html, message.data, message.mentions_everyone) == (
        "",
        "",
        {},
        False,
    )
    assert (message.deleted_by, message.reply_to) == (world.ben, None)
    assert not default_storage.exists(file.file.name)
    (row,) = encode_for(world.cleo, [message])
    blank = {"body": "", "html": "", "data": {}, "attachments": [], "reactions": []}
    assert {name: row[name] for name in blank} == blank
    assert row["reply_to"] is None
    assert row["deleted_at"] is not None
    assert "secret" not in str(row)
    left = Message.objects.filter(pk=message.pk).values().get()
    assert "secret" not in str(left)


def test_a_tombstone_of_a_share_no_longer_says_where_it_is_from(world: World) -> None:
    source = world.say(world.team, world.ben)
    share = again(source).share(by=world.cleo, audience="everyone").message
    again(share).remove(by=world.cleo)
    (row,) = encode_for(world.ben, [again(share)])
    assert row["shared_from"] is None


def test_deleting_again_changes_nothing(world: World) -> None:
    message = world.say(world.team, world.ben)
    message.remove(by=world.ben)
    revision = again(world.team).revision
    again(message).remove(by=world.ben)
    assert again(world.team).revision == revision


def test_deleting_what_others_said_is_audited(world: World) -> None:
    own, others = world.say(world.team, world.ben), world.say(world.team, world.cleo)
    own.remove(by=world.ben)
    assert not AuditEntry.objects.filter(action="message.deleted").exists()
    again(others).remove(by=world.ben)
    entry = AuditEntry.objects.get(action="message.deleted")
    assert (entry.by, entry.target_id) == (world.ben, str(others.pk))


def test_a_closed_room_lets_one_delete_and_an_archived_one_does_not(world: World) -> None:
    message = world.say(world.team, world.ben)
    Room.objects.filter(pk=world.team.pk).update(state="archived")
    assert world.answer(lambda who: again(message).remove(by=who), world.ben) == "room_archived"
    Room.objects.filter(pk=world.team.pk).update(state="closed")
    assert world.answer(lambda who: again(message).remove(by=who), world.ben) == "yes"


# Quotes


@pytest.mark.parametrize("verb", ["edit", "remove"])
def test_what_quotes_a_changed_message_changes_too(world: World, verb: str) -> None:
    original = world.say(world.team, world.ben, "before")
    quotes = [world.say(world.team, world.cleo, reply_to=original) for _ in range(3)]
    bystander = world.say(world.team, world.cleo)
    gone = world.say(world.team, world.cleo, reply_to=original)
    again(gone).remove(by=world.cleo)
    start = again(world.team).revision
    heard: list[Message] = []
    listen = lambda messages, **_: heard.extend(messages)  # noqa: E731
    changed.connect(listen)
    try:
        if verb == "edit":
            again(original).edit("after", by=world.ben)
        else:
            again(original).remove(by=world.ben)
    finally:
        changed.disconnect(listen)
    told = [message.pk for message in heard]
    assert told == [original.pk, *(quote.pk for quote in quotes)]
    revisions = [again(row).revision for row in (original, *quotes)]
    assert revisions == list(range(start + 1, start + 5))
    assert again(world.team).revision == start + 4
    assert [again(quote).version for quote in quotes] == [2, 2, 2]
    assert (again(bystander).version, again(gone).version) == (1, 2)
    rows = encode_for(world.gus, [again(quote) for quote in quotes])
    assert {row["reply_to"]["excerpt"] for row in rows} == {"after" if verb == "edit" else ""}


def test_a_quote_is_null_to_who_may_not_see_the_original(world: World) -> None:
    whisper = world.whisper(world.team, world.ben, world.cleo)
    reply = world.say(world.team, world.ben, reply_to=whisper, audience="everyone")
    shown = {
        name: encode_for(person, [again(reply)])[0]["reply_to"]
        for name, person in world.people.items()
    }
    assert {name for name, quote in shown.items() if quote} == {"ben", "cleo"}
    assert shown["cleo"]["excerpt"] == "psst"


# Reactions


def test_who_reacts(world: World) -> None:
    message = world.say(world.team, world.ben)
    answers = world.answers(lambda who: again(message).react("👍", by=who))
    assert answers == expected(
        yes="ben cleo dee gus parrot", forbidden="vic", otherwise="not_found"
    )
    note = world.note(world.ada)
    answers = world.answers(lambda who: again(note).react("👍", by=who))
    assert answers == expected(yes="ada sue", otherwise="not_found")


def test_reactions_are_counted_and_name_people(world: World) -> None:
    message = world.say(world.team, world.ben)
    for emoji, person in (
        ("👍", world.ben),
        ("🎉", world.cleo),
        ("👍", world.cleo),
        ("👍", world.cleo),
    ):
        again(message).react(emoji, by=person)
    (row,) = encode_for(world.gus, [again(message)])
    assert row["reactions"] == [
        {"emoji": "👍", "count": 2, "users": [world.ben.pk, world.cleo.pk]},
        {"emoji": "🎉", "count": 1, "users": [world.cleo.pk]},
    ]
    assert again(message).version == 4, "the same again is no change"
    again(message).unreact("👍", by=world.ben)
    again(message).unreact("👍", by=world.ben)
    assert again(message).version == 5


def test_at_most_twenty_of_those_who_reacted_are_named(world: World) -> None:
    from accounts.models import User

    message = world.say(world.team, world.ben)
    people = [User.objects.create_guest(f"G{n}") for n in range(25)]
    Reaction.objects.bulk_create(
        Reaction(message=message, user=person, emoji="👍") for person in people
    )
    Message.objects.filter(pk=message.pk).update(version=2)  # as reacting does
    (reaction,) = encode_for(world.ben, [again(message)])[0]["reactions"]
    assert (reaction["count"], len(reaction["users"])) == (25, 20)


@pytest.mark.parametrize(
    "emoji",
    [
        "",
        "a",
        ":+1:",
        "<b>",
        "yes",
        "1",
        " ",
        "👍" * 17,
        "é",
        "漢",
        "\u202e",
        "👍\u202e",
        "\u200d",
        "\ufe0f",
        "\ud800",
    ],
)
def test_what_is_no_emoji(world: World, emoji: str) -> None:
    with pytest.raises(Invalid):
        world.say(world.team, world.ben).react(emoji, by=world.ben)


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "❤️", "👨‍👩‍👧‍👦", "🇩🇪", "1️⃣", "☺", "🩷", "🫨"])
def test_what_is_an_emoji(world: World, emoji: str) -> None:
    world.say(world.team, world.ben).react(emoji, by=world.ben)
    assert Reaction.objects.get().emoji == emoji


def test_a_message_takes_so_many_different_reactions(world: World, settings: object) -> None:
    settings.CHAT_REACTION_KINDS_MAX = 2
    message = world.say(world.team, world.ben)
    message.react("👍", by=world.ben)
    message.react("🎉", by=world.ben)
    with pytest.raises(Invalid):
        message.react("🚀", by=world.ben)
    message.react("🎉", by=world.cleo)


def test_nothing_is_reacted_to_when_closed_or_deleted(world: World) -> None:
    message = world.say(world.team, world.ben)
    again(message).remove(by=world.ben)
    assert (
        world.answer(lambda who: again(message).react("👍", by=who), world.ben) == "message_deleted"
    )
    other = world.say(world.team, world.ben)
    Room.objects.filter(pk=world.team.pk).update(state="closed")
    assert world.answer(lambda who: again(other).react("👍", by=who), world.ben) == "room_closed"
    assert timezone.now() > message.created_at


def test_showing_what_was_just_posted_leaves_it_whole(world: World) -> None:
    """Others are told of this very object, by what it answers they are shown that or not."""
    reply = world.say(world.team, world.cleo, "so", reply_to=world.say(world.team, world.ben))
    encode_for(world.ben, [reply])
    assert reply.reply_to is not None
    assert reply.reply_to.get_deferred_fields() == set()
