"""Waiting, active, closed, archived: who moves a room on, and what holds in each state."""

import pytest

from accounts.errors import Invalid
from accounts.models import AuditEntry
from messages.models import Message
from rooms.models import Room
from tests.world import World, again, expected

VERBS = ("close", "reopen", "archive")


def put(room: Room, state: str) -> Room:
    Room.objects.filter(pk=room.pk).update(state=state)
    return again(room)


@pytest.mark.parametrize(
    ("verb", "state"), [("close", "active"), ("reopen", "closed"), ("archive", "closed")]
)
def test_who_moves_a_room_on(world: World, verb: str, state: str) -> None:
    for room in world.rooms.values():
        put(room, state)
    team = world.answers(lambda who: getattr(again(world.team), verb)(by=who))
    assert team == expected(yes="ben root system", otherwise="forbidden")
    support = world.answers(lambda who: getattr(again(world.support), verb)(by=who))
    assert support == expected(yes="ada sue root system", otherwise="forbidden")
    direct = world.answers(lambda who: getattr(again(world.direct), verb)(by=who))
    assert direct == expected(otherwise="forbidden")


@pytest.mark.parametrize(
    ("verb", "possible"),
    [("close", {"waiting", "active"}), ("reopen", {"closed", "archived"}), ("archive", {"closed"})],
)
def test_from_which_states_a_verb_leads_on(world: World, verb: str, possible: set[str]) -> None:
    codes = {}
    for state in Room.State.values:
        put(world.support, state)
        codes[state] = world.answer(
            lambda who: getattr(again(world.support), verb)(by=who), world.ada
        )
    assert {state for state, code in codes.items() if code == "yes"} == possible
    assert set(codes.values()) == {"yes", "wrong_state"}


@pytest.mark.parametrize("outcome", ["success", "unknown", "negative"])
def test_closing_keeps_outcome_and_note(world: World, outcome: str) -> None:
    world.support.close(by=world.ada, outcome=outcome, note="as it was")
    room = again(world.support)
    assert (room.state, room.outcome, room.outcome_note) == ("closed", outcome, "as it was")
    assert room.closed_at is not None
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.by, entry.after["outcome"]) == ("room.closed", world.ada, outcome)


def test_there_is_no_other_outcome(world: World) -> None:
    with pytest.raises(Invalid):
        world.support.close(by=world.ada, outcome="splendid")
    assert again(world.support).state == "active"


def test_customers_are_not_shown_how_it_ended(world: World) -> None:
    world.support.close(by=world.ada, outcome="negative", note="impossible person")
    card = Message.objects.filter(room=world.support).latest("pk")
    assert (card.kind, card.data["card"]) == ("card", "room.closed")
    assert world.readers(card) == {"ada", "sue"}


def test_archiving_is_told_and_kept(world: World) -> None:
    world.team.close(by=world.ben)
    again(world.team).archive(by=world.ben)
    room = again(world.team)
    assert room.state == "archived"
    assert room.archived_at is not None
    assert Message.objects.filter(room=room).latest("pk").body == "Ben archived the room."


@pytest.mark.parametrize("archived", [False, True])
def test_reopening_takes_back_the_ending(world: World, archived: bool) -> None:
    world.support.close(by=world.ada, outcome="success", note="done")
    if archived:
        again(world.support).archive(by=world.ada)
    again(world.support).reopen(by=world.sue)
    room = again(world.support)
    assert (room.state, room.outcome, room.outcome_note) == ("active", "", "")
    assert (room.closed_at, room.archived_at, room.waiting_since) == (None, None, None)


def test_a_room_without_staff_reopens_to_the_queue(world: World) -> None:
    world.support.close(by=world.ada)
    for person in (world.ada, world.sue):
        again(world.support).leave(by=person)
    again(world.support).reopen(by=world.root)
    room = again(world.support)
    assert room.state == "waiting"
    assert room.waiting_since is not None


@pytest.mark.parametrize("state", ["closed", "archived"])
def test_a_customers_message_reopens_a_support_room(world: World, state: str) -> None:
    put(world.support, state)
    message = world.say(again(world.support), world.carl, "one more thing")
    room = again(world.support)
    assert room.state == "active"
    note = Message.objects.get(room=room, data__event="reopened")
    assert note.revision < message.revision
    assert note.pk < message.pk
    assert room.revision == message.revision


@pytest.mark.parametrize("state", ["closed", "archived"])
def test_nobody_elses_message_reopens_a_room(world: World, state: str) -> None:
    code = f"room_{state}"
    put(world.support, state)
    answers = world.answers(lambda who: again(world.support).messages.post("hi", by=who))
    assert answers == expected(yes="carl dora", **{code: "ada sue parrot"}, otherwise="not_found")
    put(world.team, state)
    answers = world.answers(lambda who: again(world.team).messages.post("hi", by=who))
    assert answers == expected(**{code: "ben cleo vic dee gus parrot"}, otherwise="not_found")
    assert again(world.team).state == state


def test_the_card_of_a_closed_room_reopens_it_and_then_says_so(world: World) -> None:
    world.team.close(by=world.ben)
    card = Message.objects.filter(room=world.team).latest("pk")
    assert [action["enabled"] for action in card.data["actions"]] == [True]
    card.act("reopen", version=card.version, data={}, by=world.ben)
    assert again(world.team).state == "active"
    card = again(card)
    assert [action["enabled"] for action in card.data["actions"]] == [False]
    assert card.version == 2
    answers = world.answers(lambda who: again(card).act("reopen", version=2, data={}, by=who))
    assert answers == expected(
        action_unavailable="ben cleo dee gus parrot", forbidden="vic", otherwise="not_found"
    )


def test_who_reopens_by_the_card(world: World) -> None:
    world.team.close(by=world.ben)
    card = Message.objects.filter(room=world.team).latest("pk")
    answers = world.answers(lambda who: again(card).act("reopen", version=1, data={}, by=who))
    assert answers == expected(
        yes="ben", forbidden="cleo vic dee gus parrot", otherwise="not_found"
    )


def test_every_change_of_state_is_a_change_of_people_revision(world: World) -> None:
    seen = [again(world.team).people_revision]
    for verb in ("close", "archive", "reopen"):
        getattr(again(world.team), verb)(by=world.ben)
        seen.append(again(world.team).people_revision)
    assert seen == sorted(set(seen))
