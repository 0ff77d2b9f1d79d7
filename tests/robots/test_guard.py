"""Robots that name each other forever come to an end, and people have them go on."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from messages.models import Message
from robots import guard
from robots.models import Hold, Reply
from robots.summons import Cause, Summons
from tests.callers import Caller, answered
from tests.robots.talking import Says, answer, seated, talk
from tests.world import World, expected

pytestmark = pytest.mark.django_db


def naming(*handles: str) -> Says:
    """Each says something new and names the one after it in the circle."""
    number = count(1)

    def says(reply: Reply) -> str:
        after = handles.index(reply.robot.user.handle) + 1
        return f"@{handles[after % len(handles)]} number {next(number)}"

    return says


def cards(room: Any) -> list[Message]:
    return list(room.messages.filter(kind=Message.Kind.CARD, data__card="guard").order_by("pk"))


def press_continue(world: World, card: Message, by: Any = None) -> Any:
    card.refresh_from_db()
    return Caller(by or world.ben).post(
        f"messages/{card.pk}/actions/", action="continue", version=card.version
    )


class TestTheCircle:
    def test_two_robots_stop_after_three_answers_to_each_other(self, world: World) -> None:
        seated(world, world.team, "ann", "bob")
        world.say(world.team, world.ben, "@ann begin")
        assert talk(naming("ann", "bob")) == ["ann", "bob", "ann", "bob"]
        (card,) = cards(world.team)
        assert "Ann and Bob" in card.body or "Bob and Ann" in card.body
        assert "3 times in 5 minutes" in card.body
        assert card.data["guard"]["reason"] == "pair"
        assert [robot["handle"] for robot in card.data["guard"]["robots"]] == ["ann"]

    def test_three_robots_stop_at_the_depth(self, world: World) -> None:
        seated(world, world.team, "ann", "bob", "eve")
        world.say(world.team, world.ben, "@ann begin")
        spoken = talk(naming("ann", "bob", "eve"))
        assert spoken == ["ann", "bob", "eve", "ann", "bob"]
        (card,) = cards(world.team)
        assert card.data["guard"]["reason"] == "depth"
        assert "4 times since a person asked" in card.body

    def test_all_at_once_stop_at_the_messages(self, world: World) -> None:
        seated(world, world.team, "ann", "bob", "eve", "max")
        world.say(world.team, world.ben, "@robots begin")
        number = count()
        spoken = talk(lambda reply: f"@robots number {next(number)}")
        assert len(spoken) == 12
        assert cards(world.team)[0].data["guard"]["reason"] == "messages"
        assert len(cards(world.team)) == 1

    def test_who_repeats_itself_is_answered_by_nobody(self, world: World) -> None:
        seated(world, world.team, "ann", "bob")
        world.say(world.team, world.ben, "@ann begin")
        texts = {"ann": ["@bob what  now", "@Bob What now "], "bob": ["@ann go on"]}
        assert talk(lambda reply: texts[reply.robot.user.handle].pop(0)) == ["ann", "bob", "ann"]
        (card,) = cards(world.team)
        assert card.data["guard"]["reason"] == "repeated"
        assert card.body.startswith("Ann said the same again.")

    def test_the_same_answer_to_another_question_is_no_repetition(self, world: World) -> None:
        seated(world, world.team, "ann", "bob")
        for _ in range(2):
            world.say(world.team, world.ben, "@ann what time is it?")
            talk(lambda r: "@bob the time, please" if r.robot.user.handle == "ann" else "Noon.")
        assert cards(world.team) == []
        assert Reply.objects.count() == 4

    def test_nobody_answers_itself(self, world: World) -> None:
        seated(world, world.team, "ann")
        world.say(world.team, world.ben, "@ann begin")
        number = count()
        assert talk(lambda reply: f"@ann @robots {next(number)}") == ["ann"]
        assert cards(world.team) == []

    def test_old_answers_do_not_count(self, world: World) -> None:
        seated(world, world.team, "ann", "bob")
        world.say(world.team, world.ben, "@ann begin")
        talk(naming("ann", "bob"))
        Reply.objects.update(created_at=timezone.now() - timedelta(minutes=6))
        world.say(world.team, world.ben, "@ann once more")
        assert len(talk(naming("ann", "bob"))) == 4

    def test_a_person_who_writes_does_not_make_a_pair_begin_anew(self, world: World) -> None:
        seated(world, world.team, "ann", "bob")
        world.say(world.team, world.ben, "@ann begin")
        talk(naming("ann", "bob"))
        world.say(world.team, world.ben, "@ann once more")
        number = count(100)
        assert talk(lambda reply: f"@bob {next(number)}") == ["ann"]
        assert len(cards(world.team)) == 2


class TestHiddenTalk:
    """What is said to others neither counts nor shows."""

    @pytest.fixture
    def patient(self, settings: Any) -> None:
        """Only the messages since a person wrote are counted."""
        settings.CHAT_GUARD_PAIR = settings.CHAT_GUARD_DEPTH = 100

    def test_a_whisper_does_not_begin_the_count_of_the_room_anew(
        self, world: World, patient: None
    ) -> None:
        seated(world, world.team, "ann", "bob")
        world.say(world.team, world.ben, "@ann begin")
        says = naming("ann", "bob")

        def amid_whispers(reply: Reply) -> str:
            world.whisper(world.team, world.cleo, world.ben)
            return says(reply)

        assert len(talk(amid_whispers)) == 12

    def test_a_word_to_all_does(self, world: World, patient: None) -> None:
        seated(world, world.team, "ann", "bob")
        world.say(world.team, world.ben, "@ann begin")
        says = naming("ann", "bob")
        for _ in range(20):
            world.say(world.team, world.cleo, "Go on.")
            answer(Reply.objects.unfinished().get(), says(Reply.objects.unfinished().get()))
        assert cards(world.team) == []

    def test_nor_does_talk_of_all_begin_that_of_a_whisper_anew(
        self, world: World, patient: None
    ) -> None:
        ann, bob = seated(world, world.team, "ann", "bob")
        world.whisper(world.team, world.cleo, ann.user, bob.user, body="@ann begin")
        says = naming("ann", "bob")

        def amid_talk(reply: Reply) -> str:
            world.say(world.team, world.ben, "Nice weather.")
            world.say(world.team, world.parrot, "Nice weather.")
            return says(reply)

        assert len(talk(amid_talk)) == 12

    def test_hidden_answers_leave_the_others_their_own(self, world: World) -> None:
        ann, bob = seated(world, world.team, "ann", "bob")
        world.whisper(world.team, world.cleo, ann.user, bob.user, body="@ann, between us")
        # Both were put the question; only what Ann says is passed on.
        whispered = talk(naming("ann", "bob"))
        (hidden,) = cards(world.team)
        assert hidden.audience == "only"
        assert set(hidden.to) == {world.cleo.pk, ann.user_id, bob.user_id}
        world.say(world.team, world.ben, "@ann begin")
        assert talk(naming("ann", "bob")) == ["ann", "bob", "ann", "bob"]
        assert len(whispered) > 4
        assert cards(world.team)[1].audience == "everyone"

    def test_hidden_messages_do_not_count_in_the_room(self, world: World, patient: None) -> None:
        ann, _ = seated(world, world.team, "ann", "bob")
        world.whisper(world.team, world.cleo, ann.user, body="@ann, between us")
        talk(lambda reply: "Yes.")
        world.say(world.team, world.ben, "@ann begin")
        assert len(talk(naming("ann", "bob"))) == 12


class TestContinue:
    @pytest.fixture
    def card(self, world: World) -> Message:
        seated(world, world.team, "ann", "bob")
        world.say(world.team, world.ben, "@ann begin")
        talk(naming("ann", "bob"))
        return cards(world.team)[0]

    def test_it_goes_on_and_counts_anew(self, world: World, card: Message) -> None:
        done = press_continue(world, card, world.cleo)
        assert done.status_code == 200
        reply = Reply.objects.unfinished().get()
        assert (reply.depth, reply.root, reply.robot.user.handle) == (0, world.cleo, "ann")
        number = count(100)
        says = naming("ann", "bob")
        assert len(talk(lambda reply: f"{says(reply)} {next(number)}")) == 4
        assert len(cards(world.team)) == 2

    def test_messages_are_counted_anew_too(self, world: World, settings: Any) -> None:
        settings.CHAT_GUARD_PAIR = settings.CHAT_GUARD_DEPTH = 100
        seated(world, world.team, "cid", "dan")
        world.say(world.team, world.ben, "@cid begin")
        assert len(talk(naming("cid", "dan"))) == 12
        press_continue(world, cards(world.team)[0])
        assert len(talk(naming("cid", "dan"))) == 12

    def test_the_card_says_who(self, world: World, card: Message) -> None:
        data = press_continue(world, card, world.cleo).json()["data"]
        assert data["guard"]["continued_by"]["handle"] == "cleo"
        assert data["actions"] == [
            {
                "name": "continue",
                "label": "Continue",
                "enabled": False,
                "why_not": "Cleo let them go on.",
            }
        ]
        assert answered(press_continue(world, card))[1] == "action_unavailable"
        assert Reply.objects.unfinished().count() == 1

    def test_only_once(self, world: World, card: Message) -> None:
        hold = Hold.objects.get(card=card)
        hold.release(by=world.ben)
        with pytest.raises(Hold.Released):
            hold.release(by=world.cleo)

    def test_who_may(self, world: World, card: Message) -> None:
        hold = Hold.objects.get(card=card)
        answers = world.answers(lambda person: hold.release(by=person))
        assert answers == expected(
            yes="ben cleo dee gus", forbidden="vic parrot", otherwise="not_found"
        )

    def test_not_in_a_closed_room(self, world: World, card: Message) -> None:
        world.team.close(by=world.ben)
        assert answered(press_continue(world, card)) == (409, "room_closed")

    def test_what_was_deleted_is_answered_by_nobody(self, world: World, card: Message) -> None:
        Hold.objects.get().summons.get().question.remove(by=world.ben)
        assert press_continue(world, card).status_code == 200
        assert not Reply.objects.unfinished().exists()

    def test_who_left_does_not_answer(self, world: World, card: Message) -> None:
        world.team.remove(Hold.objects.get().summons.get().robot.user, by=world.ben)
        assert press_continue(world, card).status_code == 200
        assert not Reply.objects.unfinished().exists()

    def test_a_whispers_card_is_for_who_heard_it(self, world: World) -> None:
        cid, dan = seated(world, world.team, "cid", "dan")
        world.whisper(world.team, world.cleo, cid.user, dan.user, body="@cid begin")
        talk(naming("cid", "dan"))
        hold = Hold.objects.get()
        answers = world.answers(lambda person: hold.release(by=person))
        assert answers == expected(yes="cleo", otherwise="not_found")

    def test_in_a_support_room_it_is_for_the_staff(self, world: World) -> None:
        cid, dan = seated(world, world.support, "cid", "dan")
        world.whisper(world.support, world.ada, cid.user, dan.user, body="@cid begin")
        talk(naming("cid", "dan"))
        hold = Hold.objects.get()
        answers = world.answers(lambda person: hold.release(by=person))
        assert answers == expected(yes="ada sue", otherwise="not_found")


def test_more_of_the_same_is_held_on_the_same_card(world: World) -> None:
    seated(world, world.team, "ann", "bob", "eve")
    world.say(world.team, world.ben, "@robots begin")
    number = count()
    talk(lambda reply: f"@robots number {next(number)}")
    (card,) = cards(world.team)
    assert Hold.objects.get().summons.count() > 1
    press_continue(world, card)
    assert Reply.objects.unfinished().count() > 1


def test_whoever_asks_itself_is_not_let_through(world: World) -> None:
    (ann,) = seated(world, world.team, "ann")
    world.say(world.team, world.ben, "@ann begin")
    said = answer(Reply.objects.get(), "I ask myself")
    myself = Summons(robot=ann, question=said, cause=Cause.NAMED, root=world.ben, depth=1)
    assert guard.admit([myself]) == []
    assert cards(world.team) == []


def test_people_are_never_held_and_cost_the_guard_nothing(
    world: World, django_assert_num_queries: Any
) -> None:
    seated(world, world.team, "ann", "bob")
    world.say(world.team, world.ben, "@ann begin")
    talk(naming("ann", "bob"))
    with django_assert_num_queries(0):
        guard.admit([])
    world.say(world.team, world.ben, "@ann @bob and you?")
    assert Reply.objects.unfinished().count() == 2


def test_a_guard_that_fails_lets_nobody_through(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        Reply.objects.raw("SELECT nonsense")[0]

    seated(world, world.team, "ann", "bob")
    world.say(world.team, world.ben, "@ann begin")
    monkeypatch.setattr(guard.Talk, "weigh", fail)
    assert talk(naming("ann", "bob")) == ["ann"]
    said = Reply.objects.get().message
    assert said is not None
    assert said.status == Message.Status.COMPLETE
    assert "loop guard failed" in caplog.text
    world.say(world.team, world.ben, "@bob you are asked by a person")
    assert Reply.objects.unfinished().count() == 1
