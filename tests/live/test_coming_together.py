"""Those who come at the same time are told together what each would be told alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client as Browser
from psycopg_pool import PoolTimeout

from accounts import tokens
from accounts.errors import NotAuthenticated, NotFound
from accounts.models import Login, User
from accounts.origin import coming_from, current
from live import arrival, credentials, foyer
from live.arrival import Asked
from live.bulletin import with_article
from live.database import run
from live.hub import Hub
from live.together import Together
from messages import cursor
from messages.encoding import encode_for
from messages.history import USUAL, History
from messages.models import Message
from messages.overview import overview
from rooms.models import Participant, Room
from tests.live.client import Client, Frame
from tests.threads.beside import beside, private
from tests.world import World, again


def talk(world: World) -> None:
    """In rooms where people may see different things: whispers, notes, quotes of both, robots."""
    for speaker in (world.ben, world.cleo, world.gus):
        first = world.say(world.team, speaker, "hello @cleo")
        first.react("👍", by=world.ben)
        world.say(world.team, world.ben, "indeed", reply_to=first)
        whisper = world.whisper(world.team, speaker, world.parrot)
        if speaker == world.cleo:
            whisper.share(by=speaker, audience="everyone")
        world.whisper(world.team, world.ben, world.cleo)
    world.say(world.team, world.ben, "hello @everyone")
    world.say(world.team, world.ben, "hello @everyone and @gus")
    world.say(world.team, world.ben, "not so, @cleo").remove(by=world.ben)
    for speaker in (world.ada, world.carl):
        first = world.say(world.support, speaker, "good day")
        note = world.note(world.ada)
        world.say(world.support, world.ada, "so", reply_to=note, audience="everyone")
        note.share(by=world.sue, audience="only", to=[world.carl.pk])
    again(first).mark_read(by=world.dora)
    beside(first, world.ada)
    private(world.say(world.team, world.ben), world.ben, world.gus)


def talk_much(world: World) -> None:
    """More than a page holds, some of it not for everybody."""
    for n in range(USUAL + 5):
        world.say(world.team, world.ben, f"message {n}")
        world.say(world.support, world.carl, f"message {n}")
    world.whisper(world.team, world.ben, world.cleo)
    world.note(world.ada)


def talk_to_newcomers(world: World) -> None:
    """Who hear only what is said after they came."""
    world.say(world.team, world.ben, "before")
    again(world.team).update(by=world.ben, history="joined")
    world.team.invite(world.otto, by=world.ben)
    for speaker in (world.cleo, world.otto, world.ben):
        world.whisper(world.team, speaker, world.vic)
        world.say(world.team, speaker, "after")


def talk_while_robots_write(world: World) -> None:
    talk(world)
    for room in (world.team, world.support):
        written = Message.objects.filter(room=room, kind=Message.Kind.TEXT).order_by("pk")[1:4]
        Message.objects.filter(pk__in=[row.pk for row in written]).update(
            status=Message.Status.STREAMING
        )


HISTORIES = [talk, talk_much, talk_to_newcomers, talk_while_robots_write]


def everybody(world: World) -> list[tuple[User, Room]]:
    """With a seat."""
    seats = Participant.objects.filter(room__in=[world.team, world.support])
    return [(seat.user, seat.room) for seat in seats.select_related("user", "room")]


def told(asked: Sequence[Asked]) -> list[list[Frame]]:
    """The frames for each, their cursors opened."""
    answers = arrival.read_arrivals(asked, here={})
    return [[opened(json.loads(frame)) for frame in answer.frames] for answer in answers]


def opened(frame: Frame) -> Frame:
    if "cursor" in frame:
        room = frame["room"] if isinstance(frame["room"], int) else frame["room"]["id"]
        frame["cursor"] = cursor.unseal(frame["cursor"], room=room)
    return frame


def shown(user: User, rows: Sequence[Message], *, html: bool = False) -> list[Any]:
    """As programs that ask for these messages are shown them."""
    encoded = [with_article(one, html=html) for one in encode_for(user, rows)]
    return list(json.loads(json.dumps(encoded)))


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("history", HISTORIES)
def test_afresh_each_is_told_what_they_may_see(world: World, history: Any, html: bool) -> None:
    history(world)
    asked = [Asked(user, room.pk, None, html) for user, room in everybody(world)]
    together = told(asked)
    assert together == [told([one])[0] for one in asked]
    for (user, room), (joined, *more) in zip(everybody(world), together, strict=True):
        pages = History(room, user)
        page = pages.newest()
        assert joined["messages"] == shown(user, page.rows, html=html)
        assert joined["has_older"] == page.has_older
        assert joined["room"] == json.loads(json.dumps(overview(user, [room])[0]))
        older = [one for frame in more for one in frame["messages"]]
        assert older == shown(user, pages.streaming(besides=page.rows), html=html)


@pytest.mark.parametrize("at_once", [200, 2])
@pytest.mark.parametrize("history", HISTORIES)
def test_from_a_cursor_each_is_told_what_they_missed(
    world: World, history: Any, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each from somewhere else; also where that is too much to be read for all of them."""
    monkeypatch.setattr(foyer, "SHARED", at_once)
    history(world)
    people = [pair for pair in everybody(world) for _ in range(5)]
    behind = [max(0, again(room).revision - 4 * (n % 5)) for n, (_, room) in enumerate(people)]
    asked = [
        Asked(user, room.pk, cursor.seal(room.pk, since), False)
        for (user, room), since in zip(people, behind, strict=True)
    ]
    together = told(asked)
    assert together == [told([one])[0] for one in asked]
    for (user, room), since, frames in zip(people, behind, together, strict=True):
        if frames[0]["type"] == "reset":
            continue
        pages, upto = History(room, user), again(room).revision
        rows = pages.with_streaming(pages.changes(after=since, upto=upto, most=1000))
        *news, synced = frames
        assert [one for frame in news for one in frame["messages"]] == shown(user, rows)
        assert synced == {"type": "synced", "room": room.pk, "cursor": upto}
    kinds = [frames[-1]["type"] for frames in together]
    assert kinds.count("synced") > len(kinds) / 3


