"""What holds whatever breaks. Each is a question about what came of a load, and tells what is
broken: one sentence a case.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from tests.faults.load import Copy, Post
from tests.faults.record import OVER, Reply, Row, Rows

Copies = dict[int, dict[int, Copy]]
"""By room, the messages by id."""


@dataclass
class Life:
    """What a client holds that lived through it, and all that it was ever told of."""

    user: int
    held: Copies
    told: set[int]
    """Messages that were shown, quoted or named to it."""
    whispers: set[str]
    """Markers of those of whose text anything came to it."""


class Sample(NamedTuple):
    """Of some seconds of a soak."""

    at: int
    """Seconds from its beginning."""
    posts: int
    p50: float
    p99: float
    """Milliseconds until a post was answered."""
    memory: list[int]
    """MiB of each server, and of each worker beside them."""

    def __str__(self) -> str:
        waited = f"answered in {self.p50} ms, but one in a hundred: {self.p99} ms"
        return f"{self.at:5} s: {self.posts:5} posts, {waited}; {self.memory} MiB"


@dataclass
class Outcome:
    """What came of a load, once all is up again."""

    posts: list[Post]
    refused: list[str]
    before: Rows
    after: Rows
    sent_again: dict[str, int]
    """What the API says to posts that were accepted and are sent again: which message it is."""
    lives: list[Life]
    fresh: dict[int, Copies]
    """By person, what a client holds that comes anew."""
    answers: dict[int, str]
    """What the robot was to say, by the question's message."""
    unfinished: int = 0
    """Answers that were not over in time."""
    files: int = 0
    """That were looked into."""
    broken_files: list[str] = field(default_factory=list)
    memory: list[tuple[int, int]] = field(default_factory=list)
    """Of each server, MiB after a quiet load and now; nothing where there was no quiet one."""
    connections: int = 0
    sockets: int = 0
    samples: list[Sample] = field(default_factory=list)
    """Of a soak."""

    @property
    def accepted(self) -> list[Post]:
        return [post for post in self.posts if post.message is not None]

    @property
    def by_room(self) -> dict[int, list[Row]]:
        found: dict[int, list[Row]] = {room: [] for room in self.after.rooms}
        for row in self.after.messages:
            found[row.room].append(row)
        return found


TOLERANCE = 1.3, 24
"""Memory is back where it is at most so many times what it was, and so many MiB."""

Breaches = Iterable[str]


def answered(outcome: Outcome) -> Breaches:
    """Whoever goes on sending is answered, and nobody honest is refused."""
    yield from outcome.refused
    for post in outcome.posts:
        if post.message is None:
            yield f"never answered: {post.sent}"


def there_once(outcome: Outcome) -> Breaches:
    """What was accepted is there, as it was said, exactly once."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in outcome.after.messages:
        rows[row.client_id].append(row)
    for post in outcome.accepted:
        found = [(row.id, row.body, row.to, row.reply_to) for row in rows[post.client_id]]
        if found != [(post.message, post.body, post.to, post.reply_to)]:
            yield f"{post.sent} was accepted as {post.message}, and there is {found}"
        again = outcome.sent_again.get(post.client_id)
        if again != post.message:
            yield f"{post.sent} was accepted as {post.message}; sent again it is {again}"
    said = {post.client_id for post in outcome.posts}
    for client_id in rows.keys() - said - {""}:
        yield f"nobody said {rows[client_id]}"


def in_order(outcome: Outcome) -> Breaches:
    """Every change has a revision and every revision a change; and nobody's words are swapped."""
    began = _uncounted(outcome.before)
    for room, uncounted in _uncounted(outcome.after).items():
        if uncounted != began[room]:
            yield f"room {room}: {uncounted - began[room]} revisions too many for its changes"
    for room, rows in outcome.by_room.items():
        revisions = [row.revision for row in rows]
        if len(set(revisions)) < len(revisions) or max(revisions) > outcome.after.rooms[room]:
            yield f"room {room}: revisions twice, or beyond the room's: {sorted(revisions)[-5:]}"
        unchanged = [row.revision for row in rows if row.version == 1]
        if unchanged != sorted(unchanged):
            yield f"room {room}: what came later has an earlier revision"
    spoken: dict[tuple[int, int], list[int]] = defaultdict(list)
    for post in outcome.accepted:
        spoken[post.author, post.room].append(post.message or 0)
    for (author, room), ids in spoken.items():
        if ids != sorted(ids):
            yield f"what {author} said in room {room} stands in another order: {ids}"


def _uncounted(rows: Rows) -> dict[int, int]:
    """By room, the revisions that no message's changes account for: people, before the load."""
    counted = Counter(dict.fromkeys(rows.rooms, 0))
    for row in rows.messages:
        counted[row.room] += row.version
    return {room: revision - counted[room] for room, revision in rows.rooms.items()}


def converged(outcome: Outcome) -> Breaches:
    """Who lived through it holds what a newcomer is given, and that is what they may see."""
    for person, rooms in outcome.fresh.items():
        for room, copies in rooms.items():
            ought = {
                row.id: Copy(row.version, row.status, row.body)
                for row in outcome.by_room[room]
                if row.is_for(person)
            }
            yield from _differences(f"{person} anew in room {room}", copies, ought)
    for life in outcome.lives:
        for room, copies in life.held.items():
            ought = outcome.fresh[life.user][room]
            yield from _differences(f"{life.user} in room {room}", copies, ought)


def _differences(who: str, has: dict[int, Copy], ought: dict[int, Copy]) -> Breaches:
    if has != ought:
        lacks = sorted(ought.items() - has.items())[:3]
        more = sorted(has.items() - ought.items())[:3]
        yield f"{who} lacks {lacks} and has {more}"


