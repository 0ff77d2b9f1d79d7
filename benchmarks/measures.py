"""What is measured in a million messages: how each thing is asked for, as the project itself does.

Each is made ready unmeasured (who asks, for what), then done. What it asked the database is asked
once more afterwards, so that it is known how much of the time that is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.db import connection
from django.test import Client

from accounts import tokens
from accounts.models import Login, User
from benchmarks.million import Million
from benchmarks.percentiles import spread
from benchmarks.search import kinds
from live.arrival import Arrival, Asked, read_arrivals
from messages import cursor
from messages.encoding import encode_for
from messages.history import History
from messages.models import Message
from messages.overview import overview
from messages.posting import Draft
from messages.search import search
from rooms.models import Room

CHANGES = 500
WARMING = 5
"""Times each is done before any counts: a server has warm what these warm."""


@dataclass(frozen=True)
class Measure:
    """`ready` returns what is to be timed; `count` how much of it that gave."""

    ready: Callable[[], Callable[[], Any]]
    count: Callable[[Any], int] = len


@dataclass
class Figures:
    """Of one measure, in milliseconds: on the clock, of the processor, of the database alone."""

    spent: list[float] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)
    asking: list[float] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)
    given: list[int] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        return {
            "given": sum(self.given) / len(self.given),
            "statements": max(self.statements),
            **spread("", self.spent),
            **spread("cpu_", self.computed),
            **spread("sql_", self.asking),
        }


class Statements:
    """What the database is asked, while it stands around it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.count = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += 1
        if sql.lstrip(" \n(").startswith(("SELECT", "WITH")):
            self.asked.append((sql, params))
        return execute(sql, params, many, context)

    def ask_again(self) -> None:
        """Those that only read."""
        with connection.cursor() as asking:
            for sql, params in self.asked:
                asking.execute(sql, params)
                asking.fetchall()


class Work:
    """Some measures, and what they found."""

    def __init__(self, measures: dict[str, Measure]) -> None:
        self.measures = measures
        self.found = {name: Figures() for name in measures}
        self.is_warm = False

    def do(self, times: int) -> None:
        """Each in turn, so that what else the machine does hits all of them."""
        with another_connection():
            for _ in range(0 if self.is_warm else WARMING):
                for measure in self.measures.values():
                    once(measure, Figures())
            self.is_warm = True
            for _ in range(times):
                for name, measure in self.measures.items():
                    once(measure, self.found[name])

    def summary(self) -> dict[str, dict[str, float]]:
        return {name: figures.summary() for name, figures in self.found.items()}


def once(measure: Measure, figures: Figures) -> None:
    do, statements = measure.ready(), Statements()
    with connection.execute_wrapper(statements):
        spent, computed, result = timed(do)
    connection.ensure_connection()  # pages and the API give theirs back
    figures.spent.append(spent)
    figures.computed.append(computed)
    figures.asking.append(timed(statements.ask_again)[0])
    figures.statements.append(statements.count)
    figures.given.append(measure.count(result))


def timed(do: Callable[[], Any]) -> tuple[float, float, Any]:
    """Milliseconds on the clock and of the processor, and what it returned."""
    computed, began = time.process_time(), time.perf_counter()
    result = do()
    spent, computed = time.perf_counter() - began, time.process_time() - computed
    return spent * 1000, computed * 1000, result


@contextmanager
def another_connection() -> Iterator[None]:
    """As other threads of a server have: whoever closes the last one to SQLite also tidies up."""
    kept = connection.copy()
    kept.ensure_connection()
    try:
        yield
    finally:
        kept.close()


def works(million: Million) -> dict[str, Work]:
    requests = Requests(million)
    return {
        "storage": Work(Storage(million).measures()),
        "pages": Work(requests.pages()),
        "api": Work(requests.calls()),
        "search": Work(Searches(million).measures()),
        "posts": Work(Posts(million).measures()),
    }


