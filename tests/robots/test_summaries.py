"""What no longer fits is summarised: for each room and audience, by the robot's own model."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from live import database
from messages.models import Message
from robots import context, prompts
from robots.models import Reply, Robot, Summary
from rooms.models import Room
from tests.robots.provider import Provider, Request
from tests.robots.telling import answered, prepare, reply_to, seated, words
from tests.world import World, again, expected

WINDOW = 2_000


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    yield World()
    database.close()


@pytest.fixture
def muse(world: World, provider: Provider) -> Robot:
    """A robot with a small window, whose summaries name every number it was told."""
    provider.answers("muse", lambda request: recorded(request))
    return seated(world, world.team, provider=provider, context_window=WINDOW, max_tokens=200)


def recorded(request: Request) -> str:
    text = " ".join(message["content"] for message in request.body["messages"])
    assert "keep the record" in text, "asked for something else than a summary"
    numbers = set(re.findall(r"#\d+", text))
    return f"RECORD of {len(numbers)} {' '.join(sorted(numbers))}"[:400]


def meddling(meddle: Callable[[], object]) -> Callable[[Request], str]:
    """Records what was asked, after something else has happened meanwhile."""

    def meddle_in_a_thread() -> None:
        meddle()
        connection.close()

    def answer(request: Request) -> str:
        meddler = Thread(target=meddle_in_a_thread)
        meddler.start()
        meddler.join()
        return recorded(request)

    return answer


def chat(world: World, room: Room, count: int, start: int = 0, **how: Any) -> list[Message]:
    """So many messages of about 40 tokens, numbered."""
    speakers = [world.ben, world.cleo] if room == world.team else [world.carl, world.ada]
    return [
        world.say(room, speakers[number % 2], f"#{number} " + "lamp " * 25, **how)
        for number in range(start, start + count)
    ]


def ask(world: World, **how: Any) -> Reply:
    question = world.say(world.team, world.ben, "@muse?", **how)
    return reply_to(question)


def heard(world: World, **how: Any) -> str:
    """All that the robot was told for an answer, which it then gave."""
    reply = ask(world, **how)
    text = words(reply)
    answered(reply)
    return text


def test_what_does_not_fit_is_summarised_once(
    world: World, muse: Robot, provider: Provider
) -> None:
    chat(world, world.team, 40)
    reply = ask(world)
    prepared = prepare(reply)
    text = "\n".join(message["content"] for message in prepared.call.messages)
    assert text.count("RECORD of") == 1
    assert "(@cleo): #39" in text
    assert "(@cleo): #1 " not in text
    assert len(provider.asked("muse")) == 1
    assert prepared.notice == ""
    prepare(reply)
    assert len(provider.asked("muse")) == 1


def test_what_a_summary_takes_is_spent_whatever_comes_of_the_answer(
    world: World, muse: Robot, provider: Provider
) -> None:
    chat(world, world.team, 40)
    reply, asked = ask(world), []

    provider.answers("muse", meddling(lambda: again(world.team).close(by=world.ben)))
    with pytest.raises(context.Unanswerable, match="room_closed"):
        asyncio.run(context.prepare(reply, asked))
    (summing_up,) = asked
    assert summing_up.usage.tokens_in
    assert summing_up.usage.tokens_out


def test_it_is_rolled_on_with_what_was_said_since(
    world: World, muse: Robot, provider: Provider
) -> None:
    chat(world, world.team, 40)
    heard(world)
    first = Summary.objects.get()
    chat(world, world.team, 8, start=40)
    heard(world)
    assert again(first).upto == first.upto  # it still fits
    chat(world, world.team, 20, start=48)
    heard(world)
    second = Summary.objects.get()
    assert second.upto > first.upto
    _, asked = provider.asked("muse")
    text = asked.body["messages"][1]["content"]
    assert f"{prompts.RECORDED_SO_FAR}\n{first.body}" in text
    assert "(@ben): #0 " not in text


def test_a_room_of_five_thousand_messages_is_answered_with_one_call(
    world: World, provider: Provider
) -> None:
    from tests.robots.test_context import said_by_many

    provider.answers("muse", "RECORD")
    seated(world, world.team, provider=provider, context_window=4_096)
    said_by_many(world.team, world, 5_000)
    reply = ask(world)
    prepared = prepare(reply)
    text = "\n".join(message["content"] for message in prepared.call.messages)
    assert len(provider.asked("muse")) == 1
    assert f"{prompts.LEFT_OUT}\n\n{prompts.RECORDED}\nRECORD\n\n" in text
    assert "number 4999" in text
    assert prepared.notice == ""
    said_by_many(world.team, world, 1_000)
    for _ in range(3):
        prepare(reply)
    assert len(provider.asked("muse")) == 2, "it converges"


def test_where_it_fails_the_oldest_is_left_out_and_people_are_told(
    world: World, muse: Robot, provider: Provider
) -> None:
    provider.answers("muse", "", status=401, error="invalid_api_key")
    chat(world, world.team, 60)
    prepared = prepare(ask(world))
    text = "\n".join(message["content"] for message in prepared.call.messages)
    assert prepared.notice == prompts.NOT_SUMMARISED
    assert prompts.LEFT_OUT in text
    assert "#59 " in text
    assert "#0 " not in text
    assert not Summary.objects.exists()


def test_one_that_grows_too_long_is_cut(world: World, muse: Robot, provider: Provider) -> None:
    provider.answers("muse", "RECORD " * 2_000, finish="length")
    chat(world, world.team, 40)
    assert prepare(ask(world)).notice == ""
    summary = Summary.objects.get()
    assert summary.body.endswith(" […]")
    assert summary.tokens <= WINDOW // 5


def test_robots_of_ours_and_second_tries_leave_out(
    world: World, muse: Robot, provider: Provider
) -> None:
    chat(world, world.team, 60)
    prepared = prepare(ask(world), window=1_000)
    assert provider.asked("muse") == []
    assert prepared.notice == prompts.NOT_SUMMARISED
    muse.update(by=world.root, model="builtin/parrot")
    assert prepare(ask(world)).notice == ""
    assert provider.asked("muse") == []


# What it rests on


@pytest.fixture
def summarised(world: World, muse: Robot) -> list[Message]:
    messages = chat(world, world.team, 40)
    heard(world)
    assert Summary.objects.get().body
    return messages


def stale(world: World) -> bool:
    summary = Summary.objects.get()
    assert bool(summary.body) != summary.stale
    return bool(summary.stale)


def test_editing_beneath_it_makes_it_anew(world: World, summarised: list[Message]) -> None:
    summarised[0].edit("It was #777", by=world.ben)
    assert stale(world)
    heard(world)
    assert not stale(world)
    assert "#777" in Summary.objects.get().body
    assert "#0 " not in Summary.objects.get().body


def test_what_becomes_later_of_what_was_edited_does_not_touch_it(
    world: World, summarised: list[Message]
) -> None:
    summarised[0].edit("It was #777", by=world.ben)
    heard(world)
    again(summarised[0]).react("👍", by=world.cleo)
    assert not stale(world)
    assert "#777" in Summary.objects.get().body


def test_of_what_is_deleted_no_word_stays(world: World, summarised: list[Message]) -> None:
    assert "#3 " in Summary.objects.get().body
    summarised[3].remove(by=world.cleo)
    assert stale(world)
    assert "#3 " not in heard(world)
    assert "#3 " not in Summary.objects.get().body


def test_what_comes_after_it_does_not_touch_it(world: World, summarised: list[Message]) -> None:
    summarised[-1].edit("different", by=world.cleo)
    summarised[-2].remove(by=world.ben)
    summarised[0].react("👍", by=world.cleo)
    assert "#0 " in heard(world)
    assert not stale(world)


def test_a_whisper_does_not_touch_what_rests_on_what_everybody_hears(
    world: World, muse: Robot
) -> None:
    whisper = world.whisper(world.team, world.ben, world.cleo)
    chat(world, world.team, 40)
    prepare(ask(world))
    whisper.remove(by=world.ben)
    assert not stale(world)


def test_an_answer_written_anew_beneath_it_makes_it_anew(world: World, muse: Robot) -> None:
    reply = ask(world)
    taken = Reply.objects.take(reply.pk, worker="w")
    from robots.outcome import Outcome

    taken.finish(Outcome(text="#555 half", error="cut_off", sentence="It broke off."))
    chat(world, world.team, 40)
    prepare(ask(world))
    assert "#555" in Summary.objects.get().body
    taken.retry(by=world.ben)
    assert stale(world)


def test_what_changes_while_it_is_written_is_not_kept(
    world: World, muse: Robot, provider: Provider
) -> None:
    messages = chat(world, world.team, 40)

    provider.answers("muse", meddling(lambda: messages[25].remove(by=world.cleo)))
    prepared = prepare(ask(world))
    text = "\n".join(message["content"] for message in prepared.call.messages)
    assert "#25 " in recorded(provider.asked("muse")[0])
    assert "#25 " not in text
    assert again(messages[25]).deleted_at
    assert not Summary.objects.exists()
    assert prepared.notice == prompts.NOT_SUMMARISED


def test_what_is_still_being_written_is_not_passed_by(
    world: World, muse: Robot, provider: Provider
) -> None:
    other = seated(world, world.team, "echo")
    chat(world, world.team, 5)
    slow = world.say(world.team, world.ben, "@echo?")
    chat(world, world.team, 40, start=5)
    prepare(ask(world))
    assert Summary.objects.get().upto < reply_to(slow, other).message_id


# For whom it is


def test_each_audience_has_its_own(world: World, muse: Robot) -> None:
    chat(world, world.team, 20)
    answered(world.whisper(world.team, world.ben, muse.user, body="#900 SECRET"))
    answered(world.whisper(world.team, world.cleo, muse.user, body="#800 OF CLEO"))
    chat(world, world.team, 20, start=20)
    public = heard(world)
    mine = heard(world, audience="only", to=[muse.user])
    assert "#900" in mine
    assert "#800" not in mine
    assert "#900" not in public
    assert "#800" not in public
    keys = Summary.objects.order_by("pk").values_list("audience", "to", "robot")
    assert list(keys) == [("everyone", [], None), ("only", [world.ben.pk], muse.pk)]


def test_robots_share_what_rests_on_what_everybody_hears(
    world: World, summarised: list[Message], provider: Provider
) -> None:
    seated(world, world.team, "echo", provider=provider, context_window=WINDOW, max_tokens=200)
    question = world.say(world.team, world.ben, "@echo?")
    assert "RECORD of" in words(question)
    assert provider.asked("echo") == []


def test_it_is_not_told_to_who_does_not_hear_its_beginning(
    world: World, summarised: list[Message]
) -> None:
    before = Summary.objects.get()
    world.team.update(by=world.ben, history="joined")
    world.team.invite(world.otto, by=world.ben)
    chat(world, world.team, 2, start=60)
    text = heard(world)
    assert "RECORD of" not in text
    assert "#39" not in text
    assert "#61" in text
    chat(world, world.team, 40, start=62)
    text = heard(world)
    assert "RECORD of" in text
    assert "#39" not in text
    assert Summary.objects.get().after > before.upto


def test_it_is_read_by_who_manages_the_room(world: World, summarised: list[Message]) -> None:
    read = world.answers(lambda who: Summary.objects.readable(world.team, by=who)[0])
    assert read == expected(yes="ben", forbidden="cleo vic dee gus parrot", otherwise="not_found")
    assert Summary.objects.readable(world.team, by=world.ben, audience="only") == []
    world.team.update(by=world.ben, history="joined")
    world.team.invite(world.otto, by=world.ben)
    world.team.change_role(world.otto, "owner", by=world.ben)
    assert Summary.objects.readable(world.team, by=world.otto) == []


def test_whispers_are_read_in_summary_by_their_ends_alone(world: World, muse: Robot) -> None:
    chat(world, world.team, 40)
    for who in (world.ben, world.cleo):
        question = world.say(world.team, who, "well?", audience="only", to=[muse.user])
        prepare(question)
    (found,) = Summary.objects.readable(world.team, by=world.ben)
    assert found.to == [world.ben.pk]


def test_staff_read_those_of_a_support_room(world: World, provider: Provider) -> None:
    provider.answers("muse", recorded)
    seated(world, world.support, provider=provider, context_window=WINDOW, max_tokens=200)
    chat(world, world.support, 40)
    prepare(world.say(world.support, world.ada, "@muse?"))
    read = world.answers(lambda who: Summary.objects.readable(world.support, by=who)[0])
    assert read == expected(yes="ada sue", forbidden="carl dora parrot", otherwise="not_found")
    assert {summary.audience for summary in Summary.objects.all()} == {"staff"}


def test_it_goes_with_its_room(world: World, summarised: list[Message]) -> None:
    Reply.objects.all().delete()
    Message.objects.filter(room=world.team).delete()
    Room.objects.filter(pk=world.team.pk).delete()
    assert not Summary.objects.exists()