def discreet(outcome: Outcome) -> Breaches:
    """Nobody was ever told of what they may not see, nor a word of it."""
    whispers = {post.marker: {post.author, *post.to} for post in outcome.posts if post.to}
    for life in outcome.lives:
        allowed = {row.id for row in outcome.after.messages if row.is_for(life.user)}
        if life.told - allowed:
            yield f"{life.user} was told of {sorted(life.told - allowed)[:5]}"
        for marker in life.whispers:
            if life.user not in whispers.get(marker, ()):
                yield f"{life.user} was told what was not for them: {marker}"


def answers_end(outcome: Outcome) -> Breaches:
    """No answer is stuck: each ends within the lease, the sweep, and its turn."""
    if outcome.unfinished:
        yield f"{outcome.unfinished} answers were not over in time"
    for reply in outcome.after.replies:
        if reply.state not in OVER:
            yield f"still {reply}"
    for row in outcome.after.messages:
        if row.status == "streaming":
            yield f"still being written: message {row.id}"


def answered_once(outcome: Outcome) -> Breaches:
    """One answer a question, to what was asked, and none of its words twice; and some are whole, as
    the last question was asked when all was up.
    """
    if not any(reply.state == "done" for reply in outcome.after.replies):
        yield f"none of {len(outcome.answers)} questions was answered to its end"
    replies: dict[int, list[Reply]] = defaultdict(list)
    for reply in outcome.after.replies:
        replies[reply.question].append(reply)
    rows: dict[int | None, list[Row]] = defaultdict(list)
    for row in outcome.after.messages:
        if not row.client_id:  # people answer each other, too
            rows[row.reply_to].append(row)
    for question, text in outcome.answers.items():
        if [reply.message for reply in replies[question]] != [row.id for row in rows[question]]:
            yield f"question {question} has {replies[question]} and {rows[question]}"
        elif len(replies[question]) != 1:
            yield f"question {question} has {len(replies[question])} answers"
        else:
            yield from _wrong(replies[question][0], rows[question][0], text)


def _wrong(reply: Reply, row: Row, text: str) -> Breaches:
    is_whole = reply.state == "done"
    if row.body != text if is_whole else not text.startswith(row.body.strip()):
        yield f"{reply} says {row.body!r}"


def files_whole(outcome: Outcome) -> Breaches:
    """What was sent along is given back, byte by byte."""
    yield from outcome.broken_files


def memory_back(outcome: Outcome) -> Breaches:
    """The servers need no more than after a load in which nothing broke."""
    times, more = TOLERANCE
    for before, after in outcome.memory:
        if after > before * times + more:
            yield f"{after} MiB, and {before} after a load without faults"


def sockets_gone(outcome: Outcome) -> Breaches:
    """When everybody has left, no connection is held and no socket counted."""
    if outcome.connections:
        yield f"{outcome.connections} connections are still held"
    if outcome.sockets:
        yield f"{outcome.sockets} sockets are still counted"


FLAT = {"memory": (1.1, 8.0), "p50": (1.5, 5.0), "p99": (2.0, 50.0)}
"""At the end of a soak it is at most so many times what it was at its beginning, and so much."""


def flat_memory(outcome: Outcome) -> Breaches:
    """No server and no worker needs more in the last quarter than in the second: in the first they
    warm up.
    """
    for process in range(len(outcome.samples[0].memory)):
        yield from _grown("memory", [sample.memory[process] for sample in outcome.samples])


def flat_latency(outcome: Outcome) -> Breaches:
    """Nobody is answered later, however much was said before; and always somebody is answered."""
    for sample in outcome.samples:
        if not sample.posts:
            yield f"nobody was answered in the seconds before the {sample.at}th"
    yield from _grown("p50", [sample.p50 for sample in outcome.samples])
    yield from _grown("p99", [sample.p99 for sample in outcome.samples])


def _grown(what: str, figures: Sequence[float]) -> Breaches:
    quarter = len(figures) // 4
    if quarter < 2:
        yield f"too short to tell: {len(figures)} samples"
        return
    times, more = FLAT[what]
    early, late = median(figures[quarter : 2 * quarter]), median(figures[-quarter:])
    if late > early * times + more:
        yield f"{what}: {early:.0f} in the second quarter, {late:.0f} in the last"


GUARANTEES: dict[str, Callable[[Outcome], Breaches]] = {
    "answered": answered,
    "there once": there_once,
    "in order": in_order,
    "same for all": converged,
    "discreet": discreet,
    "answers end": answers_end,
    "one answer": answered_once,
    "files whole": files_whole,
    "memory": memory_back,
    "sockets": sockets_gone,
}
OF_A_SOAK: dict[str, Callable[[Outcome], Breaches]] = {
    "flat memory": flat_memory,
    "flat latency": flat_latency,
}


NEEDS: dict[str, Callable[[Outcome], object]] = {
    "discreet": lambda outcome: any(post.to for post in outcome.accepted),
    **dict.fromkeys(("answers end", "one answer"), lambda outcome: outcome.answers),
    "files whole": lambda outcome: outcome.files,
    "memory": lambda outcome: outcome.memory,
    **dict.fromkeys(OF_A_SOAK, lambda outcome: outcome.samples),
}
"""What a guarantee is asked of. Where there is nothing of it, it is not asked."""


def breaches(outcome: Outcome) -> dict[str, list[str]]:
    """By guarantee that could be asked, what is broken; nothing where it holds."""
    questions = {**GUARANTEES, **OF_A_SOAK}
    return {
        name: list(broken(outcome))
        for name, broken in questions.items()
        if name not in NEEDS or NEEDS[name](outcome)
    }
