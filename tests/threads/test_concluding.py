"""Concluding: saying what came of a side-bar, and writing no more in it; and taking it up again."""

from typing import Any
from uuid import uuid4

import pytest

from accounts.errors import DomainError, Forbidden, Invalid, NotFound
from accounts.models import AuditEntry
from messages.models import Message
from rooms.models import Room
from tests.threads.beside import beside, look, private, stub
from tests.world import World, again, expected
from threads.models import Sidebar


def conclude(sidebar: Sidebar, by: Any, body: str = "", **how: Any) -> Any:
    return again(sidebar).conclude(by=by, body=body, **how)


@pytest.mark.parametrize("body", ["", "Done."])
def test_who_may_write_in_a_team_room_concludes(world: World, talk: Sidebar, body: str) -> None:
    answers = world.answers(lambda who: conclude(talk, who, body))
    assert answers == expected(
        yes="ben cleo dee gus parrot", forbidden="vic", otherwise="not_found"
    )


@pytest.mark.parametrize("body", ["", "Done."])
def test_staff_conclude_in_support_rooms(world: World, internal: Sidebar, body: str) -> None:
    answers = world.answers(lambda who: conclude(internal, who, body))
    assert answers == expected(yes="ada sue", forbidden="parrot", otherwise="not_found")


def test_who_is_in_a_private_one_concludes_it(world: World, aside: Sidebar) -> None:
    answers = world.answers(lambda who: conclude(aside, who, "Done."))
    assert answers == expected(yes="ben gus", otherwise="not_found")


def test_the_conclusion_answers_the_message_it_is_beside(
    world: World, talk: Sidebar, said: Message
) -> None:
    posted = conclude(talk, world.cleo, "**Yes**")
    message = again(posted.message)
    assert (message.room, message.author, message.body) == (world.team, world.cleo, "**Yes**")
    assert (message.reply_to, message.audience, posted.replayed) == (said, "everyone", False)
    sidebar = again(talk)
    assert (sidebar.conclusion, sidebar.concluded_by) == (message, world.cleo)
    assert sidebar.concluded_at == sidebar.room.closed_at
    assert sidebar.room.state == "closed"


def test_it_may_end_without_a_word(world: World, talk: Sidebar) -> None:
    newest = again(world.team).newest
    assert conclude(talk, world.ben, " \n") is None
    sidebar = again(talk)
    assert (sidebar.conclusion, sidebar.concluded_by) == (None, world.ben)
    assert sidebar.room.state == "closed"
    assert again(world.team).newest == newest


def test_nothing_is_written_in_it_any_more(world: World, talk: Sidebar) -> None:
    message = world.say(talk.room, world.ben)
    conclude(talk, world.ben, "Done.")
    for act in (
        lambda who: again(talk.room).messages.post("more", by=who),
        lambda who: again(message).edit("other", by=who),
        lambda who: again(message).react("👍", by=who),
        lambda who: again(talk.room).invite(world.cleo, by=who),
    ):
        assert world.answer(act, world.ben) == "room_closed"
    assert look(talk, world.cleo).role == "member", "read it may still be"


def test_there_is_a_note_and_an_audit_entry(world: World, talk: Sidebar) -> None:
    conclude(talk, world.cleo, "Done.")
    notes = Message.objects.filter(room=talk.pk)
    assert [note.data["event"] for note in notes] == ["closed"]
    entry = AuditEntry.objects.get(action="sidebar.concluded")
    assert (entry.by, entry.target_id) == (world.cleo, str(talk.pk))


@pytest.mark.parametrize("anchor", ["the customer's", "a note"])
def test_in_support_rooms_a_conclusion_is_for_the_staff_unless_they_say_otherwise(
    world: World, asked: Message, anchor: str
) -> None:
    on = asked if anchor == "the customer's" else world.note(world.sue)
    some = [beside(on, world.ada), beside(on, world.ada), beside(on, world.ada)]
    message = conclude(some[0], world.ada, "Found it.").message
    assert world.readers(message) == {"ada", "sue"}
    message = conclude(some[1], world.ada, "Found it.", audience="everyone").message
    assert world.readers(message) == {"ada", "sue", "carl", "dora", "parrot"}
    message = conclude(some[2], world.ada, "?", audience="only", to=[world.carl.pk]).message
    assert world.readers(message) == {"ada", "sue", "carl"}


def test_an_audience_that_is_not_there_concludes_nothing(world: World, talk: Sidebar) -> None:
    for how in (
        {"audience": "staff"},
        {"audience": "only"},
        {"audience": "only", "to": [world.otto.pk]},
        {"audience": "everyone", "to": [world.cleo.pk]},
    ):
        with pytest.raises(Invalid):
            conclude(talk, world.ben, "Done.", **how)
    with pytest.raises(Invalid):
        conclude(talk, world.ben, "x" * 16_001)
    assert again(talk).concluded_at is None
    assert again(talk.room).state == "active"


def test_where_its_message_is_gone_the_conclusion_answers_nothing(
    world: World, talk: Sidebar, said: Message
) -> None:
    again(said).remove(by=world.cleo)
    assert again(conclude(talk, world.ben, "Done.").message).reply_to is None


def test_where_one_does_not_see_its_message_the_conclusion_answers_nothing(
    world: World, talk: Sidebar
) -> None:
    world.team.update(by=world.ben, history="joined")
    again(world.team).invite(world.otto, by=world.ben)
    assert again(conclude(talk, world.otto, "Done.").message).reply_to is None


