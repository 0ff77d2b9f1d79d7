"""Cards: what they offer, who acts on them, and that an old card is no card."""

from typing import Any

import pytest

from accounts.errors import Invalid
from accounts.models import User
from messages import cards
from messages.models import Message
from messages.posting import post_note
from tests.world import World, again, expected

ACTED: list[tuple[str, dict[str, Any], str]] = []


@cards.answers("tests.card")
def answer(card: Message, action: str, data: dict[str, Any], *, by: User) -> None:
    ACTED.append((action, data, by.handle))
    card.update_card(
        {**card.data, "actions": [cards.offer("ask", "Ask", why_not="Asked already.")]}
    )


@pytest.fixture
def card(world: World) -> Message:
    ACTED.clear()
    data = {"card": "tests.card", "event": "test", "actions": [cards.offer("ask", "Ask")]}
    return post_note(again(world.team), "What now?", data, audience="everyone")


def act(card: Message, by: User, action: str = "ask", version: int = 1, **data: Any) -> None:
    again(card).act(action, version=version, data=data, by=by)


def test_who_acts(world: World, card: Message) -> None:
    answers = world.answers(lambda who: act(card, who))
    assert answers == expected(
        yes="ben cleo dee gus parrot", forbidden="vic", otherwise="not_found"
    )


def test_a_card_is_by_the_system_and_offers_what_it_says(world: World, card: Message) -> None:
    assert (card.kind, card.author, card.version) == ("card", world.system, 1)
    assert card.data["actions"] == [
        {"name": "ask", "label": "Ask", "enabled": True, "why_not": None}
    ]


def test_acting_is_told_to_the_app_that_answers_and_updates_in_place(
    world: World, card: Message
) -> None:
    act(card, world.cleo, colour="red")
    assert ACTED == [("ask", {"colour": "red"}, "cleo")]
    changed = again(card)
    assert (changed.pk, changed.version) == (card.pk, 2)
    assert changed.revision == again(world.team).revision > card.revision
    (action,) = changed.data["actions"]
    assert (action["enabled"], action["why_not"]) == (False, "Asked already.")


def test_acting_on_what_has_changed_meanwhile_is_a_conflict(world: World, card: Message) -> None:
    act(card, world.cleo)
    with pytest.raises(Message.Stale) as error:
        act(card, world.ben)
    assert (error.value.code, error.value.status) == ("stale", 409)
    assert len(ACTED) == 1


def test_what_is_not_to_be_had_says_why(world: World, card: Message) -> None:
    act(card, world.cleo)
    with pytest.raises(cards.Unavailable) as error:
        act(card, world.ben, version=2)
    assert error.value.message == "Asked already."


def test_what_is_not_offered_cannot_be_done(world: World, card: Message) -> None:
    with pytest.raises(Invalid):
        act(card, world.cleo, action="explode")
    message = world.say(world.team, world.ben)
    with pytest.raises(Invalid):
        act(message, world.cleo)


def test_a_staff_card_is_seen_and_acted_on_by_staff(world: World) -> None:
    data = {"card": "tests.card", "event": "test", "actions": [cards.offer("ask", "Ask")]}
    card = post_note(again(world.support), "What now?", data, audience="staff")
    assert world.readers(card) == {"ada", "sue"}
    answers = world.answers(lambda who: act(card, who))
    assert answers == expected(yes="ada sue", otherwise="not_found")
