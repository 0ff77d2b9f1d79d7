"""A model is asked over real HTTP, and every trouble of its provider has a code and a sentence."""

import asyncio
import gc
import json
import logging
import logging.config
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.conf import settings as conf

from accounts.errors import Invalid
from robots import keys, llm
from robots.llm import Answer, Call, Failed, complete
from tests.process import wait_for
from tests.robots.conftest import KEY, KEY_ENV
from tests.robots.provider import Provider, Request, Script

TEXT = "Hello from the provider, word by word."
FIRST, SILENCE = "CHAT_REPLY_FIRST_TOKEN_TIMEOUT", "CHAT_REPLY_SILENCE_TIMEOUT"
ALL = "CHAT_REPLY_TIMEOUT"


@pytest.fixture(autouse=True)
async def _impatient(settings: Any) -> AsyncIterator[None]:
    await llm._load()
    settings.CHAT_REPLY_BACKOFF = timedelta(seconds=0.01)
    yield
    await llm.hang_up()


def limit(settings: Any, name: str, seconds: float) -> None:
    setattr(settings, name, timedelta(seconds=seconds))


def call(provider: Provider, model: str, *fallbacks: str, **more: Any) -> Call:
    return Call(
        model=f"openai/{model}",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How are you?"},
        ],
        api_base=provider.url,
        key_env=KEY_ENV,
        fallbacks=tuple(f"openai/{name}" for name in fallbacks),
        **more,
    )


async def heard(answer: Answer) -> tuple[str, Failed | None]:
    """What came, and how it failed, if it did."""
    text = ""
    try:
        async with aclosing(answer.pieces()) as pieces:
            async for piece in pieces:
                text += piece
    except Failed as failed:
        return text, failed
    return text, None


async def until(question: Any) -> Any:
    return await asyncio.to_thread(wait_for, question)


# What goes well


async def test_an_answer_is_asked_for_and_heard(provider: Provider) -> None:
    answer = Answer(call(provider, "any", temperature=0.5, max_tokens=99))
    text, failed = await heard(answer)
    assert (text, failed) == (TEXT, None)
    assert answer.usage == (5, 7, None, "openai/any", True)
    assert answer.troubles == []
    (request,) = provider.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How are you?"},
    ]
    assert (request.body["temperature"], request.body["max_tokens"]) == (0.5, 99)
    assert request.body["stream"]
    assert request.headers["accept-encoding"] == "identity"


async def test_the_whole_answer_can_be_had_at_once(provider: Provider) -> None:
    text, usage = await complete(call(provider, "any"))
    assert text == TEXT
    assert usage.tokens_out == 7
    with pytest.raises(Failed):
        await complete(call(provider, "bad-key"))


async def test_words_come_as_they_are_said(provider: Provider) -> None:
    heard = Event()
    provider.answers("slow", "one two three four five six", hang="middle", until=heard)
    text = ""
    async for piece in Answer(call(provider, "slow")).pieces():
        text += piece
        if text == "one two three":
            heard.set()
    assert text == "one two three four five six"


async def test_letters_torn_on_the_way_are_whole(provider: Provider) -> None:
    assert await heard(Answer(call(provider, "torn"))) == ("Grüße, 世界 🦜 – ça va?", None)


async def test_what_the_provider_does_not_count_is_estimated(provider: Provider) -> None:
    provider.answers("any", TEXT, usage=False)
    answer = Answer(call(provider, "any"))
    await heard(answer)
    assert answer.usage.tokens_out == llm.tokens.count(TEXT)
    assert answer.usage.tokens_in == llm.tokens.count_messages(answer.call.messages)


async def test_a_known_price_is_told(provider: Provider) -> None:
    answer = Answer(call(provider, "gpt-4o-mini"))
    await heard(answer)
    assert answer.usage.cost == Decimal(5) * Decimal("0.15e-6") + 7 * Decimal("0.6e-6")


async def test_what_is_known_of_a_price_counts_also_where_not_all_of_it_is(
    provider: Provider,
) -> None:
    """A try of which nobody knows what it cost, and one that is on the list."""
    provider.script("unlisted", Script(text=""))
    answer = Answer(call(provider, "unlisted", "gpt-4o-mini"))
    await heard(answer)
    assert answer.usage.unpriced
    assert answer.usage.cost == llm._price("gpt-4o-mini", 5, 7)
    unknown = answer._tries[0].usage
    assert (unknown.cost, unknown.unpriced) == (None, True)
    assert llm.total([unknown, unknown]).cost is None


async def test_a_stream_that_finishes_needs_no_mark(provider: Provider) -> None:
    provider.answers("no-done", TEXT, done=False)
    assert await heard(Answer(call(provider, "no-done"))) == (TEXT, None)


# What goes wrong


