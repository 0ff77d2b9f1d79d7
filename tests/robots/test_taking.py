"""Who writes a reply: one worker, and for each robot one answer of a room at a time.

No worker of the server's runs here: it would take what these take themselves.
"""

from __future__ import annotations

import pytest
from django.db import OperationalError

from robots.models import Reply
from tests.race import race
from tests.robots.provider import Provider
from tests.robots.workers import as_it_is, ask, seat
from tests.world import World

State = Reply.State


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def test_a_reply_is_taken_by_one(world: World, provider: Provider) -> None:
    seat(world, provider, "fine")
    reply = ask(world.team, "@echo hello", by=world.ben)
    takes = [lambda n=n: Reply.objects.take(reply.pk, worker=f"w{n}") for n in range(8)]
    taken = [found for found in race(*takes) if found is not None]
    assert len(taken) == 1
    assert not isinstance(taken[0], Exception), taken


def test_what_fails_of_taking_it_has_not_happened(
    world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat(world, provider, "fine")
    reply = ask(world.team, "@echo hello", by=world.ben)
    begin = Reply.begin

    def begun_in_vain(reply: Reply, *, worker: str) -> bool:
        assert begin(reply, worker=worker)
        raise OperationalError("locked")

    with monkeypatch.context() as patched:
        patched.setattr(Reply, "begin", begun_in_vain)
        with pytest.raises(OperationalError):
            Reply.objects.take(reply.pk, worker="w")
    assert Reply.objects.take(reply.pk, worker="w") == reply


def test_what_fails_of_telling_it_is_no_failure(
    world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat(world, provider, "fine")
    reply = ask(world.team, "@echo hello", by=world.ben)

    def locked(reply: Reply) -> None:
        raise OperationalError("locked")

    monkeypatch.setattr(Reply, "tell_state", locked)
    assert Reply.objects.take(reply.pk, worker="w") == reply


def test_who_deletes_its_message_at_that_moment_does_not_wait_for_it(
    world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat(world, provider, "fine")
    reply = ask(world.team, "@echo hello", by=world.ben)
    tell, removed = Reply.tell_state, []

    def telling(taken: Reply) -> None:
        removed.extend(race(lambda: as_it_is(reply).message.remove(by=world.ben)))
        tell(taken)

    monkeypatch.setattr(Reply, "tell_state", telling)
    assert Reply.objects.take(reply.pk, worker="w") == reply
    assert removed == [None]
    message = as_it_is(reply).message
    assert (message.status, message.data) == ("stopped", {})


def test_a_robot_never_answers_two_questions_of_a_room_at_once(
    world: World, provider: Provider
) -> None:
    """Also where an old one is to be answered again at the moment a new one is taken."""
    seat(world, provider, "fine")
    for _ in range(5):
        old = ask(world.team, "@echo old", by=world.ben)
        old.stop(by=world.ben)
        new = ask(world.team, "@echo new", by=world.ben)
        raced = race(
            lambda old=old: (old.retry(by=world.ben), Reply.objects.take(old.pk, worker="a")),
            lambda new=new: Reply.objects.take(new.pk, worker="b"),
        )
        assert not [found for found in raced if isinstance(found, Exception)], raced
        assert Reply.objects.running().count() == 1
        Reply.objects.running().update(state=State.DONE)
        Reply.objects.update(state=State.DONE)
