"""What of a model's words is shown, and when."""

from __future__ import annotations

from itertools import pairwise

import hypothesis
import pytest
from django.conf import settings
from hypothesis import example, given
from hypothesis import strategies as st

from robots import goal
from robots.heard import Heard, TooLong
from robots.prompts import DECLINE


def hear(*pieces: str, so_far: str = "", may_decline: bool = True) -> Heard:
    heard = Heard(so_far, may_decline=may_decline)
    for piece in pieces:
        heard.add(piece)
    return heard


@pytest.mark.parametrize("pieces", [["NO_REPLY"], ["NO", "_REP", "LY"], ["\n NO_REPLY", " \n"]])
def test_a_decline_is_never_shown(pieces: list[str]) -> None:
    heard = hear(*pieces)
    heard.end()
    assert heard.declined
    assert (heard.text, heard.begun) == ("", False)


@pytest.mark.parametrize("pieces", [["NO"], ["NO_REPLY", "ING"], ["Well, NO_REPLY"], ["N", "o."]])
def test_what_only_begins_like_one_is_shown_whole(pieces: list[str]) -> None:
    heard = hear(*pieces)
    heard.end()
    assert not heard.declined
    assert heard.text == "".join(pieces)


def test_what_may_become_one_is_held_back() -> None:
    heard = hear("NO_R")
    assert (heard.text, heard.begun) == ("", False)
    heard.add("OOM")
    assert heard.text == "NO_ROOM"


def test_whoever_may_not_decline_is_shown_at_once() -> None:
    assert hear("NO", may_decline=False).text == "NO"


def test_an_answer_does_not_begin_with_blanks() -> None:
    assert hear("\n\n", "  Hello", "\n\n you").text == "Hello\n\n you"


def test_what_goes_on_may() -> None:
    assert hear("\n", "- two", so_far="- one", may_decline=False).text == "- one\n- two"


def test_what_goes_on_with_blanks_alone_says_nothing() -> None:
    heard = hear("\n", " \n", so_far="- one", may_decline=False)
    heard.end()
    assert (heard.text, heard.begun) == ("- one", False)


def test_what_is_no_text_is_left_out() -> None:
    assert hear("a\0b \ud83d", "\udc00 c 🦜").text == "ab  c 🦜"


def test_no_more_than_a_message_holds_is_taken() -> None:
    longest = settings.CHAT_MESSAGE_MAX_LENGTH
    heard = hear("x" * (longest - 1), may_decline=False)
    with pytest.raises(TooLong):
        heard.add("🦜z")
    assert heard.text.endswith("x🦜")
    assert len(heard.text) == longest
    with pytest.raises(TooLong):
        heard.add("z")
    assert len(heard.text) == longest


class TestTurns:
    """What a robot writes in a session, where it may end with the mark."""

    def hear(self, *pieces: str, so_far: str = "") -> Heard:
        heard = Heard(so_far, is_turn=True)
        for piece in pieces:
            heard.add(piece)
        return heard

    @pytest.mark.parametrize(
        "mark",
        [
            "\nGOAL_REACHED",
            "\n\n**GOAL_REACHED**\n",
            " \r\n \n`GOAL_REACHED`. \n\n",
            "\n_GOAL_REACHED_\t",
            "\n> \t**GOAL_REACHED!**",
            "\nGOAL_REACHED\n\nGOAL_REACHED",
        ],
    )
    def test_the_mark_is_never_shown(self, mark: str) -> None:
        heard = self.hear("Agreed", ": Tea.", *mark)
        assert heard.text == "Agreed: Tea."
        heard.end()
        assert (heard.text, heard.is_at_goal) == ("Agreed: Tea.", True)

    @pytest.mark.parametrize(
        "end",
        ["\nGOAL", "\nGOAL_REACHED now", "\nGOAL_REACHED\nNo.", " GOAL_REACHED", "\n**\n", "\n\n"],
    )
    def test_what_only_begins_like_it_is_shown_whole(self, end: str) -> None:
        heard = self.hear("Tea?", *end)
        heard.end()
        assert (heard.text, heard.is_at_goal) == (f"Tea?{end}", False)

    def test_it_may_be_all_that_is_said(self) -> None:
        heard = self.hear("GOAL_", "REACHED")
        heard.end()
        assert (heard.text, heard.begun, heard.is_at_goal) == ("", False, True)

    def test_what_was_held_when_it_broke_off_is_let_go_of(self) -> None:
        assert self.hear("Tea.", "\n\nGOAL_REA").text == "Tea."
        again = self.hear("\nGOAL_REACHED", so_far="Tea.")
        again.end()
        assert (again.text, again.is_at_goal) == ("Tea.", True)

    def test_what_was_shown_before_stays(self) -> None:
        again = self.hear("REACHED\n", so_far="Tea.\n\nGOAL_")
        again.end()
        assert again.text == "Tea.\n\nGOAL_"

    def test_outside_of_sessions_it_is_a_word_like_any_other(self) -> None:
        assert hear("Tea.", "\nGOAL_REACHED").text == "Tea.\nGOAL_REACHED"