@pytest.mark.parametrize(
    ("model", "code", "asked", "text"),
    [
        ("busy", "rate_limited", 3, ""),
        ("broken", "provider_down", 3, ""),
        ("cut-first", "provider_down", 3, ""),
        ("cut-middle", "cut_off", 1, "Hello from the"),
        ("html", "bad_answer", 3, ""),
        ("not-json", "bad_answer", 3, ""),
        ("empty", "empty_answer", 3, ""),
        ("no-finish", "cut_off", 1, TEXT),
        ("no-end", "cut_off", 1, TEXT),
        ("overflow", "context_overflow", 1, ""),
        ("bad-key", "bad_key", 1, ""),
        ("unknown", "unknown_model", 1, ""),
        ("bad-request", "bad_request", 1, ""),
        ("filtered", "refused", 1, ""),
        ("filtered-middle", "refused", 1, TEXT),
        ("too-long", "too_long", 1, TEXT),
    ],
)
async def test_every_trouble_has_a_code(
    provider: Provider, model: str, code: str, asked: int, text: str
) -> None:
    answer = Answer(call(provider, model))
    came, failed = await heard(answer)
    assert failed is not None
    assert (failed.code, came) == (code, text)
    assert len(provider.asked(model)) == asked
    assert (failed.message, failed.retryable) == llm.KINDS[code]
    assert str(failed) == failed.message
    assert failed.__cause__ is failed.__context__ is None


@pytest.mark.parametrize(
    ("model", "bound", "asked", "text"),
    [("hang-first", FIRST, 3, ""), ("hang-middle", SILENCE, 1, "Hello from the")],
)
async def test_silence_is_waited_for_in_bounds(
    provider: Provider, settings: Any, model: str, bound: str, asked: int, text: str
) -> None:
    limit(settings, bound, 1)
    start = time.monotonic()
    came, failed = await heard(Answer(call(provider, model)))
    assert asked <= time.monotonic() - start < 20, "and not for as long as is usual"
    assert failed is not None
    assert (failed.code, came) == ("timeout", text)
    requests = await until(lambda: provider.asked(model))
    assert len(requests) == asked
    await until(lambda: all(request.gone for request in requests))


async def test_there_is_a_time_for_it_all(provider: Provider, settings: Any) -> None:
    limit(settings, ALL, 4)
    provider.answers("endless", "word " * 10_000, pace=50)
    start = time.monotonic()
    came, failed = await heard(Answer(call(provider, "endless")))
    assert came
    assert failed is not None
    assert failed.code == "timeout"
    assert time.monotonic() - start >= 4


async def test_slow_words_are_no_silence(provider: Provider, settings: Any) -> None:
    """All of them take longer than silence may."""
    limit(settings, SILENCE, 4)
    text = " ".join(["word"] * 100)
    provider.answers("slow", text, pace=20)
    assert await heard(Answer(call(provider, "slow"))) == (text, None)


@pytest.mark.parametrize(("said", "code"), [("", "provider_down"), ("Hello", "cut_off")])
async def test_an_error_told_within_a_stream_is_no_answer(
    provider: Provider, said: str, code: str
) -> None:
    choice = {"index": 0, "delta": {"role": "assistant", "content": said}, "finish_reason": None}
    told = [{"id": "x", "choices": [choice]}, {"error": {"message": "overloaded", "code": 529}}]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in told)
    provider.answers("any", "", body=body, content_type="text/event-stream")
    came, failed = await heard(Answer(call(provider, "any")))
    assert failed is not None
    assert (came, failed.code) == (said, code)


async def test_signs_of_life_are_no_silence(provider: Provider, settings: Any) -> None:
    limit(settings, FIRST, 4)
    provider.answers("any", TEXT, thinking=5)
    assert await heard(Answer(call(provider, "any"))) == (TEXT, None)


async def test_nobody_at_the_address(provider: Provider) -> None:
    nowhere = Call(**{**asdict(call(provider, "any")), "api_base": "http://127.0.0.1:9/v1"})
    answer = Answer(nowhere)
    _, failed = await heard(answer)
    assert failed is not None
    assert failed.code == "provider_down"
    assert len(answer.troubles) == 3


async def test_a_model_of_no_known_provider_is_unknown() -> None:
    _, failed = await heard(Answer(Call(model="nonsense", messages=[])))
    assert failed is not None
    assert failed.code == "unknown_model"


# Trying again


async def test_a_short_trouble_is_not_noticed(provider: Provider) -> None:
    provider.script("any", Script(status=429), Script(status=500), Script(text="At last."))
    answer = Answer(call(provider, "any"))
    assert await heard(answer) == ("At last.", None)
    assert [trouble.code for trouble in answer.troubles] == ["rate_limited", "provider_down"]
    assert all(0.005 <= trouble.waited <= 0.02 for trouble in answer.troubles)
    assert answer.usage.tokens_out == 2