def test_concluding_again_is_refused(world: World, talk: Sidebar) -> None:
    conclude(talk, world.ben, "Done.", client_id=uuid4())
    for how in ({}, {"client_id": uuid4()}):
        for who in (world.ben, world.cleo):
            with pytest.raises(Sidebar.Concluded):
                conclude(talk, who, "Done.", **how)
    assert Message.objects.filter(room=world.team, body="Done.").count() == 1


def test_the_same_conclusion_again_is_replayed(world: World, talk: Sidebar) -> None:
    client_id = uuid4()
    first = conclude(talk, world.ben, "Done.", client_id=client_id)
    at = again(talk).concluded_at
    second = conclude(talk, world.ben, "Done.", client_id=client_id)
    assert (second.message, second.replayed) == (first.message, True)
    assert again(talk).concluded_at == at
    assert Message.objects.filter(room=world.team, body="Done.").count() == 1
    assert AuditEntry.objects.filter(action="sidebar.concluded").count() == 1
    with pytest.raises(Message.IdempotencyConflict):
        conclude(talk, world.ben, "Not quite.", client_id=client_id)
    with pytest.raises(Sidebar.Concluded):
        conclude(talk, world.cleo, "Done.", client_id=client_id)


def test_it_is_replayed_when_its_message_was_deleted_meanwhile(
    world: World, talk: Sidebar, said: Message
) -> None:
    client_id = uuid4()
    first = conclude(talk, world.ben, "Done.", client_id=client_id)
    again(said).remove(by=world.cleo)
    second = conclude(talk, world.ben, "Done.", client_id=client_id)
    assert (second.message, second.replayed) == (first.message, True)


def test_ending_without_a_word_again_changes_nothing(world: World, talk: Sidebar) -> None:
    client_id = uuid4()
    conclude(talk, world.ben, client_id=client_id)
    at = again(talk).concluded_at
    assert conclude(talk, world.ben, client_id=client_id) is None
    assert again(talk).concluded_at == at
    for who, body in ((world.cleo, ""), (world.ben, "After all.")):
        with pytest.raises(Sidebar.Concluded):
            conclude(talk, who, body, client_id=client_id)


def test_a_client_id_used_in_the_room_concludes_nothing(world: World, talk: Sidebar) -> None:
    client_id = uuid4()
    world.say(world.team, world.ben, "Done.", client_id=client_id)
    with pytest.raises(Message.IdempotencyConflict):
        conclude(talk, world.ben, "Done.", client_id=client_id)
    assert again(talk.room).state == "active"


def test_what_was_only_closed_is_not_concluded(world: World, talk: Sidebar) -> None:
    again(talk.room).close(by=world.ben)
    assert again(talk).concluded_at is None
    for body in ("", "Done."):
        with pytest.raises(Room.Closed):
            conclude(talk, world.ben, body)
    assert not Message.objects.filter(room=world.team, body="Done.").exists()


def test_a_closed_room_around_it_takes_no_conclusion(world: World, talk: Sidebar) -> None:
    again(world.team).close(by=world.ben)
    with pytest.raises(Room.Closed):
        conclude(talk, world.ben, "Done.")


def test_who_manages_it_takes_it_up_again(world: World, said: Message) -> None:
    sidebar = beside(said, world.cleo, world.ben, world.gus)
    conclude(sidebar, world.gus, "Done.")
    answers = world.answers(lambda who: again(sidebar.room).reopen(by=who))
    assert answers == expected(yes="ben cleo root system", otherwise="forbidden")
    again(sidebar.room).reopen(by=world.cleo)
    sidebar = again(sidebar)
    assert (sidebar.conclusion, sidebar.concluded_by, sidebar.concluded_at) == (None, None, None)
    assert world.say(sidebar.room, world.gus, "one more thing")
    second = conclude(sidebar, world.ben, "Done now.").message
    assert again(sidebar).conclusion == second


def test_a_deleted_conclusion_leaves_it_concluded(world: World, talk: Sidebar) -> None:
    message = conclude(talk, world.ben, "Done.").message
    again(message).remove(by=world.ben)
    assert again(talk).concluded_at is not None
    assert again(talk.room).state == "closed"


def test_outsiders_learn_nothing_of_whether_it_was_concluded(world: World, aside: Sidebar) -> None:
    def answers() -> set[str]:
        found = world.answers(lambda who: conclude(aside, who, "Done.", client_id=uuid4()))
        return {name for name, code in found.items() if code == "not_found"}

    before = answers()
    conclude(aside, world.ben, "Done.")
    assert answers() == before


def test_a_whispered_conclusion_is_told_to_those_it_is_for(world: World, talk: Sidebar) -> None:
    """Its number would say that there is something, and where."""
    message = conclude(talk, world.ben, "Done.", audience="only", to=[world.cleo.pk]).message
    assert world.readers(message) == {"ben", "cleo"}
    for name in ("vic", "gus", "parrot"):
        shown = stub(world.people[name], talk)
        assert shown["conclusion"] is None
        assert shown["concluded_at"] is not None


def test_of_a_robots_question_robots_conclude_nothing_in_support_rooms(
    world: World, asked: Message
) -> None:
    sidebar = private(asked, world.ada, world.parrot)
    with pytest.raises(Forbidden):
        conclude(sidebar, world.parrot, "Done.")


@pytest.mark.parametrize("name", ["carl", "otto", "amy"])
def test_nobody_from_outside_gets_further(world: World, internal: Sidebar, name: str) -> None:
    with pytest.raises(NotFound):
        conclude(internal, world.people[name], "Done.")
    with pytest.raises(DomainError):
        again(internal.room).messages.post("hi", by=world.people[name])
