"""Robots that need no network."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings as conf

from live import database
from robots import builtin, llm
from robots.llm import Answer, Call, Passage, complete


@pytest.fixture(autouse=True)
def _at_once(settings: Any) -> Iterator[None]:
    settings.CHAT_PARROT_PACE = 10_000
    yield
    database.close()


def call(model: str, *said: str, **more: Any) -> Call:
    messages: list[llm.ChatMessage] = [{"role": "system", "content": "You are a bird."}]
    messages += [{"role": "user", "content": text} for text in said]
    return Call(model=model, messages=messages, **more)


@pytest.mark.parametrize(
    ("said", "repeated"),
    [
        ("Hello  there,\n\n*you*!", "Hello  there,\n\n*you*!"),
        ("Ada (@ada): Hello there", "Hello there"),
        ("Ada (@ada): @parrot hello", "hello"),
        ("Ada (@ada): @parrot, @robots: say @ben", "say @ben"),
        ("Ada (@ada): one\n\nBen Sharp (@ben): @parrot two\nlines", "two\nlines"),
        ("Note: this stays", "Note: this stays"),
        ("Ada (@ada): @parrot", "…"),
        ("", "…"),
    ],
)
async def test_the_parrot_says_what_was_said_last(said: str, repeated: str) -> None:
    text, _ = await complete(call("builtin/parrot", "before", said))
    assert text == repeated


@pytest.mark.parametrize(
    ("said", "rest"), [("one two", "  three"), ("one two  three", ""), ("uno", "one two  three")]
)
async def test_the_parrot_goes_on_where_it_broke_off(said: str, rest: str) -> None:
    asked = call("builtin/parrot", "one two  three")
    text, _ = await complete(replace(asked, said=said))
    assert text == rest


async def test_the_parrot_speaks_word_by_word() -> None:
    pieces = [piece async for piece in Answer(call("builtin/parrot", "one two  three")).pieces()]
    assert pieces == ["one", " two", "  three"]


async def test_the_pace_of_the_parrot_is_a_setting(settings: Any) -> None:
    settings.CHAT_PARROT_PACE = 20
    answer = Answer(call("builtin/parrot", "one two three four"))
    loop = __import__("asyncio").get_running_loop()
    start = loop.time()
    assert len([piece async for piece in answer.pieces()]) == 4
    assert loop.time() - start >= 0.15


async def test_what_a_builtin_takes_is_estimated_and_free() -> None:
    text, usage = await complete(call("builtin/parrot", "one two three"))
    assert usage.cost == Decimal(0)
    assert usage.model == "builtin/parrot"
    assert usage.tokens_out == llm.tokens.count(text) > 0
    assert (usage.tokens_in or 0) > (usage.tokens_out or 0)


async def test_an_unknown_builtin_is_an_unknown_model() -> None:
    with pytest.raises(llm.Failed) as failed:
        await complete(call("builtin/oracle", "hello"))
    assert failed.value.code == "unknown_model"
    assert not failed.value.retryable


async def test_a_builtin_stands_in_for_an_unknown_one() -> None:
    text, usage = await complete(call("builtin/oracle", "hello", fallbacks=("builtin/parrot",)))
    assert text == "hello"
    assert usage.model == "builtin/parrot"


async def test_the_librarian_quotes_what_it_found() -> None:
    asked: list[tuple[str, str]] = []

    def search(question: str) -> list[Passage]:
        asked.append((question, threading.current_thread().name))
        return [
            Passage("Ada Lovelace", "The key is\nunder the mat.", "/rooms/1/messages/7/"),
            Passage("Opening hours", "We open at nine.", ""),
        ]

    asked_it = call("builtin/librarian", "Ben (@ben): @lib where is the key?", search=search)
    answer = Answer(asked_it)
    pieces = [piece async for piece in answer.pieces()]
    assert asked[0][0] == "where is the key?"
    assert asked[0][1] != threading.current_thread().name
    assert len(pieces) == 3
    assert "".join(pieces) == (
        "This is what I found:\n\n"
        "> The key is\n> under the mat.\n>\n> — [Ada Lovelace](</rooms/1/messages/7/>)\n\n"
        "> We open at nine.\n>\n> — Opening hours"
    )
    rest, _ = await complete(replace(asked_it, said=pieces[0] + pieces[1]))
    assert rest == pieces[2]


async def test_the_librarian_says_when_it_finds_nothing() -> None:
    text, _ = await complete(call("builtin/librarian", "where?", search=lambda _: []))
    assert text == builtin.NOTHING_FOUND
    text, _ = await complete(call("builtin/librarian", "where?"))
    assert text == builtin.NO_SHELVES
    text, _ = await complete(call("builtin/librarian", "@lib", search=lambda _: []))
    assert text == builtin.NO_QUESTION


async def test_sources_do_not_break_out_of_their_link() -> None:
    found = [Passage("[x](evil) @everyone\n# hm", "text", "/a b/<c>")]
    text, _ = await complete(call("builtin/librarian", "what?", search=lambda _: found))
    assert text.endswith(r"> — [\[x\](evil) \@everyone \# hm](</ab/c>)")


async def test_long_passages_are_cut() -> None:
    found = [Passage("Ada", "word " * 1000, "")] * 9
    text, _ = await complete(call("builtin/librarian", "what?", search=lambda _: found))
    assert text.count("— Ada") == builtin.PASSAGES_MAX
    assert len(text) < builtin.PASSAGES_MAX * (builtin.PASSAGE_MAX + 50)


def test_a_builtin_answers_without_litellm() -> None:
    program = (
        "import django; django.setup(); import asyncio, sys; from robots import llm;"
        "call = llm.Call(model='builtin/parrot', messages=[{'role': 'user', 'content': 'hi'}]);"
        "print(asyncio.run(llm.complete(call))[0], 'litellm' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=conf.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["hi", "False"]