async def test_retry_after_is_honoured(provider: Provider) -> None:
    provider.script("any", Script(status=429, retry_after="0.3"), Script(text="At last."))
    answer = Answer(call(provider, "any"))
    assert await heard(answer) == ("At last.", None)
    assert answer.troubles == [("openai/any", "rate_limited", 0.3)]
    first, second = provider.requests
    assert second.at - first.at >= 0.3


async def test_a_long_retry_after_is_not_waited_for(provider: Provider) -> None:
    provider.script("any", Script(status=429, retry_after="21"))
    _, failed = await heard(Answer(call(provider, "any")))
    assert failed is not None
    assert (failed.code, failed.retry_after) == ("rate_limited", 21)
    text, _ = await heard(Answer(call(provider, "any", "other")))
    assert text == TEXT
    assert len(provider.asked("any")) == 2


def test_waits_double_up_to_eight_seconds(settings: Any) -> None:
    settings.CHAT_REPLY_BACKOFF = timedelta(seconds=0.5)
    for failures, most in [(0, 0.5), (1, 1), (2, 2), (9, 8)]:
        waits = [llm._backoff(failures) for _ in range(50)]
        assert most / 2 <= min(waits) < max(waits) <= most


async def test_one_who_stops_listening_is_not_answered_by_another(provider: Provider) -> None:
    text, failed = await heard(Answer(call(provider, "cut-middle", "other")))
    assert text == "Hello from the"
    assert failed is not None
    assert provider.asked("other") == []


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        *[("busy", 3), ("broken", 3), ("html", 3)],
        *[("bad-key", 1), ("unknown", 1), ("filtered", 1), ("bad-request", 1)],
    ],
)
async def test_a_fallback_stands_in(provider: Provider, model: str, asked: int) -> None:
    answer = Answer(call(provider, model, "bad-key", "other"))
    assert await heard(answer) == (TEXT, None)
    assert len(provider.asked(model)) == (asked if model != "bad-key" else 2)
    assert answer.usage.model == "openai/other"
    assert {request.headers["authorization"] for request in provider.requests} == {f"Bearer {KEY}"}


async def test_a_context_too_long_is_for_the_caller_to_shorten(provider: Provider) -> None:
    _, failed = await heard(Answer(call(provider, "overflow", "other")))
    assert failed is not None
    assert failed.code == "context_overflow"
    assert provider.asked("other") == []
    shortened = Answer(call(provider, "overflow", "other", shortened=True))
    assert await heard(shortened) == (TEXT, None)


async def test_a_fallback_of_another_provider_gets_neither_address_nor_key(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "sk-of-mistral")
    monkeypatch.setenv("MISTRAL_API_BASE", "http://127.0.0.1:9/v1")
    asking = call(provider, "bad-key")
    answer = Answer(Call(**{**asdict(asking), "fallbacks": ("mistral/mistral-tiny",)}))
    _, failed = await heard(answer)
    assert failed is not None
    assert failed.code == "provider_down"
    assert len(provider.requests) == 1


# Stopping


@pytest.mark.parametrize("model", ["endless", "hang-first", "hang-middle"])
async def test_closing_hangs_up(provider: Provider, settings: Any, model: str) -> None:
    """Nothing else would, for an hour."""
    for name in (FIRST, SILENCE, ALL):
        limit(settings, name, 3600)
    provider.answers("endless", "word " * 10_000, pace=50, hang="middle")
    answer = Answer(call(provider, model))
    heard = ""

    async def listen() -> None:
        nonlocal heard
        async with aclosing(answer.pieces()) as pieces:
            async for piece in pieces:
                heard += piece

    listening = asyncio.create_task(listen())
    (request,) = await until(lambda: provider.asked(model))
    if model != "hang-first":
        await until(lambda: heard)
    assert not request.gone
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    await until(lambda: request.gone)
    assert answer.usage.tokens_out == llm.tokens.count(heard)


async def test_closing_between_pieces_hangs_up(provider: Provider) -> None:
    provider.answers("endless", "word " * 10_000, pace=50)
    pieces = Answer(call(provider, "endless")).pieces()
    assert await anext(pieces)
    await pieces.aclose()
    (request,) = provider.requests
    await until(lambda: request.gone)


async def test_stopping_before_anything_was_asked_leaves_nothing_behind(
    provider: Provider,
) -> None:
    listening = asyncio.create_task(complete(call(provider, "hang-first")))
    await asyncio.sleep(0)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert [request for request in provider.requests if not request.gone] == []


async def test_connections_are_used_again(provider: Provider) -> None:
    for _ in range(3):
        await complete(call(provider, "any"))
    assert provider.accepted == 1


def test_every_loop_has_connections_of_its_own(provider: Provider) -> None:
    async def ask() -> str:
        text, _ = await complete(call(provider, "any"))
        await llm.hang_up()
        return text

    assert [asyncio.run(ask()) for _ in range(3)] == [TEXT] * 3
    assert provider.accepted == 3