class Storage:
    """What pages, API and sockets ask for, where they ask for it."""

    def __init__(self, million: Million) -> None:
        self.million, self.random = million, million.random
        self.rooms = million.rooms_of(0)[: million.size.seats]
        self.behind = [*self._cursors()]

    def measures(self) -> dict[str, Measure]:
        return {
            "a page of history": Measure(self.page),
            f"catch up {CHANGES} changes": Measure(lambda: self.catch_up(html=False), told),
            f"catch up {CHANGES} changes, with HTML": Measure(
                lambda: self.catch_up(html=True), told
            ),
            f"unread of {len(self.rooms)} rooms": Measure(
                lambda: self.unread(self.million.reader, self.rooms)
            ),
            "the same, where nothing was read lately": Measure(
                lambda: self.unread(
                    self.million.returner, self.million.rooms_of(1)[: len(self.rooms)]
                )
            ),
        }

    def page(self) -> Callable[[], Any]:
        """Before any message, in any of one's rooms."""
        me, room = again(self.million.reader), self.random.choice(self.rooms)
        before = self.random.randint(self.million.size.messages // 5, self.million.size.messages)
        return lambda: encode_for(me, History(room, me).before(before).rows)

    def catch_up(self, *, html: bool) -> Callable[[], Any]:
        """As a socket does, in any of one's rooms where so much was said."""
        me, (room, sealed) = again(self.million.reader), self.random.choice(self.behind)

        def come() -> Arrival:
            (came,) = read_arrivals([Asked(me, room, sealed, html)], here={})
            assert isinstance(came, Arrival), came
            return came

        return come

    def unread(self, user: User, rooms: Sequence[Room]) -> Callable[[], Any]:
        me = again(user)
        return lambda: overview(me, rooms)

    def _cursors(self) -> Iterator[tuple[int, str]]:
        for room in self.rooms:
            visible = Message.objects.visible_to(self.million.reader).filter(room=room)
            revisions = visible.order_by("-revision").values_list("revision", flat=True)
            for revision in revisions[CHANGES : CHANGES + 1]:
                yield room.pk, cursor.seal(room.pk, revision)


class Requests:
    """Whole requests of somebody signed in, through all of Django but the network."""

    def __init__(self, million: Million) -> None:
        self.million, self.random = million, million.random
        self.large = million.large.pk
        self.reader, self.returner = signed_in(million.reader), signed_in(million.returner)
        access = tokens.issue(Login.objects.start(million.reader, kind=Login.Kind.TOKEN))["access"]
        self.program = Client(SERVER_NAME="localhost", HTTP_AUTHORIZATION=f"Bearer {access}")

    def pages(self) -> dict[str, Measure]:
        room = f"/rooms/{self.large}/"
        return {
            "room page, at its end": Measure(lambda: got(self.reader, room), articles),
            "room page, at the first unread": Measure(lambda: got(self.returner, room), articles),
            "room page, at a permalink": Measure(
                lambda: got(self.reader, f"{room}?around={self._any_told()}"), articles
            ),
        }

    def calls(self) -> dict[str, Measure]:
        messages = f"/api/v1/rooms/{self.large}/messages/"
        room = self.million.large
        sealed = cursor.seal(room.pk, room.revision - 200)
        return {
            "API, my rooms": Measure(lambda: got(self.program, "/api/v1/rooms/"), results),
            "API, the newest messages": Measure(lambda: got(self.program, messages), results),
            "API, messages before one": Measure(
                lambda: got(self.program, f"{messages}?before={self._any_told()}"), results
            ),
            "the same with HTML, as pages ask for it": Measure(
                lambda: got(self.reader, f"{messages}?before={self._any_told()}&render=html"),
                results,
            ),
            "API, 200 changes": Measure(
                lambda: got(self.program, f"{messages}?cursor={sealed}&limit=200"), results
            ),
        }

    def _any_told(self) -> int:
        """Of the large room, and not of its first."""
        told = self.million.told
        return self.random.choice(told[len(told) // 5 :])


class Posts:
    """What is written. It comes last: what is read is not to grow while it is measured."""

    def __init__(self, million: Million) -> None:
        self.million = million

    def measures(self) -> dict[str, Measure]:
        return {
            "a message to all": Measure(lambda: self.post(self.million.large)),
            "a message to a few": Measure(lambda: self.post(self.million.rooms_of(0)[1])),
        }

    def post(self, room: Room) -> Callable[[], Any]:
        me = again(self.million.reader)
        draft = Draft(room=room.pk, author=me, body="Shall we meet at noon?", client_id=uuid4())
        return lambda: Message.objects.post_all([draft])


class Searches:
    """To what the API sends, but for JSON."""

    def __init__(self, million: Million) -> None:
        self.million = million
        self.kinds = kinds(
            million.random,
            million.words,
            people=million.size.people,
            room=million.rooms_of(0)[1].name,
        )

    def measures(self) -> dict[str, Measure]:
        return {name: self._measure(query) for name, query in self.kinds.items()}

    def _measure(self, query: Callable[[], str]) -> Measure:
        def ready() -> Callable[[], Any]:
            me, text = again(self.million.reader), query()
            return lambda: encode_for(me, [hit.message for hit in search(text, by=me).hits])

        return Measure(ready)


def again(user: User) -> User:
    """As each request reads who asks: with nothing known of them yet."""
    return User.objects.get(pk=user.pk)


def signed_in(user: User) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def got(client: Client, path: str) -> Callable[[], Any]:
    def get() -> Any:
        response = client.get(path)
        if response.status_code != 200:
            raise SystemExit(f"{path}: {response.status_code} {response.content!r:.300}")
        return response

    return get


def told(arrival: Arrival) -> int:
    return sum(len(json.loads(frame).get("messages", ())) for frame in arrival.frames)


def articles(response: Any) -> int:
    return int(response.content.count(b"<article"))


def results(response: Any) -> int:
    answer = response.json()
    return len(answer.get("results") or answer["messages"])