def test_who_has_no_seat_costs_no_other_theirs(world: World) -> None:
    asked = [
        Asked(user, world.team.pk, None, False) for user in (world.ben, world.otto, world.cleo)
    ]
    ben, otto, cleo = arrival.read_arrivals([*asked], here={})
    assert isinstance(otto, NotFound)
    assert [ben.listener.reader.user, cleo.listener.reader.user] == [world.ben.pk, world.cleo.pk]


def test_those_who_show_something_together_are_let_in_as_themselves(world: World) -> None:
    people = (world.ben, world.cleo, world.vic)
    ben, cleo, vic = [Login.objects.start(user, kind=Login.Kind.TOKEN) for user in people]
    good = [tokens.issue(login)["access"] for login in (ben, cleo, ben)]
    bad = tokens.issue(vic)["access"]
    vic.end()
    shown = [credentials.Shown("token", raw) for raw in (good[0], bad, "junk", *good[1:])]
    first, ended, junk, second, third = credentials.authenticate(shown)
    assert isinstance(ended, NotAuthenticated)
    assert isinstance(junk, NotAuthenticated)
    assert [first.user, second.user, third.user] == [world.ben, world.cleo, world.ben]
    assert first is not third


def test_pages_that_come_together_are_let_in_by_one_question_for_their_sessions(
    world: World, django_assert_num_queries: Any
) -> None:
    keys = []
    for user in (world.ben, world.cleo, world.vic):
        browser = Browser()
        browser.force_login(user)
        keys.append(browser.session.session_key)
    browser.logout()
    odd = ["x", "no\x00key", "a" * 1000]
    shown = [credentials.Shown("session", key) for key in (*odd, *keys, keys[0])]
    with django_assert_num_queries(2):
        *nobody, ben, cleo, vic, again = credentials.authenticate(shown)
    assert [login.user for login in (ben, cleo, again)] == [world.ben, world.cleo, world.ben]
    assert all(isinstance(found, NotAuthenticated) for found in (*nobody, vic))


def test_a_token_of_one_is_no_way_to_the_login_of_another(world: World) -> None:
    login = Login.objects.start(world.ben, kind=Login.Kind.TOKEN)
    token = tokens.AccessToken(tokens.issue(login)["access"])
    token["user_id"] = str(world.cleo.pk)
    shown = [credentials.Shown("token", str(token)), credentials.Shown("token", str(token))]
    assert all(isinstance(found, NotAuthenticated) for found in credentials.authenticate(shown))


# How questions are gathered


