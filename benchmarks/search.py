"""What a search costs, on both databases: `python -m benchmarks.search`.

Fills an empty database with messages of people in rooms, at random but the same each time: words as
frequent as Zipf's law has them, people in `--seats` of the rooms each, now and then a file. Then
one person searches, each kind of query many times, each time for another word of that kind.
SQLite is made for it in a folder of its own; PostgreSQL is the empty database of DATABASE_URL.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import accumulate, islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import User
    from messages.models import Message
    from rooms.models import Room

VOCABULARY = 60_000
LENGTH = 24
"""Words of a message, on average."""
DAYS = 1_000
"""Over which they were said."""
AT_ONCE = 10_000
PEOPLE = 200
SEED = 2026


def main() -> None:
    asked = parse()
    if asked.here:
        return measure(asked)
    for name, url in databases(asked.only):
        print(f"{name}: {asked.messages:,} messages in {asked.rooms:,} rooms", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "CHAT_DATA_DIR": folder, "DATABASE_URL": url}
            command = [sys.executable, "-m", "benchmarks.search", "--here", *sys.argv[1:]]
            subprocess.run(command, env=environment, check=True)
    return None


def databases(only: str | None) -> Iterator[tuple[str, str]]:
    if only != "postgresql":
        yield "SQLite", ""
    url = os.environ.get("DATABASE_URL", "")
    if url and only != "sqlite":
        yield "PostgreSQL", url


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rooms", type=int, default=1_000)
    parser.add_argument("--seats", type=int, default=50, help="rooms that a person is in")
    parser.add_argument("--times", type=int, default=200, help="searches of a kind")
    parser.add_argument("--json", type=Path, help="a file the figures are added to")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(asked: argparse.Namespace) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatmanager.settings")
    import django
    from django.core.management import call_command
    from django.db import connection, reset_queries

    django.setup()
    call_command("migrate", verbosity=0)
    random = Random(SEED)
    words = vocabulary(random)
    began = time.perf_counter()
    reader = fill(asked, random, words)
    print(f"  filled in {time.perf_counter() - began:,.0f} s", flush=True)
    figures = {}
    print(f"  {'':44}{'hits':>6}{'p50 ms':>9}{'p99 ms':>9}")
    for name, query in kinds(random, words).items():
        hits, spent = searched(reader, query, asked.times, reset_queries)
        p50, p99 = (spent[min(len(spent) - 1, int(len(spent) * share))] for share in (0.5, 0.99))
        figures[name] = {"hits": hits, "p50_ms": p50, "p99_ms": p99}
        print(f"  {name:44}{hits:>6}{p50:>9.1f}{p99:>9.1f}", flush=True)
    if asked.json:
        known = json.loads(asked.json.read_text()) if asked.json.exists() else {}
        known[connection.vendor] = {"messages": asked.messages, "kinds": figures}
        asked.json.write_text(json.dumps(known, indent=2))


def vocabulary(random: Random) -> list[str]:
    """Made-up words, the most frequent first, the first of which begin like others."""
    known = dict.fromkeys(["the", "that", "there", "this", "with", "when", "have", "not", "you"])
    while len(known) < VOCABULARY:
        known["".join(random.choices("etaoinshrdlucmfw", k=random.randint(3, 10)))] = None
    return list(known)


def fill(asked: argparse.Namespace, random: Random, words: list[str]) -> User:
    """Returns who will search: in the first and the last of the rooms, and some between."""
    from accounts.models import User
    from messages.models import Message
    from rooms.models import Participant, Room

    system = User.objects.system()
    people = User.objects.bulk_create(
        User(handle=f"p{n}", name=f"Person {n}", kind="person") for n in range(PEOPLE)
    )
    rooms = Room.objects.bulk_create(
        Room(name=f"Room {n}", created_by=system) for n in range(asked.rooms)
    )
    step = max(1, asked.rooms // max(1, asked.seats))
    seats = {
        (room.pk, person.pk)
        for at, person in enumerate(people)
        for room in rooms[at % step :: step]
    }
    Participant.objects.bulk_create(
        (Participant(room_id=room, user_id=user, role="member") for room, user in sorted(seats)),
        batch_size=5_000,
    )
    made = said(asked, random, words, people, rooms)
    while lot := list(islice(made, AT_ONCE)):
        Message.objects.bulk_create(lot, batch_size=1_000)
    settle()
    return people[0]


def said(
    asked: argparse.Namespace,
    random: Random,
    words: list[str],
    people: list[User],
    rooms: list[Room],
) -> Iterator[Message]:
    from django.utils import timezone

    from messages.models import Message

    began, pause = timezone.now() - timedelta(DAYS), timedelta(DAYS) / asked.messages
    weights = list(accumulate(1 / (rank + 1) for rank in range(len(words))))
    for n in range(asked.messages):
        length = random.randint(3, 2 * LENGTH - 3)
        body = " ".join(random.choices(words, cum_weights=weights, k=length))
        whisper = n % 20 == 0
        yield Message(
            room=random.choice(rooms),
            author=random.choice(people),
            audience="only" if whisper else "everyone",
            to=[random.choice(people).pk] if whisper else [],
            body=body,
            html=f"<p>{body}</p>\n",
            file_names="report.pdf" if n % 50 == 0 else "",
            revision=n + 1,
            created_at=began + n * pause,
        )


def settle() -> None:
    """As a database is that has been in use: PostgreSQL vacuums after a while, by itself."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def kinds(random: Random, words: list[str]) -> dict[str, Callable[[], str]]:
    def among(first: int, last: int) -> Callable[[], str]:
        return lambda: random.choice(words[first:last])

    frequent, usual, rare = among(0, 10), among(300, 1_000), among(20_000, 60_000)
    person = lambda: f"p{random.randrange(PEOPLE)}"  # noqa: E731
    return {
        "a frequent word": lambda: f'"{frequent()}"',
        "a frequent word, which may go on": frequent,
        "a usual word": usual,
        "a rare word": rare,
        "the beginning of words": lambda: usual()[:3],
        "two usual words": lambda: f"{usual()} {usual()}",
        "two frequent words next to each other": lambda: f'"{frequent()} {frequent()}"',
        "a frequent word, not another": lambda: f"{frequent()} -{frequent()}",
        "what nobody said": lambda: "xyzzy" + rare(),
        "from: alone": lambda: f"from:{person()}",
        "from: and a frequent word": lambda: f"from:{person()} {frequent()}",
        "in: and a usual word": lambda: f'in:"Room 0" {usual()}',
        "has:file and a usual word": lambda: f"has:file {usual()}",
        "before: (long ago) and a frequent word": lambda: f"before:{day(random, 700)} {frequent()}",
        "after: and a usual word": lambda: f"after:{day(random, 30)} {usual()}",
    }


def day(random: Random, ago: int) -> str:
    from django.utils import timezone

    return (timezone.now() - timedelta(ago + random.randrange(20))).date().isoformat()


def searched(
    reader: User, query: Callable[[], str], times: int, forget: Callable[[], None]
) -> tuple[float, list[float]]:
    """Hits of a page on average, and milliseconds in order: to what the API sends, but for JSON."""
    from accounts.models import User
    from messages.encoding import encode_for
    from messages.search import search

    hits, spent = 0, []
    for n in range(times + 5):
        text, who = query(), User.objects.get(pk=reader.pk)
        began = time.perf_counter()
        found = search(text, by=who)
        encode_for(who, [hit.message for hit in found.hits])
        took = time.perf_counter() - began
        if n >= 5:  # the first ones warm what a server has warm
            spent.append(took * 1000)
            hits += len(found.hits)
        forget()
    return round(hits / times, 1), sorted(spent)


if __name__ == "__main__":
    main()
