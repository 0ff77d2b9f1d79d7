"""Sharing back: saying in the room around a side-bar what was said in it, with its files."""

from typing import Any
from uuid import uuid4

import pytest

from accounts.errors import Forbidden, Invalid, NotFound
from accounts.models import AuditEntry
from messages.encoding import encode_for
from messages.models import Attachment, Message
from rooms.models import Room
from tests.messages.files import upload
from tests.threads.beside import look
from tests.world import World, again, expected
from threads.models import Sidebar


@pytest.fixture
def words(world: World, talk: Sidebar) -> list[int]:
    """What cleo, ben and gus said in the open side-bar."""
    people = (world.cleo, world.ben, world.gus)
    return [world.say(again(talk.room), who, f"says {who.name}").pk for who in people]


def share(
    sidebar: Sidebar, who: Any, *messages: int, audience: str = "everyone", **how: Any
) -> Any:
    return again(sidebar).share(list(messages), by=who, audience=audience, **how)


def test_who_may_write_in_a_team_room_shares_back(
    world: World, talk: Sidebar, words: list[int]
) -> None:
    answers = world.answers(lambda who: share(talk, who, *words))
    assert answers == expected(
        yes="ben cleo dee", forbidden="vic gus parrot", otherwise="not_found"
    )


def test_staff_share_back_in_support_rooms(world: World, internal: Sidebar) -> None:
    message = world.say(internal.room, world.sue)
    answers = world.answers(lambda who: share(internal, who, message.pk))
    assert answers == expected(yes="ada sue", forbidden="parrot", otherwise="not_found")


def test_who_is_in_a_private_one_shares_back(world: World, aside: Sidebar) -> None:
    message = world.say(aside.room, world.gus)
    answers = world.answers(lambda who: share(aside, who, message.pk))
    assert answers == expected(yes="ben", forbidden="gus", otherwise="not_found")


def test_one_message_is_said_again_as_it_is(
    world: World, internal: Sidebar, asked: Message
) -> None:
    message = world.say(internal.room, world.sue, "*in the shed*")
    posted = share(internal, world.ada, message.pk)
    said = again(posted.message)
    assert (said.room, said.author, said.body) == (world.support, world.ada, "*in the shed*")
    assert (said.shared_from, said.audience, posted.replayed) == (message, "everyone", False)
    assert world.readers(said) == {"ada", "sue", "carl", "dora", "parrot"}
    assert world.readers(message) == {"ada", "sue"}, "never touched"


def test_where_it_is_from_is_shown_to_those_in_the_side_bar(
    world: World, talk: Sidebar, words: list[int]
) -> None:
    said = again(share(talk, world.ben, words[0]).message)
    shown = {
        name
        for name in world.readers(said)
        if encode_for(world.people[name], [said])[0]["shared_from"]
    }
    assert shown == {"ben", "cleo", "gus"}


def test_several_are_said_as_one_that_says_who_said_what(
    world: World, talk: Sidebar, words: list[int]
) -> None:
    said = share(talk, world.ben, *reversed(words)).message
    assert said.body == "**Cleo**\n> says Cleo\n\n**Ben**\n> says Ben\n\n**Gus**\n> says Gus"
    assert said.shared_from_id == words[0]


def test_names_and_texts_of_several_mean_nothing_new(world: World, talk: Sidebar) -> None:
    world.cleo.name = "**@vic** [x](http://example.com)"
    world.cleo.save()
    pks = [
        world.say(again(talk.room), world.cleo, body).pk
        for body in ("one\n\n> two\n```\nthree", "four")
    ]
    said = again(share(talk, world.ben, *pks).message)
    assert not said.mentions.exists()
    assert "<a " not in said.html
    assert said.html.count("<blockquote>") == 3, "one each, and the quote within the first"


def test_they_may_be_changed_before(world: World, talk: Sidebar, words: list[int]) -> None:
    said = share(talk, world.ben, *words, body="All of us *agree*.").message
    assert (again(said).body, again(said).shared_from_id) == ("All of us *agree*.", words[0])
    with pytest.raises(Invalid):
        share(talk, world.ben, *words, body=" ")


def test_all_files_go_with_them(world: World, talk: Sidebar) -> None:
    pks, names = [], []
    for number in range(3):
        files = [
            upload(again(talk.room), world.ben, name=f"{number}-{n}.txt") for n in range(number)
        ]
        names += [file.name for file in files]
        pks.append(world.say(again(talk.room), world.ben, "look", attachments=files).pk)
    said = share(talk, world.ben, *pks).message
    copies = Attachment.objects.filter(message=said)
    assert [copy.name for copy in copies.order_by("pk")] == names
    assert {copy.room for copy in copies} == {world.team}
    assert set(Attachment.objects.visible_to(world.vic)) >= set(copies)
    assert Attachment.objects.filter(room=talk.pk).count() == len(names), "and stay"


def test_of_each_there_is_an_audit_entry(world: World, talk: Sidebar, words: list[int]) -> None:
    said = share(talk, world.ben, *words, audience="only", to=[world.vic.pk]).message
    entries = AuditEntry.objects.filter(action="message.shared", target_id=str(said.pk))
    assert sorted(entry.before["message"] for entry in entries) == words
    for entry in entries:
        assert (entry.by, entry.before["room"]) == (world.ben, talk.pk)
        assert entry.after == {"audience": "only", "to": [world.vic.pk], "room": world.team.pk}


def test_what_one_may_not_see_is_not_shared(world: World, talk: Sidebar, words: list[int]) -> None:
    whisper = world.whisper(again(talk.room), world.cleo, world.gus)
    answers = world.answers(lambda who: share(talk, who, words[0], whisper.pk))
    assert answers == expected(yes="cleo", forbidden="vic gus", otherwise="not_found")
    with pytest.raises(NotFound) as error:
        share(talk, world.ben, words[0], whisper.pk)
    assert list(error.value.details) == ["messages"]
    assert not Message.objects.filter(room=world.team, author=world.ben).exists()


