"""Sockets hold what their people may see and nothing else, whatever happens, however it is told.

Everybody listens in every room and side-bar while people talk, come, go and change. After each
step every client must hold exactly the messages and stubs that a fresh read gives its person, and
nothing that was handed to it in that step may be what the step took from them: also where wakes
were lost and only the head check, the next hand-over or a side-bar's next news finds what happened.

CHAT_TESTS_SEEDS=50 tries more lives than the few of the suite.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.errors import DomainError
from accounts.models import User
from live import database
from live import hub as hubs
from live.hub import Hub
from messages.encoding import encode_for
from messages.history import History
from messages.models import Message
from rooms.models import Participant, Room
from tests.live.client import Client
from tests.process import wait_until
from tests.threads.beside import beside, private
from tests.world import World
from threads import frames, listeners
from threads.models import Sidebar
from threads.stubs import encode_for as encode_stubs
from threads.stubs import stubs_for

STEPS = 40
LISTENING = ["sue", "ada", "ben", "cleo", "vic", "gus", "carl", "otto"]
SEEDS = range(int(os.environ.get("CHAT_TESTS_SEEDS") or 3))
PATIENCE = 60.0

Held = dict[int, dict[int, dict[str, Any]]]
"""By room and id."""


class Listening:
    """A client that keeps what it is told, as the contract says clients do."""

    def __init__(self, user: User, client: Client) -> None:
        self.user = user
        self.client = client
        self.held: Held = {}
        self.stubs: Held = {}
        self.handed: list[dict[str, Any]] = []
        self.shown: list[dict[str, Any]] = []
        """Stubs that were handed to it."""
        self._taken = 0

    def take(self) -> None:
        for frame in self.client.frames[self._taken :]:
            self._apply(frame)
        self._taken = len(self.client.frames)

    def _apply(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "joined":
            self.held[frame["room"]["id"]] = {}
            self._keep(frame["room"]["id"], frame["messages"])
            self.shown += frame["sidebars"]
            self.stubs[frame["room"]["id"]] = {stub["id"]: stub for stub in frame["sidebars"]}
        elif kind == "sidebar":
            self.shown.append(frame["sidebar"])
            self.stubs[frame["room"]][frame["sidebar"]["id"]] = frame["sidebar"]
        elif kind == "messages":
            self._keep(frame["room"], frame["messages"])
        elif kind in ("reset", "left"):
            self.held.pop(frame["room"], None)
            self.stubs.pop(frame["room"], None)
            for stubs in self.stubs.values() if kind == "left" else ():
                if stubs.get(frame["room"], {}).get("access") == "private":
                    del stubs[frame["room"]]

    def _keep(self, room: int, messages: list[dict[str, Any]]) -> None:
        self.handed += messages
        held = self.held.setdefault(room, {})
        for message in messages:
            known = held.get(message["id"])
            if known is None or known["version"] <= message["version"]:
                held[message["id"]] = message


class Life:
    """Random things that people do, by the verbs."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world = world
        self.chance = chance
        self.said = 0
        self.rooms = world.rooms

    def step(self) -> None:
        doing = self.chance.choice(
            [self.talk] * 6 + [self.change] * 5 + [self.move] * 4 + [self.open_another]
        )
        try:
            doing()
        except DomainError:
            pass  # not allowed, so nothing happened

    @property
    def room(self) -> Room:
        name = self.chance.choice(
            ["team", "support", "team", "support", "public", "open", "open", "private", "private"]
        )
        return Room.objects.get(pk=self.rooms[name].pk)

    def open_sidebars(self) -> None:
        """One among the staff, and one among some of the team."""
        world = self.world
        asked, said = world.say(world.support, world.carl), world.say(world.team, world.cleo)
        self.rooms |= {
            "open": beside(asked, world.ada).room,
            "private": private(said, world.ben, world.gus).room,
        }

    def open_another(self) -> None:
        """In place of the one of its kind: what was opened before has news no more of itself."""
        by = self.somebody()
        anchors = list(Message.objects.visible_to(by).order_by("-pk")[:10])
        if anchors:
            kind = self.chance.choice(["open", "private"])
            invite = [self.somebody()] if kind == "private" else []
            sidebar = beside(self.chance.choice(anchors), by, *invite, access=kind)
            self.rooms[kind] = sidebar.room

    def tell_of_sidebars(self) -> None:
        """As whatever is said there next would."""
        listeners._tell(Room.objects.exclude(parent=None))

    def somebody(self, room: Room | None = None) -> User:
        seats = room.participants.select_related("user") if room else ()
        if seats and not (room and room.is_open_sidebar and self.chance.random() < 0.3):
            return self.chance.choice([seat.user for seat in seats])
        return self.world.people[self.chance.choice(LISTENING)]

    def talk(self) -> None:
        room = self.room
        by = self.somebody(room)
        audience = self.chance.choice([None, None, "everyone", "staff", "only"])
        to = [self.somebody(room)] if audience == "only" else []
        seen = list(Message.objects.visible_to(by).filter(room=room).order_by("-pk")[:5])
        reply_to = self.chance.choice([*seen, None, None]) if seen else None
        self.said += 1
        message = room.messages.post(
            f"word {self.said}", by=by, audience=audience, to=to, reply_to=reply_to
        )
        if self.chance.random() < 0.2:
            message.share(room=self.room, audience="everyone", by=by)

    def begin_where_people_join(self) -> None:
        """Newcomers are shown nothing from before: what changes there is not for them."""
        self.world.team.update(history="joined", by=self.world.ben)
        self.world.support.update(history="joined", by=self.world.ada)

    def come_late(self) -> None:
        """To what is beside messages from before: otto, and cleo, who wrote one of them."""
        self.rooms["private"].messages.post("word 0", by=self.world.gus)
        self.world.team.remove(self.world.cleo, by=self.world.ben)
        for user in (self.world.cleo, self.world.otto):
            self.world.team.invite(user, by=self.world.ben)
            self.rooms["private"].invite(user, by=self.world.ben)

    def talk_aloud(self) -> None:
        for name in ("team", "support"):
            room = self.world.rooms[name]
            self.said += 1
            try:
                room.messages.post(f"word {self.said}", by=self.somebody(room))
            except DomainError:
                pass

    def change(self) -> None:
        by = self.somebody()
        newest = list(Message.objects.visible_to(by).order_by("-pk")[:25])
        if newest:
            message = self.chance.choice(newest)
            self.said += 1
            self.chance.choice(
                [
                    lambda: message.edit(f"word {self.said}", by=message.author),
                    lambda: message.remove(by=message.author),
                    lambda: message.react("👍", by=by),
                    lambda: message.unreact("👍", by=by),
                ]
            )()

    def move(self) -> None:
        room = self.room
        who = self.somebody()
        by = self.somebody(room)
        if room.is_sidebar and self.chance.random() < 0.5:
            self.go_on_beside(room, who, by)
            return
        self.chance.choice(
            [
                lambda: room.invite(who, by=by),
                lambda: room.invite(who, by=by),
                lambda: room.join(by=who),
                lambda: room.leave(by=who),
                lambda: room.remove(who, by=by),
                lambda: room.change_role(who, self.chance.choice(ROLES[room.mode]), by=by),
                lambda: room.change_role(who, self.chance.choice(ROLES[room.mode]), by=by),
                lambda: room.update(history=self.chance.choice(["all", "joined"]), by=by),
            ]
        )()

    def go_on_beside(self, room: Room, who: User, by: User) -> None:
        self.chance.choice(
            [
                lambda: Room.objects.seat_in(room.pk, who),
                lambda: Room.objects.seat_in(room.pk, who),
                lambda: Sidebar.objects.get(room=room).conclude(by=by, body="So be it."),
                lambda: room.reopen(by=self.world.ben),
                lambda: room.reopen(by=self.world.ada),
            ]
        )()


