"""Each guarantee notices when it is broken: a sound outcome is spoilt in one way at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.faults.guarantees import Life, Outcome, Sample, breaches
from tests.faults.house import counted
from tests.faults.load import WHISPERED, Copy, Json, Post, named
from tests.faults.record import Reply, Row, Rows
from tests.faults.soak import sample

ADA, BEN, ROBOT, ROOM = 1, 2, 3, 7


def sound() -> Outcome:
    """Ada asks the robot, which answers; Ben says something to Ada alone, twice to himself."""
    asked = Post(ADA, ROOM, "@echo question-1", asks=True, client_id="a", message=11)
    whispered = Post(BEN, ROOM, "psst", to=[ADA], reply_to=11, client_id="b", message=13)
    alone = Post(BEN, ROOM, "a note", to=[BEN], client_id="c", message=14)
    posts = [asked, whispered, alone]
    note = Row(10, ROOM, ROBOT, "", 2, 1, "complete", "opened", "everyone", [], None)
    rows = [
        note,
        Row(11, ROOM, ADA, "a", 3, 1, "complete", asked.body, "everyone", [], None),
        Row(12, ROOM, ROBOT, "", 7, 2, "complete", "question-1 word1", "everyone", [], 11),
        Row(13, ROOM, BEN, "b", 5, 1, "complete", "psst", "only", [ADA], 11),
        Row(14, ROOM, BEN, "c", 6, 1, "complete", "a note", "only", [BEN], None),
    ]
    copies = {row.id: Copy(row.version, row.status, row.body) for row in rows}
    seen = {ADA: {pk: copies[pk] for pk in copies if pk != 14}, BEN: dict(copies)}
    return Outcome(
        posts=posts,
        refused=[],
        before=Rows(rooms={ROOM: 2}, messages=[note]),
        after=Rows({ROOM: 7}, rows, [Reply(11, 12, "done", 1, "")]),
        sent_again={post.client_id: post.message or 0 for post in posts},
        lives=[
            Life(user, {ROOM: dict(held)}, set(held), {whispered.marker})
            for user, held in seen.items()
        ],
        fresh={user: {ROOM: dict(held)} for user, held in seen.items()},
        answers={11: "question-1 word1"},
        files=1,
        memory=[(100, 110)],
    )


def refuse(outcome: Outcome) -> None:
    outcome.refused.append("Ada: no")


def leave_unanswered(outcome: Outcome) -> None:
    outcome.posts.append(Post(ADA, ROOM, "hello?", client_id="d"))


def lose(outcome: Outcome) -> None:
    del outcome.after.messages[3]


def double(outcome: Outcome) -> None:
    again = Row(15, ROOM, BEN, "b", 8, 1, "complete", "psst", "only", [ADA], 11)
    outcome.after.messages.append(again)


def garble(outcome: Outcome) -> None:
    outcome.after.messages[3].body = "pst"


def tell_it_to_others(outcome: Outcome) -> None:
    outcome.after.messages[3].to = [ADA, ROBOT]


def forget_what_it_answers(outcome: Outcome) -> None:
    outcome.after.messages[3].reply_to = None


def forget_that_it_was_said(outcome: Outcome) -> None:
    outcome.sent_again["b"] = 16


def invent(outcome: Outcome) -> None:
    outcome.posts.pop()


def skip_a_revision(outcome: Outcome) -> None:
    outcome.after.rooms[ROOM] = 8


def take_a_revision_twice(outcome: Outcome) -> None:
    outcome.after.messages[4].revision = 5


def swap_revisions(outcome: Outcome) -> None:
    outcome.after.messages[3].revision, outcome.after.messages[4].revision = 6, 5


def swap_what_was_said(outcome: Outcome) -> None:
    outcome.posts[1], outcome.posts[2] = outcome.posts[2], outcome.posts[1]


def miss(outcome: Outcome) -> None:
    del outcome.lives[0].held[ROOM][13]


def hold_what_was_before(outcome: Outcome) -> None:
    outcome.lives[0].held[ROOM][12] = Copy(1, "streaming", "question-1")


def hide_from_newcomers(outcome: Outcome) -> None:
    for copies in (outcome.fresh[ADA], outcome.lives[0].held):
        del copies[ROOM][13]


def tell_of_a_whisper(outcome: Outcome) -> None:
    outcome.lives[0].told.add(14)


def hear(outcome: Outcome, frame: Json) -> None:
    """Ada, whom the third post is not for."""
    outcome.lives[0].told.update(named(frame))
    outcome.lives[0].whispers.update(WHISPERED.findall(json.dumps(frame)))


def quote_a_whisper(outcome: Outcome) -> None:
    quoting = {"id": 13, "audience": "only", "reply_to": {"id": 14, "excerpt": "a"}}
    hear(outcome, {"type": "messages", "messages": [quoting]})


def write_on_in_a_whisper(outcome: Outcome) -> None:
    hear(outcome, {"type": "delta", "message": 14, "text": "more"})


def notify_of_a_whisper(outcome: Outcome) -> None:
    hear(outcome, {"type": "notification", "notification": {"id": 1, "message": 14}})


def show_a_sidebar_beside_a_whisper(outcome: Outcome) -> None:
    hear(outcome, {"type": "joined", "sidebars": [{"id": 8, "anchor": 14, "last": None}]})


def say_how_far_a_whisper_was_read(outcome: Outcome) -> None:
    hear(outcome, {"type": "joined", "reads": [{"user": BEN, "message": 14}]})


def let_a_word_slip(outcome: Outcome) -> None:
    note = outcome.posts[2]
    note.client_id = outcome.after.messages[4].client_id = str(uuid4())
    hear(outcome, {"type": "room", "changed": {"name": f"about {note.marker}"}})


def leave_an_answer_queued(outcome: Outcome) -> None:
    outcome.after.replies[0].state = "queued"


def be_late(outcome: Outcome) -> None:
    outcome.unfinished = 1


def leave_a_message_streaming(outcome: Outcome) -> None:
    outcome.after.messages[2].status = "streaming"


def answer_twice(outcome: Outcome) -> None:
    again = Row(15, ROOM, ROBOT, "", 8, 1, "complete", "question-1 word1", "everyone", [], 11)
    outcome.after.messages.append(again)


def ask_again(outcome: Outcome) -> None:
    outcome.answers[15] = "question-2 word1"
    answer = Row(16, ROOM, ROBOT, "", 8, 2, "complete", "question-2 word1", "everyone", [], 15)
    outcome.after.messages.append(answer)
    outcome.after.replies.append(Reply(15, 16, "done", 1, ""))


def answer_nobody(outcome: Outcome) -> None:
    ask_again(outcome)
    del outcome.after.replies[0]


def say_a_word_twice(outcome: Outcome) -> None:
    outcome.after.messages[2].body = "question-1 word1 word1"


def break_off_with_other_words(outcome: Outcome) -> None:
    ask_again(outcome)
    outcome.after.replies[0].state = "failed"
    outcome.after.messages[2].body = "question-2"


def fail_every_answer(outcome: Outcome) -> None:
    outcome.after.replies[0].state = "failed"


def break_a_file(outcome: Outcome) -> None:
    outcome.broken_files.append("file.bin: 404")


def leak(outcome: Outcome) -> None:
    outcome.memory[0] = (100, 200)


def hold_a_connection(outcome: Outcome) -> None:
    outcome.connections = 1


def count_a_socket(outcome: Outcome) -> None:
    outcome.sockets = 1


def grow(outcome: Outcome) -> None:
    outcome.samples = [Sample(n, 9, 5.0, 9.0, [100 + 2 * n]) for n in range(40)]


def grow_beside(outcome: Outcome) -> None:
    outcome.samples = [Sample(n, 9, 5.0, 9.0, [100, 100 + 2 * n]) for n in range(40)]


def slow_down(outcome: Outcome) -> None:
    outcome.samples = [Sample(n, 9, 5.0 + n, 9.0, [100]) for n in range(40)]


def stutter(outcome: Outcome) -> None:
    outcome.samples = [Sample(n, 9, 5.0, 9.0 if n < 20 else 99.0, [100]) for n in range(40)]


def stand_still(outcome: Outcome) -> None:
    outcome.samples = [sample(n, [0.005] * (n % 40 != 30), [100]) for n in range(40)]


def be_over_at_once(outcome: Outcome) -> None:
    outcome.samples = [Sample(n, 9, 5.0, 9.0, [100]) for n in range(7)]


def broken(outcome: Outcome) -> set[str]:
    return {name for name, cases in breaches(outcome).items() if cases}


def test_what_is_sound_breaks_nothing() -> None:
    assert broken(sound()) == set()
    soaked = sound()
    soaked.samples = [Sample(n, 9, 5.0, 9.0, [100]) for n in range(40)]
    assert broken(soaked) == set()


def forget_the_quiet_day(outcome: Outcome) -> None:
    outcome.memory.clear()


def whisper_nothing(outcome: Outcome) -> None:
    del outcome.posts[1:]


def ask_nothing(outcome: Outcome) -> None:
    outcome.answers.clear()


def send_no_file(outcome: Outcome) -> None:
    outcome.files = 0


@pytest.mark.parametrize(
    ("guarantee", "take_away"),
    [
        ("memory", forget_the_quiet_day),
        ("discreet", whisper_nothing),
        ("answers end", ask_nothing),
        ("one answer", ask_nothing),
        ("files whole", send_no_file),
    ],
)
def test_a_guarantee_of_nothing_is_not_asked(
    guarantee: str, take_away: Callable[[Outcome], None]
) -> None:
    outcome = sound()
    assert guarantee in breaches(outcome)
    take_away(outcome)
    assert guarantee not in breaches(outcome)


@pytest.mark.parametrize(
    ("guarantee", "spoil"),
    [
        ("answered", refuse),
        ("answered", leave_unanswered),
        ("there once", lose),
        ("there once", double),
        ("there once", garble),
        ("there once", tell_it_to_others),
        ("there once", forget_what_it_answers),
        ("there once", forget_that_it_was_said),
        ("there once", invent),
        ("in order", skip_a_revision),
        ("in order", take_a_revision_twice),
        ("in order", swap_revisions),
        ("in order", swap_what_was_said),
        ("same for all", miss),
        ("same for all", hold_what_was_before),
        ("same for all", hide_from_newcomers),
        ("discreet", tell_of_a_whisper),
        ("discreet", quote_a_whisper),
        ("discreet", write_on_in_a_whisper),
        ("discreet", notify_of_a_whisper),
        ("discreet", show_a_sidebar_beside_a_whisper),
        ("discreet", say_how_far_a_whisper_was_read),
        ("discreet", let_a_word_slip),
        ("answers end", leave_an_answer_queued),
        ("answers end", be_late),
        ("answers end", leave_a_message_streaming),
        ("one answer", answer_twice),
        ("one answer", answer_nobody),
        ("one answer", say_a_word_twice),
        ("one answer", break_off_with_other_words),
        ("one answer", fail_every_answer),
        ("files whole", break_a_file),
        ("memory", leak),
        ("sockets", hold_a_connection),
        ("sockets", count_a_socket),
        ("flat memory", grow),
        ("flat memory", grow_beside),
        ("flat latency", slow_down),
        ("flat latency", stutter),
        ("flat latency", stand_still),
        ("flat memory", be_over_at_once),
        ("flat latency", be_over_at_once),
    ],
)
def test_a_broken_guarantee_is_told(guarantee: str, spoil: Callable[[Outcome], None]) -> None:
    outcome = sound()
    spoil(outcome)
    assert guarantee in broken(outcome)


def test_sockets_are_counted_only_where_a_server_tells_them() -> None:
    assert counted("# TYPE chat_sockets gauge\nchat_sockets 3.0\n") == 3
    with pytest.raises(ValueError, match="no chat_sockets"):
        counted("Not found")


def test_the_one_post_of_a_sample_is_its_latency() -> None:
    assert sample(1, [0.005], [100])[:4] == (1, 1, 5.0, 5.0)