def test_only_messages_of_the_side_bar_are_shared_back(
    world: World, talk: Sidebar, aside: Sidebar, words: list[int]
) -> None:
    foreign = world.say(aside.room, world.ben)
    public = world.say(world.public, world.ben)
    for other in (foreign.pk, public.pk, talk.anchor_id, 10**9):
        with pytest.raises(NotFound):
            share(talk, world.ben, words[0], other)


def test_what_was_deleted_or_nobody_wrote_is_not_shared(
    world: World, talk: Sidebar, words: list[int]
) -> None:
    Message.objects.get(pk=words[1]).remove(by=world.ben)
    with pytest.raises(Message.Deleted):
        share(talk, world.ben, *words)
    again(talk.room).update(by=world.ben, name="Plans")
    note = Message.objects.filter(room=talk.pk, kind="system").latest("pk")
    with pytest.raises(Invalid):
        share(talk, world.ben, words[0], note.pk)


def test_there_is_a_limit_to_how_many(
    world: World, talk: Sidebar, words: list[int], settings: Any
) -> None:
    settings.CHAT_SHARED_AT_ONCE = 2
    assert share(talk, world.ben, words[0], words[1], words[0]).message
    for wrong in (words, []):
        with pytest.raises(Invalid) as error:
            share(talk, world.ben, *wrong)
        assert list(error.value.details) == ["messages"]


def test_it_takes_the_right_to_that_audience_there(
    world: World, talk: Sidebar, internal: Sidebar, words: list[int]
) -> None:
    with pytest.raises(Invalid):
        share(talk, world.ben, words[0], audience="staff")
    message = world.say(internal.room, world.ada)
    assert share(internal, world.ada, message.pk, audience="staff").message.audience == "staff"
    with pytest.raises(Invalid):
        share(internal, world.ada, message.pk, audience="only", to=[world.amy.pk])


def test_a_share_is_posted_once(world: World, talk: Sidebar, words: list[int]) -> None:
    client_id = uuid4()
    first = share(talk, world.ben, *words, client_id=client_id)
    second = share(talk, world.ben, *reversed(words), client_id=client_id)
    assert (first.replayed, second.replayed) == (False, True)
    assert first.message == second.message
    assert AuditEntry.objects.filter(action="message.shared").count() == len(words)
    for how in (
        {"audience": "only", "to": [world.vic.pk]},
        {"body": "other"},
    ):
        with pytest.raises(Message.IdempotencyConflict):
            share(talk, world.ben, *words, client_id=client_id, **how)
    with pytest.raises(Message.IdempotencyConflict):
        share(talk, world.ben, *words[:2], client_id=client_id)


@pytest.mark.parametrize("meanwhile", ["edited", "closed", "renamed"])
def test_a_share_is_replayed_whatever_happened_meanwhile(
    world: World, talk: Sidebar, words: list[int], meanwhile: str
) -> None:
    client_id = uuid4()
    first = share(talk, world.ben, *words, client_id=client_id)
    if meanwhile == "edited":
        Message.objects.get(pk=words[0]).edit("said differently", by=world.cleo)
    elif meanwhile == "closed":
        again(world.team).close(by=world.ben)
    else:
        world.gus.name = "August"
        world.gus.save()
    second = share(talk, world.ben, *words, client_id=client_id)
    assert (second.message, second.replayed) == (first.message, True)
    assert again(second.message).body == first.message.body


def test_who_has_not_come_by_yet_is_in_it_when_they_share(
    world: World, talk: Sidebar, words: list[int]
) -> None:
    again(talk.room).leave(by=world.cleo)
    share(talk, world.cleo, words[1])
    assert world.seat(talk.room, world.cleo)


def test_a_closed_room_is_told_nothing(world: World, talk: Sidebar, words: list[int]) -> None:
    again(world.team).close(by=world.ben)
    with pytest.raises(Room.Closed):
        share(talk, world.ben, *words)


def test_of_a_concluded_one_something_may_still_be_shared(
    world: World, talk: Sidebar, words: list[int]
) -> None:
    again(talk).conclude(by=world.ben)
    assert share(talk, world.cleo, words[0]).message.room == world.team


def test_deleting_the_share_takes_it_back(world: World, talk: Sidebar, words: list[int]) -> None:
    said = share(talk, world.ben, *words).message
    again(said).remove(by=world.ben)
    assert again(said).body == ""
    assert [Message.objects.get(pk=pk).deleted_at for pk in words] == [None] * 3


def test_what_was_whispered_in_it_is_shared_by_who_saw_it(world: World, talk: Sidebar) -> None:
    look(talk, world.vic)
    whisper = world.whisper(again(talk.room), world.cleo, world.ben, body="a secret")
    said = share(talk, world.ben, whisper.pk).message
    assert world.readers(said) == {"ben", "cleo", "vic", "dee", "gus", "parrot"}
    shown = {
        name
        for name in ("ben", "cleo", "vic")
        if encode_for(world.people[name], [again(said)])[0]["shared_from"]
    }
    assert shown == {"ben", "cleo"}


def test_a_share_into_a_side_bar(world: World, aside: Sidebar, said: Message) -> None:
    answers = world.answers(
        lambda who: again(said).share(by=who, room=aside.room, audience="everyone")
    )
    assert answers == expected(yes="ben", forbidden="gus", otherwise="not_found")


def test_guests_share_nothing(world: World, talk: Sidebar, words: list[int]) -> None:
    with pytest.raises(Forbidden):
        share(talk, world.gus, words[2])