class Oracle:
    """Answers when it may, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may_answer = asyncio.Event()
        self.origins: list[str | None] = []

    async def __call__(self, questions: Sequence[int]) -> list[int | Exception]:
        self.asked.append(list(questions))
        self.origins.append(current().address)
        await self.may_answer.wait()
        if 13 in questions:
            raise OperationalError("busy")
        return [ValueError("odd") if n == 7 else n * n for n in questions]


async def test_what_is_asked_meanwhile_is_answered_together() -> None:
    oracle = Oracle()
    together = Together(oracle)
    with coming_from("203.0.113.9"):
        answers = [together.ask(1)]
    await asyncio.sleep(0)
    answers += [together.ask(n) for n in (2, 3)]
    oracle.may_answer.set()
    assert await asyncio.gather(*answers) == [1, 4, 9]
    assert oracle.asked == [[1], [2, 3]]
    assert oracle.origins == [None, None], "it is done on behalf of nobody"


async def test_kinds_of_questions_that_take_turns_wait_for_each_other_and_grow() -> None:
    first, second, turn = Oracle(), Oracle(), asyncio.Lock()
    one, other = Together(first, turn), Together(second, turn)
    answers = [one.ask(1), other.ask(2)]
    gone = other.ask(13)
    for n in range(5):
        await asyncio.sleep(0)
        answers.append(other.ask(n))
    gone.cancel()
    assert (first.asked, second.asked) == ([[1]], [])
    first.may_answer.set()
    second.may_answer.set()
    assert await asyncio.gather(*answers) == [1, 4, 0, 1, 4, 9, 16]
    assert second.asked == [[2, 0, 1, 2, 3, 4]]
    lone = one.ask(3)
    lone.cancel()
    await asyncio.sleep(0)
    assert await one.ask(4) == 16, "of nobody nothing is asked, and the turn is given on"


async def test_one_question_costs_no_other_its_answer() -> None:
    oracle = Oracle()
    oracle.may_answer.set()
    together = Together(oracle)
    asked = [together.ask(n) for n in (2, 13, 7, 3)]
    gone = together.ask(4)
    gone.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [answers[0], answers[3]] == [4, 9]
    assert isinstance(answers[1], OperationalError)
    assert isinstance(answers[2], ValueError)
    assert await together.ask(5) == 25


async def test_a_database_out_of_reach_is_waited_for_once() -> None:
    """A connection is waited for ten seconds: not by each of those who ask, one after the other."""
    asked: list[int] = []

    async def away(questions: Sequence[int]) -> list[int | Exception]:
        asked.append(len(questions))
        if len(questions) > 1:
            raise OperationalError("server closed the connection unexpectedly")
        raise OperationalError("no connection") from PoolTimeout()

    together = Together(away)
    answers = await asyncio.gather(*map(together.ask, range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OperationalError] * 5
    assert asked == [5, 1]


async def test_for_those_who_are_gone_nothing_is_asked() -> None:
    oracle = Oracle()
    together = Together(oracle)
    first = together.ask(1)
    await asyncio.sleep(0)
    gone, last = together.ask(2), together.ask(3)
    gone.cancel()
    oracle.may_answer.set()
    assert await asyncio.gather(first, last) == [1, 9]
    assert oracle.asked == [[1], [3]]


@pytest.mark.parametrize("how", [Message.Status.COMPLETE, Message.Status.STREAMING])
def test_what_is_newer_than_the_right_to_see_it_is_not_told(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Of rows that are read whoever may see them, by who had the right when their seat was read."""
    steps = [1]

    class Late(foyer.Foyer):
        def __init__(self, *args: Any, **how_they_come: Any) -> None:
            while steps:
                steps.pop()
                world.support.change_role(world.amy, "customer", by=world.ada)
                note = world.note(world.ada, "between us")
                Message.objects.filter(pk=note.pk).update(status=how)
            super().__init__(*args, **how_they_come)

    again(world.support).invite(world.amy, by=world.ada, role="agent")
    monkeypatch.setattr(arrival, "Foyer", Late)
    asked = [Asked(user, world.support.pk, None, False) for user in (world.amy, world.sue)]
    amy, sue = told(asked)
    assert "between us" in str(sue)
    assert "between us" not in str(amy)
    assert amy[0]["me"]["role"] == "customer"


async def test_who_comes_by_an_open_side_bar_among_others_takes_a_seat(
    world: World, hub: Hub
) -> None:
    sidebar = await run(lambda: beside(world.say(world.team, world.ben), world.ben))
    clients = [await Client.of(user) for user in (world.ben, world.cleo, world.carl)]
    await asyncio.gather(*(client.send("join", room=sidebar.pk) for client in clients))
    ben, cleo, carl = clients
    assert (await ben.frame("joined"))["room"]["id"] == sidebar.pk
    assert (await cleo.frame("joined"))["me"]["role"] == "member"
    await carl.error("not_found", room=sidebar.pk)
