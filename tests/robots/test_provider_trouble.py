"""Whatever a provider does: what is asked again, what the row says, and what the room shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import pytest
from django.conf import LazySettings
from django.test import Client

from messages.models import Message
from robots.llm import KINDS
from robots.models import Reply
from tests.robots.provider import Provider, Request, Script
from tests.robots.workers import ask, ended, seat
from tests.world import World

pytestmark = pytest.mark.usefixtures("worker")

WHOLE = "Hello from the provider, word by word."
HALF = "Hello from the"


@dataclass(frozen=True)
class Trouble:
    """What the scripted provider does, by the name of a model, and what comes of it."""

    model: str
    code: str
    asked: int = 1
    """Requests that the provider sees for one answer."""
    apart: float = 0
    """Seconds that lie between them at least."""
    kept: str = ""
    """The text that stays in the room."""
    limit: str = ""
    """The setting that ends the waiting: it alone is so short that a test can see it through."""


TROUBLES = [
    Trouble("busy", "rate_limited", asked=3),
    Trouble("busy-a-moment", "rate_limited", asked=3, apart=0.3),
    Trouble("busy-for-long", "rate_limited"),
    Trouble("broken", "provider_down", asked=3),
    Trouble("cut-first", "provider_down", asked=3),
    Trouble("hang-first", "timeout", asked=3, limit="CHAT_REPLY_FIRST_TOKEN_TIMEOUT"),
    Trouble("html", "bad_answer", asked=3),
    Trouble("not-json", "bad_answer", asked=3),
    Trouble("empty", "empty_answer", asked=3),
    Trouble("hang-middle", "timeout", kept=HALF, limit="CHAT_REPLY_SILENCE_TIMEOUT"),
    Trouble("cut-middle", "cut_off", kept=HALF),
    Trouble("no-finish", "cut_off", kept=WHOLE),
    Trouble("no-end", "cut_off", kept=WHOLE),
    Trouble("too-long", "too_long", kept=WHOLE),
    Trouble("overflow", "context_overflow", asked=2),
    Trouble("bad-key", "bad_key"),
    Trouble("unknown", "unknown_model"),
    Trouble("bad-request", "bad_request"),
    Trouble("filtered", "refused"),
    Trouble("filtered-middle", "refused", kept=WHOLE),
]


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.model)
def test_trouble(
    trouble: Trouble, world: World, provider: Provider, settings: LazySettings
) -> None:
    settings.CHAT_REPLY_BACKOFF = timedelta(seconds=0.01)
    if trouble.limit:
        setattr(settings, trouble.limit, timedelta(seconds=1))
    seat(world, provider, trouble.model)
    reply = ended(ask(world.team, "@echo hello", by=world.ben))
    assert_asked(provider.asked(trouble.model), trouble)
    assert_row(reply, trouble)
    assert_room(reply, trouble, world)
    assert_page(reply, trouble, world)
    world.team.messages.post("The room goes on.", by=world.cleo)


def assert_asked(requests: list[Request], trouble: Trouble) -> None:
    assert len(requests) == trouble.asked
    assert all(later.at - earlier.at >= trouble.apart for earlier, later in pairwise(requests))


def assert_row(reply: Reply, trouble: Trouble) -> None:
    assert (reply.state, reply.error_code) == (Reply.State.FAILED, trouble.code)
    assert reply.error_message == KINDS[trouble.code].message
    assert reply.ended_at
    assert reply.lease_until is None
    assert (reply.ttft_ms is not None) == bool(trouble.kept)
    assert bool(reply.tokens_out) == bool(trouble.kept)
    assert reply.model == f"openai/{trouble.model}"


def assert_room(reply: Reply, trouble: Trouble, world: World) -> None:
    """The message, as whoever reads the room by program is told it."""
    client = Client()
    client.force_login(world.cleo)
    told = client.get(f"/api/v1/messages/{reply.message_id}/").json()
    assert (told["status"], told["body"]) == (Message.Status.FAILED, trouble.kept)
    error = {"code": trouble.code, "message": KINDS[trouble.code].message}
    assert (told["data"]["reply"]["state"], told["data"]["reply"]["error"]) == ("failed", error)
    offered = [action["name"] for action in told["data"]["actions"]]
    assert offered == (["retry", "continue"] if trouble.kept else ["retry"])


def assert_page(reply: Reply, trouble: Trouble, world: World) -> None:
    client = Client()
    client.force_login(world.cleo)
    page = client.get(f"/rooms/{world.team.pk}/").content.decode()
    assert KINDS[trouble.code].message.replace("'", "&#x27;") in page
    assert "Traceback" not in page


def test_a_provider_that_recovers_is_not_noticed(world: World, provider: Provider) -> None:
    seat(world, provider, "recovering")
    busy = Script(status=429, error="rate_limit_exceeded", retry_after="0.3")
    provider.script("recovering", busy, Script(status=500), Script(text="Here I am."))
    reply = ended(ask(world.team, "@echo hello", by=world.ben))
    assert (reply.state, reply.message.body) == (Reply.State.DONE, "Here I am.")
    first, second, _ = provider.asked("recovering")
    assert second.at - first.at >= 0.3


@pytest.mark.parametrize("trouble", ["bad-key", "busy-for-long", "unknown", "overflow"])
def test_another_model_answers_where_the_first_cannot(
    world: World, provider: Provider, trouble: str
) -> None:
    seat(world, provider, trouble, fallbacks=["openai/second"])
    provider.answers("second", "I stand in.")
    reply = ended(ask(world.team, "@echo hello", by=world.ben))
    assert (reply.state, reply.message.body) == (Reply.State.DONE, "I stand in.")
    assert reply.model == "openai/second"


def test_after_a_retry_all_is_well(world: World, provider: Provider) -> None:
    seat(world, provider, "once")
    provider.script("once", Script(cut="middle"), Script(text="Whole."))
    reply = ended(ask(world.team, "@echo hello", by=world.ben))
    assert reply.state == Reply.State.FAILED
    reply.retry(by=world.cleo)
    again = ended(reply)
    assert (again.pk, again.message_id, again.attempt) == (reply.pk, reply.message_id, 2)
    assert (again.state, again.message.body, again.error_code) == ("done", "Whole.", "")