ROLES = {"team": ["owner", "member", "viewer"], "support": ["agent", "supervisor", "customer"]}


@pytest.fixture
def lossy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bool], None]]:
    """Whether wakes and hand-overs are lost from now on."""
    lost = False
    tell = hubs.in_hub

    def perhaps(work: Callable[[Hub], None]) -> None:
        if not lost:
            tell(work)

    def lose(now: bool) -> None:
        nonlocal lost
        lost = now

    monkeypatch.setattr(hubs, "in_hub", perhaps)
    return lose


@pytest.mark.parametrize("seed", SEEDS)
async def test_everyone_holds_what_they_may_see_and_nothing_else(
    world: World,
    hub: Hub,
    lossy: Callable[[bool], None],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    monkeypatch.setattr(frames, "INTERVAL", 0.01)
    chance = random.Random(seed)
    life = Life(world, chance)
    if seed % 2:
        await database.run(life.begin_where_people_join)
    await database.run(life.open_sidebars)
    if seed % 2:
        await database.run(life.come_late)
    everybody = [
        Listening(world.people[name], await Client.of(world.people[name])) for name in LISTENING
    ]
    for step in range(STEPS):
        lost = chance.random() < 0.4
        lossy(lost)
        for _ in range(chance.randint(1, 4) if lost else 1):
            await database.run(life.step)
        lossy(False)
        if lost and chance.random() < 0.5:
            await database.run(life.talk_aloud)  # handed over while older news is still untold
        else:
            await hub.check_heads()
        if lost:
            await database.run(life.tell_of_sidebars)
        for listener in everybody:
            await enter(listener)
        # Once for both times: only steps change what there is.
        fresh = [await database.run(Fresh, listener.user) for listener in everybody]
        when = f"seed {seed}, step {step}, wakes lost: {lost}"
        for listener, its in zip(everybody, fresh, strict=True):
            await settle(hub, listener, its, when)
        await told_of_sidebars(hub)
        for listener, its in zip(everybody, fresh, strict=True):
            await settle(hub, listener, its, when)


async def told_of_sidebars(hub: Hub) -> None:
    """Wait until none is being looked at: what was read before the next step may be told in it."""
    board = hub.hearers[frames.KIND]
    assert isinstance(board, frames.Board)
    await wait_until(lambda: board.news.is_quiet)


async def enter(listener: Listening) -> None:
    """Join the rooms one has come to be in."""
    listener.take()
    mine = await database.run(rooms_of, listener.user)
    for room in mine - listener.held.keys():
        await listener.client.send("join", room=room)


def rooms_of(user: User) -> set[int]:
    return set(Room.objects.for_user(user).filter(direct_key=None).values_list("pk", flat=True))


class Fresh:
    """What a read gives somebody now."""

    def __init__(self, user: User) -> None:
        self.held: Held = {}
        self.stubs: Held = {}
        for seat in Participant.objects.filter(user=user, room__in=rooms_of(user)):
            rows = History(seat.room, user).newest(200).rows
            messages = encode_for(user, rows)
            self.held[seat.room_id] = {message["id"]: message for message in messages}
            stubs = encode_stubs(seat, stubs_for(seat))
            self.stubs[seat.room_id] = {stub["id"]: stub for stub in stubs}
        self.comparable = comparable(self.held)
        self.seen = set(Message.objects.visible_to(user).values_list("pk", flat=True))


async def settle(hub: Hub, listener: Listening, fresh: Fresh, when: str) -> None:
    """Wait until the client holds what a fresh read gives; then ask what it was handed."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        await listener.client.settle()
        listener.take()
        if comparable(listener.held) == fresh.comparable and listener.stubs == fresh.stubs:
            break
        if asyncio.get_running_loop().time() > deadline:
            assert comparable(listener.held) == fresh.comparable, (when, listener.user)
            assert listener.stubs == fresh.stubs, (when, listener.user)
        await hub.check_heads()
        await asyncio.sleep(0.01)
    for message in listener.handed:
        assert message["id"] in fresh.seen, (when, listener.user, message)
        origin = message["shared_from"]
        assert origin is None or origin["message"] in fresh.seen, (when, listener.user, message)
    listener.handed.clear()
    known = {stub for some in listener.stubs.values() for stub in some}
    for stub in listener.shown:
        assert stub["id"] in known, (when, listener.user, stub)
        assert stub["anchor"] in fresh.seen, (when, listener.user, stub)
    listener.shown.clear()


def comparable(held: Held) -> dict[int, list[tuple[Any, ...]]]:
    """What must be the same. Where a share came from is told when it is handed over, and not
    taken back when one leaves the room it came from.
    """
    return {
        room: [
            (m["id"], m["version"], m["body"], m["reply_to"], m["reactions"], m["deleted_at"])
            for _, m in sorted(messages.items())
        ]
        for room, messages in held.items()
    }
