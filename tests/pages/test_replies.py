"""Robots' answers as pages show them, and what people do about them without a script."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from messages.encoding import encode_for
from messages.models import Message
from messages.rendering import article
from messages.timeline import with_names
from robots.models import Reply, Robot, RobotSeat
from robots.outcome import Outcome
from tests.pages.test_messages import statuses, wanted
from tests.world import World, again

Browse = Callable[[User], Client]


@pytest.fixture
def echo(world: World) -> Robot:
    robot: Robot = Robot.objects.add("echo", "Echo", by=world.ada, model="builtin/parrot")
    RobotSeat.objects.seat(robot, world.team, by=world.ben)
    return robot


@pytest.fixture
def reply(world: World, echo: Robot) -> Reply:
    """One that a worker has begun to write."""
    world.say(world.team, world.cleo, "@echo hello")
    taken = Reply.objects.take(Reply.objects.get().pk, worker="w")
    assert taken is not None
    taken.begin_streaming(ttft_ms=1234)
    return taken


def shown(world: World, reply: Reply) -> str:
    message = Message.objects.with_people().get(pk=reply.message_id)
    (encoded,) = with_names(encode_for(world.cleo, [message]))
    return article(encoded)


def ended(reply: Reply, text: str = "Hello!", error: str = "") -> Reply:
    outcome = Outcome(
        text=text,
        error=error,
        sentence="The model took too long." if error else "",
        tokens_in=120,
        tokens_out=8,
        cost=Decimal("0.0123"),
        model="openai/gpt-4o-mini",
    )
    assert reply.finish(outcome)
    return again(reply)


def test_an_answer_that_is_written_is_busy_and_can_be_stopped(world: World, reply: Reply) -> None:
    html = shown(world, reply)
    assert 'aria-busy="true"' in html
    assert "Thinking" in html
    assert "data-stop" in html
    assert "data-writing" not in html
    Message.objects.filter(pk=reply.message_id).update(body="So **far**")
    html = shown(world, reply)
    assert "data-writing" in html
    assert "<strong>far</strong>" in html
    assert "Reload the page" in html
    done = shown(world, ended(reply))
    for gone in ("aria-busy", "data-stop", "Thinking", "Reload"):
        assert gone not in done


def test_what_it_took_is_told_on_the_answer(world: World, reply: Reply) -> None:
    html = shown(world, ended(reply))
    for fact in ("openai/gpt-4o-mini", "1.2 s", "120 in, 8 out", "$0.012"):
        assert fact in html
    assert f'popovertarget="facts-{reply.message_id}"' in html


def test_a_price_that_is_not_known_is_no_price(world: World, reply: Reply) -> None:
    assert reply.finish(Outcome(text="Hello", model="own/model"))
    assert "unknown" in shown(world, again(reply))


def test_who_stopped_it_is_named(world: World, reply: Reply) -> None:
    reply.stop(by=world.ben)
    html = shown(world, ended(reply))
    assert "Stopped by Ben" in html
    assert 'data-action="retry"' in html
    assert 'data-action="continue"' in html


def test_what_went_wrong_is_said_in_a_sentence(world: World, reply: Reply) -> None:
    html = shown(world, ended(reply, "Hel", error="timeout"))
    assert "The model took too long." in html
    assert 'data-action="retry"' in html


def test_a_robot_with_nothing_to_say_says_so(world: World, reply: Reply) -> None:
    assert reply.decline(Outcome(text=""))
    assert "Echo had nothing to add." in shown(world, again(reply))


def test_a_deleted_answer_tells_nothing_of_itself(world: World, reply: Reply) -> None:
    message = Message.objects.get(pk=ended(reply).message_id)
    message.remove(by=world.ben)
    html = shown(world, reply)
    assert "gpt-4o-mini" not in html
    assert "was deleted" in html


def test_who_writes_and_sees_it_stops_it(world: World, browse: Browse, reply: Reply) -> None:
    for name, person in world.people.items():
        if name in ("vic", "otto", "root", "ada", "carl"):
            answer = browse(person).post(f"/messages/{reply.message_id}/stop/")
            assert answer.status_code == (403 if name == "vic" else 404)
    assert again(reply).stop_requested_at is None
    page = browse(world.cleo).get(f"/messages/{reply.message_id}/").text
    assert f"/messages/{reply.message_id}/stop/" in page
    assert (
        f"/messages/{reply.message_id}/stop/"
        not in browse(world.vic).get(f"/messages/{reply.message_id}/").text
    )
    browse(world.cleo).post(f"/messages/{reply.message_id}/stop/")
    assert again(reply).stopped_by == world.cleo


def test_an_answer_is_retried_and_continued(world: World, browse: Browse, reply: Reply) -> None:
    early = browse(world.ben).post(f"/messages/{reply.message_id}/retry/", follow=True)
    assert "still writing" in early.text
    ended(reply, "Hel", error="timeout")
    browse(world.ben).post(f"/messages/{reply.message_id}/continue/")
    going = again(reply)
    assert (going.attempt, going.state, going.message.body) == (2, "queued", "Hel")
    browse(world.ben).post(f"/messages/{reply.message_id}/stop/")
    browse(world.ben).post(f"/messages/{reply.message_id}/retry/")
    assert (again(reply).attempt, again(reply).message.body) == (3, "")


def test_links_alone_change_nothing(world: World, browse: Browse, reply: Reply) -> None:
    for deed in ("stop", "retry", "continue"):
        assert browse(world.ben).get(f"/messages/{reply.message_id}/{deed}/").status_code == 405


def test_who_is_in_charge_chooses_who_answers(world: World, browse: Browse, echo: Robot) -> None:
    question = world.say(world.team, world.cleo, "Who knows?")
    path = f"/messages/{question.pk}/ask/"
    found = statuses(world, browse, lambda client: client.get(path))
    assert found == wanted(s200="ben cleo gus", s403="vic", otherwise="s404")
    in_support = world.say(world.support, world.carl, "Help?")
    path = f"/messages/{in_support.pk}/ask/"
    found = statuses(world, browse, lambda client: client.get(path))
    assert found == wanted(s200="ada sue", otherwise="s404")


def test_the_likely_ones_come_first(world: World, browse: Browse, echo: Robot) -> None:
    gardener = Robot.objects.add(
        "flora", "Flora", by=world.ada, model="builtin/parrot", persona="You know roses and soil."
    )
    RobotSeat.objects.seat(gardener, world.team, by=world.ben)
    question = world.say(world.team, world.cleo, "Why do my roses fade?")
    page = browse(world.ben).get(f"/messages/{question.pk}/ask/").text
    assert page.index("Flora") < page.index("Echo", page.index("Who shall answer"))
    # What it has in common with a persona is for those who may read personas.
    assert "roses" not in page[page.index("Who shall answer") :]


def test_those_chosen_answer(world: World, browse: Browse, echo: Robot) -> None:
    question = world.say(world.team, world.cleo, "Who knows?")
    path = f"/messages/{question.pk}/ask/"
    nobody = browse(world.ben).post(path, {})
    assert nobody.status_code == 400
    assert "Choose at least one." in nobody.text
    stranger = Robot.objects.add("far", "Far", by=world.ada, model="builtin/parrot")
    assert browse(world.ben).post(path, {"robots": [stranger.pk]}).status_code == 400
    assert browse(world.vic).post(path, {"robots": [echo.pk]}).status_code == 403
    assert not Reply.objects.exists()
    assert browse(world.ben).post(path, {"robots": [echo.pk]}).status_code == 302
    asked = Reply.objects.get()
    assert (asked.robot, asked.question, asked.root) == (echo, question, world.ben)
