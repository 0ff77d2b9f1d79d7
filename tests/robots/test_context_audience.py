"""What is sent to a provider holds only what the robot and all readers of its answer may see.

People talk to all audiences, whisper, edit, delete, come, go, are promoted and demoted; histories
begin elsewhere; robots with small windows answer, are summarised, fail and try again. Every word
of every request, and of every summary that is kept, is held against `tests.model.Oracle`.

CHAT_TESTS_EXAMPLES=200 lives so many lives; a life is told by its number.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from accounts.errors import DomainError
from accounts.models import User
from live import database
from messages.models import Message
from robots import context, llm, tokens
from robots.models import Reply, Robot, RobotSeat, Summary
from robots.outcome import Outcome
from rooms.models import Room
from tests.model import Oracle, Place, Said
from tests.robots.conftest import KEY_ENV
from tests.robots.provider import Provider, Request
from tests.world import World

CAST = ["sue", "ada", "ben", "cleo", "gus", "carl", "otto", "muse", "echo"]
LIVES = int(os.environ.get("CHAT_TESTS_EXAMPLES") or 2)
STEPS = 400
WINDOW = 1_000

OFTEN = {
    "post": 16,
    "ask": 6,
    "whisper": 4,
    "answer": 26,
    "show": 3,
    "again": 2,
    "edit": 2,
    "delete": 2,
    "come": 4,
    "go": 1,
    "change": 1,
    "history": 1,
}
ROLES = {"team": ["member", "viewer", "owner"], "support": ["customer", "agent", "supervisor"]}


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    yield World()
    database.close()


def words_in(text: str) -> set[str]:
    """Each message has one that no other has."""
    return set(re.findall(r"q\d+q", text))


def echo(request: Request) -> str:
    """A summary of every word."""
    return " ".join(sorted(words_in(told_in(request)))) or "Nothing."


def told_in(request: Request) -> str:
    return "\n".join(str(message["content"]) for message in request.body["messages"])


class Life:
    """Random life in a team room and a support room, with two robots in each."""

    def __init__(self, world: World, provider: Provider, number: int) -> None:
        self.world, self.provider, self.chance = world, provider, Random(number)
        self.oracle = Oracle()
        self.robots = {
            "muse": self.robot("muse", trigger="mention"),
            "echo": self.robot("echo", trigger="always"),
        }
        self.people: dict[str, User] = {
            name: self.robots[name].user if name in self.robots else world.people[name]
            for name in CAST
        }
        self.rooms: dict[str, int] = {}
        self.quiet: list[tuple[Reply, set[str], str]] = []
        """What robots that were not asked are about to say, what it rests on, and the history."""
        self.seen: Counter[str] = Counter()

    def robot(self, name: str, *, trigger: str) -> Robot:
        self.provider.answers(name, echo)
        return Robot.objects.add(
            name,
            name.title(),
            by=self.world.root,
            model=f"openai/{name}",
            api_base=self.provider.url,
            key_env=KEY_ENV,
            context_window=WINDOW,
            max_tokens=150,
            trigger=trigger,
        )

    def open(self, history: str) -> None:
        self._open("team", history, "ben", {"cleo": "member", "gus": "member"})
        self._open("support", history, "ada", {"carl": "customer", "sue": "supervisor"})

    def _open(self, mode: str, history: str, by: str, others: dict[str, str]) -> None:
        people = [self.people[other] for other in others]
        room = Room.objects.open(
            mode, by=self.people[by], mode=mode, history=history, people=people
        )
        self.rooms[mode] = room.pk
        place = self.oracle.places[room.pk] = Place(room.pk, mode, history)
        for name, role in {by: ROLES[mode][-1] if mode == "team" else "agent", **others}.items():
            self.oracle.seat(room.pk, self.people[name].pk, role)
        for name in self.robots:
            self.comes(mode, name)
        assert len(place.seats) == 5

    # What happens

    def goes_on(self) -> None:
        """One thing happens."""
        chance = self.chance
        (what,) = chance.choices([*OFTEN], [*OFTEN.values()])
        mode = chance.choice(["team", "support"])
        here = [name for name, one in self.people.items() if one.pk in self.place(mode).seats]
        who, other = chance.choice(here), chance.choice(here)
        robot = chance.choice(["muse", "echo", "robots"])
        audience = chance.choice(["everyone", "everyone", "staff", "only", None])
        to = [other] if audience == "only" else []
        {
            "post": lambda: self.says(mode, who, audience, to),
            "ask": lambda: self.says(mode, who, audience, to, mention=robot),
            "whisper": lambda: self.says(
                mode, who, "only", ["muse" if robot == "robots" else robot, *to]
            ),
            "answer": lambda: self.is_answered(mode),
            "show": self.is_shown,
            "again": lambda: self.is_tried_again(mode),
            "edit": lambda: self.edits(mode),
            "delete": lambda: self.deletes(mode),
            "come": lambda: self.comes(mode, chance.choice(CAST)),
            "go": lambda: self.goes(mode, who),
            "change": lambda: self.becomes(mode, who, chance.choice(ROLES[mode])),
            "history": lambda: self.history_begins(mode, chance.choice(["all", "joined"])),
        }[what]()
        self.no_summary_holds_what_was_taken_back()
        self.summaries_are_read_by_who_may_see_all_of_it()

    def says(
        self,
        mode: str,
        who: str,
        audience: str | None,
        to: list[str],
        *,
        mention: str = "",
    ) -> None:
        body = f"{self.word()} {'lamp ' * 30}" + (f"@{mention}" if mention else "")
        quoted = self.message(mode) if self.chance.random() < 0.3 else None
        self.tried(
            lambda: self.room(mode).messages.post(
                body,
                by=self.people[who],
                audience=audience,
                to=[self.people[name] for name in {*to} - {who}],
                reply_to=quoted,
            )
        )
        self.learn(mode)

    def edits(self, mode: str) -> None:
        message = self.message(mode)
        if message is None:
            return
        body = self.word()
        if self.tried(lambda: message.edit(body, by=message.author)):
            self.oracle.said(message.pk).body = body

    def deletes(self, mode: str) -> None:
        message = self.message(mode)
        if message and self.tried(lambda: message.remove(by=message.author)):
            self.oracle.delete(message.pk)

    def comes(self, mode: str, who: str) -> None:
        place, person = self.place(mode), self.people[who]
        if person.pk in place.seats:
            return
        if person.is_robot:
            verb: Callable[[], object] = lambda: RobotSeat.objects.seat(  # noqa: E731
                self.robots[who], self.room(mode), by=self.world.system
            )
        else:
            verb = lambda: self.room(mode).invite(person, by=self.world.system)  # noqa: E731
        if self.tried(verb):
            role = self.room(mode).seat_of(person).role
            self.oracle.seat(place.id, person.pk, role)
            self.learn(mode)

    def goes(self, mode: str, who: str) -> None:
        if self.tried(lambda: self.room(mode).remove(self.people[who], by=self.world.system)):
            self.oracle.unseat(self.rooms[mode], self.people[who].pk)
            self.learn(mode)
            self.forget_stopped(mode)

    def becomes(self, mode: str, who: str, role: str) -> None:
        person = self.people[who]
        change = lambda: self.room(mode).change_role(person, role, by=self.world.system)  # noqa: E731
        if self.tried(change):
            self.oracle.give_role(self.rooms[mode], person.pk, role)
            self.learn(mode)

    def history_begins(self, mode: str, history: str) -> None:
        self.room(mode).update(by=self.world.system, history=history)
        self.place(mode).history = history
        self.learn(mode)

    # Robots

    def is_answered(self, mode: str) -> None:
        waiting = Reply.objects.filter(room=self.rooms[mode], state=Reply.State.QUEUED)
        tries = (Reply.objects.take(reply.pk, worker="w") for reply in waiting.order_by("pk"))
        taken = next(filter(None, tries), None)
        if taken is None:
            return
        readers = self.readers_of(taken)
        try:
            told = self.asks_the_model(taken, readers)
        except context.Unanswerable as refused:
            self.had_reason(refused.code, taken, readers)
            taken.decline(Outcome(text="")) if taken.is_quiet else taken.finish(
                Outcome(text="", error=refused.code, sentence="No.")
            )
            return
        if taken.message is None:
            self.quiet.append((taken, told, self.place(mode).history))
            return
        text = self.word()
        error = self.chance.choice(["cut_off", "", "", ""])
        assert taken.finish(Outcome(text=text, error=error, sentence=error))
        self.learn_body(taken)

    def is_shown(self) -> None:
        """Robots that nobody asked speak up, to whoever is here by now."""
        for reply, told, history in self.quiet:
            mode = reply.room.mode
            if not self.tried(reply.show):
                reply.decline(Outcome(text=""))
                continue
            reply.refresh_from_db()
            if reply.message is None:
                continue
            self.learn(mode)
            if mode == "team" and self.place(mode).history == history:
                still = told & self.all_words(mode)
                assert still <= self.fit_for(mode, self.oracle.readers(reply.message.pk))
            assert reply.finish(Outcome(text=self.word()))
            self.learn_body(reply)
        self.quiet.clear()

    def is_tried_again(self, mode: str) -> None:
        over = [Reply.State.FAILED, Reply.State.STOPPED, Reply.State.DONE]
        replies = list(Reply.objects.filter(room=self.rooms[mode], state__in=over))
        if not replies:
            return
        reply = self.chance.choice(replies)
        by = User.objects.get(pk=self.chance.choice([*self.place(mode).seats]))
        again = self.chance.choice([reply.go_on, reply.retry])
        if self.tried(lambda: again(by=by)):
            self.learn_body(reply)

    def asks_the_model(self, reply: Reply, readers: set[int]) -> set[str]:
        """Over HTTP, as workers do: what the provider received is what counts."""
        before = len(self.provider.requests)
        asyncio.run(self.answered(reply))
        requests = self.provider.requests[before:]
        assert len(requests) <= 2, "one summary a reply"
        fit = self.fit_for(reply.room.mode, readers)
        for request in requests:
            messages = request.body["messages"]
            assert tokens.count_messages(messages) + request.body["max_tokens"] <= WINDOW
            assert words_in(told_in(request)) <= fit
        *summaries, asked = requests
        question = self.oracle.said(reply.question_id)
        assert words_in(question.body) <= words_in(told_in(asked))
        self.seen["answers"] += 1
        self.seen["summaries"] += len(summaries)
        self.seen["with a record"] += "[A record of" in told_in(asked)
        self.seen["held back"] += len(self.all_words(reply.room.mode) - fit) > 0
        return words_in(told_in(asked))

    async def answered(self, reply: Reply) -> None:
        prepared = await context.prepare(reply, [])
        await llm.complete(prepared.call)
        await llm.hang_up()

    def had_reason(self, code: str, reply: Reply, readers: set[int]) -> None:
        self.seen[code] += 1
        question = self.oracle.said(reply.question_id)
        if code == "not_here":
            assert reply.robot.user_id not in self.place(reply.room.mode).seats
        elif code == "question_gone":
            assert question.deleted
        elif code == "not_for_all" and self.place(reply.room.mode).history == "all":
            assert not all(self.oracle.sees(reader, question.id) for reader in readers)

    # What the rules make of it

    def readers_of(self, reply: Reply) -> set[int]:
        """And the robot."""
        place = self.place(reply.room.mode)
        if reply.message is not None:
            return self.oracle.readers(reply.message.pk) | {reply.robot.user_id}
        roles = ["agent", "supervisor"] if place.mode == "support" else [*ROLES["team"], "robot"]
        return {*place.of_role(*roles), reply.robot.user_id}

    def fit_for(self, mode: str, readers: set[int]) -> set[str]:
        """The words of what all of them may see."""
        return {
            word
            for said in self.place(mode).said.values()
            if not said.deleted and all(self.knows(reader, said) for reader in readers)
            for word in words_in(said.body)
        }

    def knows(self, reader: int, said: Said) -> bool:
        """A robot knows what it said, also to a staff that it is none of."""
        own = said.author == reader and reader in [robot.user_id for robot in self.robots.values()]
        return own or self.oracle.sees(reader, said.id)

    def all_words(self, mode: str) -> set[str]:
        said = self.place(mode).said.values()
        return {word for one in said if not one.deleted for word in words_in(one.body)}

    def no_summary_holds_what_was_taken_back(self) -> None:
        for summary in Summary.objects.filter(room__in=self.rooms.values()):
            assert words_in(summary.body) <= self.all_words(summary.room.mode)

    def summaries_are_read_by_who_may_see_all_of_it(self) -> None:
        for mode in self.rooms:
            for user in [*self.place(mode).seats]:
                seen = self.fit_for(mode, {user})
                try:
                    found = Summary.objects.readable(self.room(mode), by=User.objects.get(pk=user))
                except DomainError:
                    continue
                assert all(words_in(summary.body) <= seen for summary in found)

    # Books

    def room(self, mode: str) -> Room:
        return Room.objects.get(pk=self.rooms[mode])

    def place(self, mode: str) -> Place:
        return self.oracle.places[self.rooms[mode]]

    def message(self, mode: str) -> Message | None:
        texts = Message.objects.filter(room=self.rooms[mode], kind="text", deleted_at=None)
        rows = list(texts.exclude(status="streaming").select_related("author").order_by("-pk")[:30])
        return self.chance.choice(rows) if rows else None

    def word(self) -> str:
        self.seen["words"] += 1
        return f"q{self.seen['words']}q"

    def tried(self, act: Callable[[], Any]) -> bool:
        try:
            act()
        except DomainError:
            return False
        return True

    def learn(self, mode: str) -> None:
        place = self.place(mode)
        for message in Message.objects.filter(room=place.id, pk__gt=place.newest).order_by("pk"):
            place.said[message.pk] = Said(
                message.pk,
                message.author_id,
                message.audience,
                frozenset(message.to),
                message.kind,
                message.body if message.kind == "text" else "",
            )

    def learn_body(self, reply: Reply) -> None:
        if reply.message_id:
            message = Message.objects.get(pk=reply.message_id)
            self.learn(reply.room.mode)
            self.oracle.said(message.pk).body = message.body

    def forget_stopped(self, mode: str) -> None:
        """Who has left answers nothing more."""
        self.quiet = [one for one in self.quiet if not Reply.objects.get(pk=one[0].pk).is_over]


@pytest.mark.parametrize("number", range(LIVES))
def test_what_is_sent_is_what_all_readers_may_see(
    world: World, provider: Provider, settings: Any, number: int
) -> None:
    settings.CHAT_EDIT_WINDOW = settings.CHAT_EDIT_WINDOW * 100
    life = Life(world, provider, number)
    life.open(["all", "joined"][number % 2])
    for _ in range(STEPS):
        life.goes_on()
    assert life.seen["answers"] > 10
    assert life.seen["held back"] > 5
    assert life.seen["with a record"]
