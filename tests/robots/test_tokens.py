"""Tokens are counted without a vocabulary, a little high."""

import random
import subprocess
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from robots import tokens, transcript
from robots.transcript import Line

ENGLISH = """\
When the first light came over the hills, nobody in the village had slept. The river had risen
through the night, quietly and without any hurry, and by morning it stood in the lower gardens.
People carried chairs, books and sleeping children up the lane, and talked about bread, about
boats, and about what their grandparents had done in such a year."""
GERMAN = """\
Als das erste Licht über die Hügel kam, hatte im Dorf niemand geschlafen. Der Fluss war die ganze
Nacht hindurch gestiegen, leise und ohne Eile, und am Morgen stand er in den unteren Gärten. Die
Leute trugen Stühle, Bücher und schlafende Kinder den Weg hinauf; man sprach über
Hochwasserschutzmaßnahmen und darüber, was die Großeltern in einem solchen Jahr getan hatten."""
CHINESE = """\
第一缕光照过山丘的时候，村里没有人睡着。河水整夜悄悄上涨，到了早晨已经漫进低处的园子。人们把椅子、书本和熟睡的孩子抬到巷子上面，\
谈论面包、船只，以及祖父母在这样的年份里做过什么。请在三个工作日之内提交报告，并说明预算与人员安排。"""
JAPANESE = """\
丘の上に最初の光が差したとき、村では誰も眠っていなかった。川は一晩中静かに増水し、朝には低い庭まで来ていた。\
人々は椅子や本や眠る子どもを運び上げた。データベースの設定を確認してください。"""
RUSSIAN = """\
Когда первый свет показался над холмами, в деревне никто не спал. Река поднималась всю ночь, тихо
и не спеша, и к утру стояла в нижних садах. Люди несли стулья, книги и спящих детей по улице."""
PYTHON = (Path(settings.BASE_DIR) / "live" / "hub.py").read_text()
SCRIPT = (Path(settings.BASE_DIR) / "live" / "layer.py").read_text()
MARKDOWN = (Path(settings.BASE_DIR) / "docs" / "operations.md").read_text()
JSON = '[{"id": 17, "name": "Ada", "body": "hello there", "at": "2026-01-02T03:04:05Z"}, null]' * 9


@pytest.fixture(scope="module")
def litellm() -> Any:
    from robots import llm

    return llm._import()


@pytest.mark.parametrize(
    "text",
    [ENGLISH, GERMAN, CHINESE, JAPANESE, RUSSIAN, PYTHON, SCRIPT, MARKDOWN, JSON],
    ids=["en", "de", "zh", "ja", "ru", "py", "py2", "md", "json"],
)
def test_no_model_of_the_older_kind_makes_more_of_it(litellm: Any, text: str) -> None:
    real = litellm.token_counter(model="gpt-4", text=text)
    assert 0.95 * real <= tokens.count(text) <= 1.6 * real


@pytest.mark.parametrize("text", [ENGLISH, GERMAN, CHINESE, PYTHON], ids=["en", "de", "zh", "py"])
def test_newer_models_make_not_much_less_of_it(litellm: Any, text: str) -> None:
    real = litellm.token_counter(model="gpt-4o", text=text)
    assert 0.95 * real <= tokens.count(text) <= 1.6 * real


@pytest.mark.parametrize(
    "text",
    ["🦜🎉😀👍🏽👩‍👩‍👧‍👦" * 10, "10.0.0.17 0x7f34d9688710 3.14159265 " * 10, "-" * 200],
)
def test_odd_text_is_not_far_too_low(litellm: Any, text: str) -> None:
    assert tokens.count(text) >= 0.9 * litellm.token_counter(model="gpt-4", text=text)


@pytest.mark.parametrize(
    "text",
    [
        *("\x1b" * 4000, "a\x7f" * 2000, "\a " * 500, "\r" * 500, "\n\v" * 500),
        *("x\n" + "\u2003" * 4000, "\n" + "\u3000" * 4000),
        *(" " * 4000, "\t" * 4000, "\n" * 4000, " \t" * 2000, "\n \t" * 1000, "\r\n" * 2000),
    ],
    ids=lambda text: ascii(text[:3]),
)
def test_nothing_that_is_not_seen_is_for_free(litellm: Any, text: str) -> None:
    assert tokens.count(text) >= 0.95 * litellm.token_counter(model="gpt-4", text=text)


def test_a_conversation_is_more_than_its_texts() -> None:
    messages = [{"role": "user", "content": ENGLISH}, {"role": "assistant", "content": "Yes."}]
    assert tokens.count("") == 0
    assert tokens.count_messages([]) == 3
    assert tokens.count_messages(messages) == tokens.count(ENGLISH) + tokens.count("Yes.") + 11


def test_more_text_is_never_fewer_tokens() -> None:
    counts = [tokens.count(GERMAN[:length]) for length in range(len(GERMAN))]
    assert counts == sorted(counts)


def test_counting_loads_no_vocabulary() -> None:
    program = "import sys; from robots import tokens; tokens.count('hello'); print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"litellm", "tiktoken", "tokenizers"}.intersection(said)


ALPHABET = "aBz09 .,[]{}|\t\n\r\x00\x1b\x7f ä\u00a0\u07ff\u3000春ß\ufeff🙂"


def test_what_is_not_counted_is_taken_for_no_less() -> None:
    rng = random.Random(7)  # for examples, not for secrets
    for length in (*range(12), 40, 400):
        for _ in range(200):
            some = rng.sample(ALPHABET, rng.randint(1, 4))
            text = "".join(rng.choices(some, k=length))
            assert tokens.count(text) <= tokens.at_most(text), repr(text)


@pytest.mark.parametrize("text", [ENGLISH, GERMAN, MARKDOWN])
def test_ordinary_words_are_taken_for_a_few_times_as_much(text: str) -> None:
    assert tokens.at_most(text) <= 5 * tokens.count(text)


@pytest.mark.parametrize("most", [0, 40, 90, 91, 92, 200, 100_000])
def test_as_much_fits_as_when_all_is_counted(most: int) -> None:
    lines = [Line("user", text) for text in (ENGLISH[:60], CHINESE[:9], "", GERMAN[:100]) * 3]
    costs = list(accumulate(line.cost for line in lines))
    taken, whole = transcript.fitting(lines, most)
    assert taken == lines[: sum(cost <= most for cost in costs)][::-1]
    assert whole == (costs[-1] <= most)


def test_nothing_is_counted_where_all_fits_by_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "count", lambda text: pytest.fail("counted"))
    lines = [Line("user", ENGLISH)] * 20
    assert transcript.fitting(lines, 10_000) == (lines, True)
    assert transcript.cut(ENGLISH, 500) == ENGLISH