async def test_many_answers_at_once(provider: Provider) -> None:
    def own(request: Request) -> str:
        return f"You said {request.question}"

    provider.answers("any", own, pace=200)
    asked = [
        Call(
            model="openai/any",
            messages=[{"role": "user", "content": f"number {number}"}],
            api_base=provider.url,
            key_env=KEY_ENV,
        )
        for number in range(30)
    ]
    answers = await asyncio.gather(*(complete(one) for one in asked))
    assert [text for text, _ in answers] == [f"You said number {n}" for n in range(30)]


# Keys


async def test_a_key_never_shows(
    provider: Provider, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    await llm._load()
    # As whoever sets Django up once more does.
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
    with caplog.at_level(logging.DEBUG):
        for model in ["any", "bad-key", "busy", "broken", "html", "cut-middle", "overflow"]:
            _, failed = await heard(Answer(call(provider, model)))
            assert failed is None or (KEY not in repr(failed) and "http" not in failed.message)
    shown = caplog.text + "".join(capfd.readouterr())
    assert "bad_key" in shown
    assert KEY not in shown
    assert "How are you?" not in shown
    assert TEXT not in shown


@pytest.mark.parametrize(
    "name",
    [
        *["SECRET_KEY", "DJANGO_SECRET_KEY", "CHAT_SOME_KEY", "DATABASE_URL"],
        *["PATH", "SOME_KEY\n", "some_key", "", "SOME_KEY="],
    ],
)
def test_the_servers_own_variables_are_no_keys(name: str) -> None:
    with pytest.raises(Invalid) as error:
        keys.must_be_nameable(name)
    assert error.value.details["key_env"]


def test_a_wider_pattern_does_not_give_the_servers_own_away(settings: Any) -> None:
    settings.CHAT_ROBOT_KEY_PATTERN = ".*"
    keys.must_be_nameable("SOME_PROVIDERS_TOKEN")
    for name in ["SECRET_KEY", "secret_key", "DATABASE_URL", "REDIS_URL", "CHAT_METRICS_TOKEN"]:
        with pytest.raises(Invalid):
            keys.must_be_nameable(name)


def test_what_the_settings_read_is_known() -> None:
    source = (Path(conf.BASE_DIR) / "chatmanager" / "settings.py").read_text()
    read = set(re.findall(r'\b(?:env\.\w+|seconds)\(\s*"([A-Z_]+)"', source))
    assert len(read) > 50
    # SECRET_KEY is read only where the data folder can be used, and is refused by name.
    assert read - {"SECRET_KEY"} <= conf.CHAT_VARIABLES_READ


@pytest.mark.parametrize("name", ["SECRET_KEY", "UNSET_ROBOT_KEY"])
async def test_a_key_is_checked_again_when_it_is_used(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SECRET_KEY", "the server's own")
    _, failed = await heard(Answer(Call(**{**asdict(call(provider, "any")), "key_env": name})))
    assert failed is not None
    assert failed.code == "bad_key"
    assert provider.requests == []


async def test_an_address_of_ones_own_gets_no_key_that_was_not_named(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-operator")
    assert await complete(Call(**{**asdict(call(provider, "any")), "key_env": ""}))
    assert "sk-of-the-operator" not in str(provider.requests[0].headers)


async def test_without_a_key_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    _, failed = await heard(Answer(Call(model="openai/gpt-4o", messages=[])))
    assert failed is not None
    assert failed.code == "bad_key"


# litellm


def test_the_providers_whose_models_agents_choose_are_known_and_told() -> None:
    litellm = llm._import()
    told = (conf.BASE_DIR / "docs/robots.md").read_text()
    for provider in conf.CHAT_ROBOT_PROVIDERS:
        assert provider in set(litellm.provider_list)
        assert re.search(rf"As it comes, these are .*\b{provider}\b", told)


def test_litellm_is_not_loaded_before_a_reply_runs() -> None:
    program = (
        "import django; django.setup(); import sys; from robots import llm;"
        "print('litellm' in sys.modules, 'aiohttp' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=conf.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["False", "False"]


async def test_what_litellm_brings_is_not_looked_through_for_garbage() -> None:
    await llm._load()
    assert gc.get_freeze_count() > 100_000


def test_loading_litellm_asks_the_network_for_nothing_and_says_nothing() -> None:
    program = """
import django; django.setup()
import asyncio, socket, sys
def refuse(*a, **k): raise AssertionError("the network was asked")
socket.socket.connect = socket.getaddrinfo = refuse
from robots import llm
asyncio.run(llm._load())
assert "litellm" in sys.modules
"""
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=conf.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (said.stdout, said.stderr) == ("", "")


def asdict(one: Call) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Call.__slots__}
