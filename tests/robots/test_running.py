"""From a question to its answer, in the worker inside the server."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from threading import Event
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone
from prometheus_client import REGISTRY

from live import streams
from live.streams import Delta
from messages.models import Message
from robots import checkpoints, runner, tokens, upstream
from robots.checkpoints import Checkpoint
from robots.models import Reply
from robots.models.replies import ReplyManager
from robots.outcome import Outcome
from robots.writer import Fate, Writer
from rooms.models import Room
from tests.process import PATIENCE, wait_for
from tests.robots.provider import Provider, Script
from tests.robots.test_context import said_by_many
from tests.robots.workers import as_it_is, ask, body_of, ended, seat, written
from tests.world import World

State = Reply.State


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


@pytest.fixture
def deltas(monkeypatch: pytest.MonkeyPatch) -> list[list[Delta]]:
    """What was published, call by call: the way out of this process."""
    published: list[list[Delta]] = []
    monkeypatch.setattr(streams, "publish", lambda some: some and published.append(list(some)))
    return published


def figure(name: str, **labels: str) -> float:
    """As /metrics tells it."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.usefixtures("worker")
class TestAnAnswer:
    def test_a_question_is_answered(self, world: World, provider: Provider) -> None:
        seat(world, provider, "fine")
        provider.answers("fine", "Nice to *meet* you.")
        reply = ended(ask(world.team, "@echo hello", by=world.ben))
        assert (reply.state, reply.error_code) == (State.DONE, "")
        message = reply.message
        assert (message.status, message.body) == ("complete", "Nice to *meet* you.")
        assert "<em>meet</em>" in message.html
        told = message.data["reply"]
        assert (told["state"], told["attempt"]) == ("done", 1)
        assert told["tokens_in"] > 0
        assert told["tokens_out"] == 4
        assert told["ttft_ms"] is not None
        assert reply.model == "openai/fine"
        assert reply.lease_until is None

    def test_a_clock_that_was_set_back_meanwhile_costs_no_answer(
        self, world: World, provider: Provider
    ) -> None:
        seat(world, provider, "fine")
        with transaction.atomic():
            reply = ask(world.team, "@echo hello", by=world.ben)
            Reply.objects.filter(pk=reply.pk).update(queued_at=timezone.now() + timedelta(hours=1))
        reply = ended(reply)
        assert (reply.state, reply.ttft_ms) == (State.DONE, 0)

    def test_a_database_that_is_away_for_a_moment_delays_it_by_no_more(
        self, world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No sweeper runs here that would tell of it again."""
        seat(world, provider, "fine")
        take, failures = ReplyManager.take, iter([True, True])

        def away(replies: ReplyManager, pk: int, *, worker: str) -> Reply | None:
            if next(failures, False):
                raise OperationalError("the pool is closed")
            return take(replies, pk, worker=worker)

        monkeypatch.setattr(ReplyManager, "take", away)
        assert ended(ask(world.team, "@echo hello", by=world.ben)).state == State.DONE

    def test_operators_are_told_of_it_but_not_what_was_said(
        self, world: World, provider: Provider, caplog: pytest.LogCaptureFixture
    ) -> None:
        seat(world, provider, "fine")
        provider.answers("fine", "My lips are sealed.")
        before = figure("chat_replies_total", state="done")
        with caplog.at_level(logging.INFO, "robots"):
            reply = ended(ask(world.team, "@echo a secret", by=world.ben))
            wait_for(lambda: figure("chat_replies_total", state="done") == before + 1)
        (line,) = [r.getMessage() for r in caplog.records if "reply_ended" in r.getMessage()]
        assert f"'reply': {reply.pk}" in line
        assert f"'read': {reply.tokens_in}, 'written': 4" in line
        assert "'state': 'done'" in line
        assert "secret" not in caplog.text
        assert "sealed" not in caplog.text
        wait_for(lambda: figure("chat_replies_running") == 0)

    def test_what_was_told_piece_by_piece_is_what_is_kept(
        self, world: World, provider: Provider, deltas: list[list[Delta]]
    ) -> None:
        seat(world, provider, "slow")
        text = " ".join(f"word{n} ünd 🦜" for n in range(40))
        provider.answers("slow", text, pace=100)
        reply = ended(ask(world.team, "@echo go on", by=world.ben))
        told = [delta for some in deltas for delta in some]
        assert len(told) > 2
        sofar = ""
        for delta in told:
            assert (delta.message, delta.attempt) == (reply.message_id, 1)
            assert delta.offset == len(sofar)
            sofar += delta.text
        assert text.startswith(sofar)
        assert reply.message.body == text

    def test_it_is_told_twenty_times_a_second_at_most(
        self,
        world: World,
        provider: Provider,
        deltas: list[list[Delta]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Once a beat; and a beat is a twentieth of a second, of which some may be missed."""
        beats: list[int] = []

        async def beat() -> None:
            beats.append(int(asyncio.get_running_loop().time() * 20))
            await upstream.beat()

        monkeypatch.setattr(runner, "upstream", SimpleNamespace(beat=beat))
        seat(world, provider, "quick")
        provider.answers("quick", "word " * 300, pace=200)
        assert ended(ask(world.team, "@echo go on", by=world.ben)).state == State.DONE
        assert len(beats) == len(set(beats))
        first_word = 1
        assert 2 < len(deltas) <= len(beats) + first_word

    def test_the_text_is_kept_while_it_is_written(self, world: World, provider: Provider) -> None:
        seat(world, provider, "slow")
        text, kept = " ".join(["word"] * 100), Event()
        provider.answers("slow", text, hang="middle", until=kept)
        reply = ask(world.team, "@echo go on", by=world.ben)
        revision = Room.objects.get(pk=world.team.pk).revision
        partial = written(reply).message
        assert (partial.status, partial.revision) == ("streaming", revision)
        assert text.startswith(partial.body)
        assert partial.data["reply"]["state"] == "streaming"
        kept.set()
        assert ended(reply).message.body == text

    def test_what_could_not_be_kept_is_kept_later(
        self, world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where not a word comes meanwhile."""
        seat(world, provider, "slow")
        go_on, failures = Event(), iter([True, True])
        keep = checkpoints.keep

        def busy(some: Sequence[Checkpoint]) -> None:
            if next(failures, False):
                raise OperationalError("locked")
            keep(some)

        monkeypatch.setattr(checkpoints, "keep", busy)
        provider.answers("slow", "one two three four", hang="middle", until=go_on)
        reply = ask(world.team, "@echo go on", by=world.ben)
        wait_for(lambda: body_of(reply) == "one two")
        assert list(failures) == []
        go_on.set()
        assert ended(reply).state == State.DONE

    def test_whoever_declines_unasked_is_never_seen(
        self, world: World, provider: Provider, deltas: list[list[Delta]]
    ) -> None:
        seat(world, provider, "silent", trigger="always")
        provider.answers("silent", "NO_REPLY")
        reply = ended(ask(world.team, "just talking", by=world.ben))
        assert (reply.state, reply.message) == (State.DECLINED, None)
        assert (reply.tokens_out, deltas) == (1, [])

    def test_whoever_speaks_unasked_is_seen_from_the_first_word(
        self, world: World, provider: Provider
    ) -> None:
        seat(world, provider, "chatty", trigger="always")
        provider.answers("chatty", "NO_REPLYING is what I do.")
        reply = ended(ask(world.team, "just talking", by=world.ben))
        assert reply.state == State.DONE
        assert reply.message.body == "NO_REPLYING is what I do."

    def test_whoever_was_named_may_say_anything(self, world: World, provider: Provider) -> None:
        seat(world, provider, "literal")
        provider.answers("literal", "NO_REPLY")
        reply = ended(ask(world.team, "@echo say it", by=world.ben))
        assert (reply.state, reply.message.body) == (State.DONE, "NO_REPLY")

    def test_what_no_database_takes_is_left_out(self, world: World, provider: Provider) -> None:
        seat(world, provider, "odd")
        provider.answers("odd", "a\0b c\0")
        reply = ended(ask(world.team, "@echo odd", by=world.ben))
        assert (reply.state, reply.message.body) == (State.DONE, "ab c")

    def test_an_answer_ends_where_a_message_ends(
        self, world: World, provider: Provider, deltas: list[list[Delta]]
    ) -> None:
        seat(world, provider, "endless")
        longest = settings.CHAT_MESSAGE_MAX_LENGTH
        provider.answers("endless", "endless " * longest, pace=5_000)
        reply = ended(ask(world.team, "@echo never stop", by=world.ben))
        assert (reply.state, reply.error_code) == (State.FAILED, "too_long")
        assert len(reply.message.body) == longest
        assert max(d.offset + len(d.text) for some in deltas for d in some) <= longest
        (request,) = provider.asked("endless")
        wait_for(lambda: request.gone)
        assert reply.tokens_out > 0

    def test_continuing_goes_on_where_it_ended(
        self, world: World, provider: Provider, deltas: list[list[Delta]]
    ) -> None:
        seat(world, provider, "twice")
        provider.script("twice", Script(text="One, two,", finish="length"), Script(text=" three."))
        reply = ended(ask(world.team, "@echo count", by=world.ben))
        assert (reply.state, reply.error_code) == (State.FAILED, "too_long")
        first = reply.tokens_out
        deltas.clear()
        reply.go_on(by=world.cleo)
        reply = ended(reply)
        assert (reply.state, reply.attempt) == (State.DONE, 2)
        assert reply.message.body == "One, two, three."
        assert reply.tokens_out > first
        assert {(d.attempt, d.offset) for some in deltas for d in some} <= {(2, 9)}

    def test_where_nothing_is_left_to_say_it_is_done(
        self, world: World, provider: Provider
    ) -> None:
        """It was stopped after its last word."""
        seat(world, provider, "", model="builtin/parrot")
        reply = ended(ask(world.team, "@echo one two", by=world.ben))
        Reply.objects.update(state=State.STOPPED)
        as_it_is(reply).go_on(by=world.cleo)
        reply = ended(reply)
        assert (reply.state, reply.attempt, reply.error_code) == (State.DONE, 2, "")
        assert reply.message.body == "one two"


@pytest.mark.usefixtures("worker")
class TestWhatGoesWrong:
    def test_a_failure_is_told_in_words(self, world: World, provider: Provider) -> None:
        seat(world, provider, "bad-key")
        reply = ended(ask(world.team, "@echo hello", by=world.ben))
        assert (reply.state, reply.error_code) == (State.FAILED, "bad_key")
        told = reply.message.data["reply"]["error"]
        assert told["code"] == "bad_key"
        assert told["message"] == reply.error_message != ""
        assert [action["name"] for action in reply.message.data["actions"]] == ["retry"]

    def test_what_came_before_it_broke_off_stays(self, world: World, provider: Provider) -> None:
        seat(world, provider, "cut-middle")
        reply = ended(ask(world.team, "@echo hello", by=world.ben))
        assert (reply.state, reply.error_code) == (State.FAILED, "cut_off")
        assert reply.message.body.startswith("Hello from")
        assert reply.tokens_out > 0
        names = [action["name"] for action in reply.message.data["actions"]]
        assert names == ["retry", "continue"]

    def test_a_window_too_small_is_tried_with_less(self, world: World, provider: Provider) -> None:
        for number in range(30):
            world.team.messages.post(f"{number} " + "many words " * 40, by=world.ben)
        seat(world, provider, "small")
        overflow = Script(status=400, error="context_length_exceeded")
        provider.script("small", overflow, Script(text="That fits."))
        reply = ended(ask(world.team, "@echo sum it up", by=world.ben))
        assert (reply.state, reply.message.body) == (State.DONE, "That fits.")
        first, second = provider.asked("small")
        assert len(str(second.body["messages"])) < len(str(first.body["messages"])) * 0.9

    def test_what_is_too_much_twice_fails(self, world: World, provider: Provider) -> None:
        seat(world, provider, "overflow")
        reply = ended(ask(world.team, "@echo hello", by=world.ben))
        assert (reply.state, reply.error_code) == (State.FAILED, "context_overflow")
        assert len(provider.asked("overflow")) == 2

    def test_a_robot_switched_off_says_so(self, world: World, provider: Provider) -> None:
        robot = seat(world, provider, "fine")
        robot.update(by=world.ada, enabled=False)
        reply = ended(ask(world.team, "@echo hello", by=world.ben))
        assert (reply.state, reply.error_code) == (State.FAILED, "disabled")
        assert provider.requests == []

    def test_whoever_was_not_asked_does_not_say_why_it_is_silent(
        self, world: World, provider: Provider
    ) -> None:
        seat(world, provider, "fine", trigger="always", daily_tokens=0)
        reply = ended(ask(world.team, "just talking", by=world.ben))
        assert (reply.state, reply.message) == (State.DECLINED, None)
        assert reply.error_code == "budget_spent"

    def test_what_nobody_thought_of_is_logged_without_a_word_of_the_room(
        self,
        world: World,
        provider: Provider,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        seat(world, provider, "fine")

        def explode(call: object) -> object:
            raise RuntimeError(f"cannot ask {call}")

        monkeypatch.setattr("robots.llm.Answer", explode)
        reply = ended(ask(world.team, "@echo a secret", by=world.ben))
        assert (reply.state, reply.error_code) == (State.FAILED, "unexpected")
        (record,) = [r for r in caplog.records if "reply_went_wrong" in r.getMessage()]
        assert f"'reply': {reply.pk}" in record.getMessage()
        assert "secret" not in caplog.text

    def test_an_answer_is_not_lost_because_a_lock_was_not_had(
        self, world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seat(world, provider, "fine")
        provider.answers("fine", "Here I am.")
        finish, failures = Message.finish, iter([True, True])

        def busy(self: Message, *args: object, **kwargs: object) -> None:
            finish(self, *args, **kwargs)
            if next(failures, False):
                raise OperationalError("canceling statement due to lock timeout")

        monkeypatch.setattr(Message, "finish", busy)
        reply = ended(ask(world.team, "@echo hello", by=world.ben))
        assert (reply.state, reply.message.body) == (State.DONE, "Here I am.")
        assert reply.tokens_out == 3

    def test_no_two_threads_are_at_one_reply(
        self, world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is stopped at the moment its first word is noted."""
        seat(world, provider, "slow")
        provider.answers("slow", "one two three " * 50, pace=20)
        begun, noted = Event(), Event()
        order = []

        def begin_streaming(self: Reply, **ttft: int) -> bool:
            begun.set()
            noted.wait(PATIENCE)
            order.append("begun")
            return really_begin(self, **ttft)

        def finish(self: Reply, outcome: Outcome) -> bool:
            order.append("finished")
            return really_finish(self, outcome)

        really_begin, really_finish = Reply.begin_streaming, Reply.finish
        monkeypatch.setattr(Reply, "begin_streaming", begin_streaming)
        monkeypatch.setattr(Reply, "finish", finish)
        reply = ask(world.team, "@echo hello", by=world.ben)
        assert begun.wait(PATIENCE)
        reply.stop(by=world.ben)
        wait_for(lambda: [w for w in runner._running()._writers if w.fate is Fate.STOPPED])
        noted.set()
        assert ended(reply).state == State.STOPPED
        assert order == ["begun", "finished"]

    def test_a_stop_ends_it_whatever_holds_its_reading_up(
        self, world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seat(world, provider, "slow")
        provider.answers("slow", "one two three " * 50, pace=20)
        begun, held, really_begin = Event(), Event(), Reply.begin_streaming

        def begin_streaming(self: Reply, **ttft: int) -> bool:
            begun.set()
            held.wait(PATIENCE)
            return really_begin(self, **ttft)

        monkeypatch.setattr(Reply, "begin_streaming", begin_streaming)
        reply = ask(world.team, "@echo hello", by=world.ben)
        assert begun.wait(PATIENCE)
        reply.stop(by=world.ben)
        here = runner._running()
        wait_for(lambda: [w for w in here._writers if w.fate is Fate.STOPPED])
        mine = Reply.objects.filter(pk=reply.pk)
        gone = timezone.now()
        mine.update(lease_until=gone)
        asyncio.run_coroutine_threadsafe(here._renew(), here._loop).result()
        assert mine.get().lease_until == gone
        Reply.objects.sweep()
        assert ended(reply).state == State.STOPPED
        held.set()
        wait_for(lambda: not here._writers)
        assert ended(reply).state == State.STOPPED

    def test_nobody_else_ends_what_is_being_ended(
        self, world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it has taken is known to its writer alone, however long that has to wait."""
        seat(world, provider, "slow")
        provider.answers("slow", "one two three " * 50, pace=20)
        held, outcome = Event(), Writer._outcome

        def late(self: Writer, code: str, sentence: str) -> Outcome:
            held.wait(PATIENCE)
            return outcome(self, code, sentence)

        monkeypatch.setattr(Writer, "_outcome", late)
        reply = written(ask(world.team, "@echo hello", by=world.ben), 1)
        reply.stop(by=world.ben)
        here = runner._running()
        wait_for(lambda: [w for w in here._writers if w.over])
        Reply.objects.filter(pk=reply.pk).update(lease_until=timezone.now())
        asyncio.run_coroutine_threadsafe(here._renew(), here._loop).result()
        Reply.objects.sweep()
        assert not as_it_is(reply).is_over
        held.set()
        over = ended(reply)
        assert over.state == State.STOPPED
        assert over.tokens_out


@pytest.mark.usefixtures("worker")
class TestALongRoom:
    WINDOW = 4_096

    def test_each_answer_takes_one_summary_at_most_and_fits(
        self, world: World, provider: Provider
    ) -> None:
        seat(world, provider, "elder", context_window=self.WINDOW, max_tokens=500)
        provider.answers("elder", lambda r: "RECORD" if "keep the record" in str(r.body) else "Aye")
        said_by_many(world.team, world, 5_000)
        asked = [self.asked(world, provider, more) for more in (0, 1, 100, 1_000)]
        assert asked == [2, 1, 2, 2]

    def asked(self, world: World, provider: Provider, more: int) -> int:
        """How many requests an answer took, once so much more had been said."""
        said_by_many(world.team, world, more)
        before = len(provider.requests)
        reply = ended(ask(world.team, "@echo what do you say?", by=world.ben))
        assert (reply.state, reply.message.body, reply.notice) == (State.DONE, "Aye", "")
        requests = provider.requests[before:]
        for request in requests:
            sent = tokens.count_messages(request.body["messages"])
            assert sent + request.body["max_tokens"] <= self.WINDOW
        return len(requests)


@pytest.mark.usefixtures("worker")
class TestMany:
    def test_fifty_at_once(self, world: World, provider: Provider) -> None:
        all_asked = Event()
        provider.answers("many", "word " * 60, pace=60, hang="middle", until=all_asked)
        for number in range(50):
            seat(world, provider, "many", handle=f"bot{number}")
        question = world.team.messages.post("@robots all of you", by=world.ben)
        replies = list(Reply.objects.filter(question=question))
        assert len(replies) == 50
        wait_for(lambda: len(provider.asked("many")) == 50)
        assert not [request for request in provider.requests if request.finished]
        all_asked.set()
        for reply in replies:
            assert ended(reply).state == State.DONE, reply.error_message

    def test_questions_are_answered_in_their_order(self, world: World, provider: Provider) -> None:
        seat(world, provider, "order")
        provider.answers("order", lambda r: "to " + re.findall(r"no\d", str(r.body))[-1], pace=30)
        replies = [ask(world.team, f"@echo no{n}", by=world.ben) for n in range(4)]
        over = [ended(reply) for reply in replies]
        assert [reply.message.body for reply in over] == [f"to no{n}" for n in range(4)]
        for earlier, later in pairwise(over):
            assert earlier.ended_at <= later.started_at

    def test_a_worker_writes_no_more_than_it_may(
        self, world: World, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from robots.runner import Runner

        monkeypatch.setattr(settings, "CHAT_REPLIES_PER_WORKER", 3)
        small = Runner()
        monkeypatch.setattr("robots.runner._current", small)
        small.start()
        three = Event()
        provider.answers("few", "one two three", hang="middle", until=three)
        for number in range(9):
            seat(world, provider, "few", handle=f"bot{number}")
        question = world.team.messages.post("@robots", by=world.ben)
        replies = Reply.objects.filter(question=question)
        most = 0

        def over() -> bool:
            nonlocal most
            most = max(most, replies.running().count())
            return not replies.unfinished().exists()

        wait_for(lambda: len(provider.asked("few")) == 3 and not over())
        three.set()
        wait_for(over)
        assert most == 3
        assert {reply.state for reply in replies} == {State.DONE}
        small.stop()