MORSELS = st.sampled_from(
    [*"\n\n\r\t *`_.Gx", "GOAL_", "REACHED", goal.MARK, f"\n{goal.MARK}", "NO_", DECLINE, "Tea."]
)
TEXTS = st.lists(MORSELS, max_size=12).map("".join)
CUTS = st.sets(st.integers(1, 60)) | st.just(set(range(200)))
REST = (
    *(goal.MARK[start:] for start in range(len(goal.MARK))),
    *(DECLINE[start:] for start in range(len(DECLINE))),
    f"\n{goal.MARK}",
    "",
)
"""What may still come of what is held back so that it is not shown."""


@pytest.mark.parametrize("may_decline", [False, True])
@pytest.mark.parametrize("is_turn", [False, True])
class TestHoweverItComes:
    """Any text, in pieces of any length, goes on from any other."""

    @hypothesis.settings(max_examples=300)
    @given(text=TEXTS, so_far=st.just("") | TEXTS, cuts=CUTS)
    @example(text="x\nGOAL_REACHED\nGOAL_REACHED", so_far="", cuts=set(range(60)))
    @example(text="REACHED", so_far="x\nGOAL_", cuts=set())
    @example(text="\n\n", so_far="x", cuts={1})
    def test_what_is_shown_is_a_beginning_of_what_stays(
        self, text: str, so_far: str, cuts: set[int], may_decline: bool, is_turn: bool
    ) -> None:
        how = {"may_decline": may_decline, "is_turn": is_turn}
        heard, shown = Heard(so_far, **how), [so_far]
        for start, end in pairwise([0, *sorted(cuts), len(text) + 200]):
            heard.add(text[start:end])
            shown.append(heard.text)
        heard.end()
        assert [some for some in shown if not heard.text.startswith(some)] == []
        assert (heard.text, heard.is_at_goal) == what_stays(text, so_far, **how)

    @hypothesis.settings(max_examples=300)
    @given(text=TEXTS, so_far=st.just("") | TEXTS, cut=st.integers(0, 60))
    @example(text="x\n", so_far="", cut=1)
    def test_nothing_is_held_back_for_longer_than_must_be(
        self, text: str, so_far: str, cut: int, may_decline: bool, is_turn: bool
    ) -> None:
        how = {"may_decline": may_decline, "is_turn": is_turn}
        heard = Heard(so_far, **how)
        for piece in (text[:cut], text[cut:]):
            heard.add(piece)
        ends = {what_stays(text + rest, so_far, **how)[0] for rest in REST}
        assert heard.text == min(ends, key=len)


def what_stays(text: str, so_far: str, *, may_decline: bool, is_turn: bool) -> tuple[str, bool]:
    """What the whole comes to, and whether it ends at its goal."""
    said = text if so_far else text.lstrip()
    if not said.strip() or (may_decline and said.strip() == DECLINE):
        return so_far, False
    if not is_turn:
        return so_far + said, False
    rest, is_at_goal = goal.split(so_far + said)
    return max(so_far, rest, key=len), is_at_goal


@given(text=TEXTS)
def test_the_mark_never_ends_what_is_left(text: str) -> None:
    rest, was_there = goal.split(text)
    assert goal.split(rest) == (rest, False)
    assert was_there == (rest != text)
    last = text.rstrip().rpartition("\n")[2]
    assert was_there == (last.strip(" \t*`_.") == goal.MARK)
