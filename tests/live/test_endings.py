"""How a socket ends: told why, at once, and no later than its credential."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from django.db import OperationalError
from django.utils import timezone

from accounts import tokens
from accounts.models import Login, Ticket, User
from live import credentials, database, listeners
from live import socket as sockets
from live.arrival import Arrival, Asked
from live.consumer import ChatConsumer
from live.credentials import authenticate
from live.database import run
from live.hub import Hub
from messages.models import Message
from tests.live.client import PATIENCE, Client
from tests.process import wait_until
from tests.world import PASSWORD, World

HOUR = timedelta(hours=1)


@pytest.fixture
def lose_signals(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on, this process hears nothing of what is committed."""
    return lambda: monkeypatch.setattr(listeners.hub, "in_hub", lambda work: None)


# Slow clients


async def chatter(world: World, count: int, size: int = 1_000) -> None:
    for n in range(count):
        await run(world.say, world.team, world.ben, f"{n} " + "x" * size)


async def test_who_does_not_keep_up_is_let_go_and_the_others_lose_nothing(
    world: World, hub: Hub, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_SOCKET_QUEUE_BYTES = 20_000
    monkeypatch.setattr(sockets, "PATIENCE", PATIENCE)  # until the others have heard it all
    slow, fast = [await Client.into(user, world.team.pk) for user in (world.gus, world.cleo)]
    slow.reads.clear()
    await chatter(world, 30)
    await fast._wait(lambda: len(fast.bodies) == 30)
    slow.reads.set()
    assert await slow.bye("too_slow") == 4008
    assert len(slow.bodies) < 30
    assert fast.closed is None
    await asyncio.wait([slow._task], timeout=PATIENCE)
    assert hub.sockets.keys() == {world.cleo.pk}


async def test_who_reads_nothing_at_all_is_cut_off(
    world: World, hub: Hub, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_SOCKET_QUEUE_BYTES = 5_000
    monkeypatch.setattr(sockets, "PATIENCE", 0.05)
    stuck, fast = [await Client.into(user, world.team.pk) for user in (world.gus, world.cleo)]
    stuck.reads.clear()
    await chatter(world, 10)
    await asyncio.wait([stuck._task], timeout=PATIENCE)
    assert stuck._task.done()
    assert world.gus.pk not in hub.sockets
    await fast._wait(lambda: len(fast.bodies) == 10)


async def test_nobody_waits_for_who_reads_nothing(world: World, hub: Hub) -> None:
    stuck, fast = [await Client.into(user, world.team.pk) for user in (world.gus, world.cleo)]
    stuck.reads.clear()
    for n in range(5):
        await fast.post(world.team.pk, f"line {n}")
        await fast.message(f"line {n}")
    stuck.reads.set()
    await stuck.message("line 4")
    assert stuck.bodies == [f"line {n}" for n in range(5)]


async def test_one_large_frame_makes_nobody_slow(world: World, hub: Hub, settings) -> None:
    settings.CHAT_SOCKET_QUEUE_BYTES = 5_000
    client = await Client.into(world.cleo, world.team.pk)
    await run(world.say, world.team, world.ben, "x" * 16_000)
    await client.message("x" * 16_000)
    await client.settle()
    assert client.closed is None


async def test_who_asks_for_more_than_they_take_is_not_read_on(
    world: World, hub: Hub, settings
) -> None:
    """What is owed is not bounded by its size, so nobody may let it be owed again and again."""
    await chatter(world, 10)
    client = await Client.into(world.cleo, world.team.pk)
    (socket,) = hub.sockets[world.cleo.pk]
    client.reads.clear()
    for _ in range(20):
        await client.send("join", room=world.team.pk)
    await client.send("post", room=world.team.pk, client_id=str(uuid4()), body="at last")
    ben = await Client.into(world.ben, world.team.pk)
    await ben.settle()
    assert len(socket._queue) < 5
    client.reads.set()
    await client.frame("posted")
    assert len(client.of_type("joined")) == 20


@pytest.mark.parametrize(
    "problem", [OSError("reset"), RuntimeError("after sending 'websocket.close'"), KeyError("odd")]
)
async def test_a_line_that_is_gone_costs_the_others_of_the_room_nothing(
    world: World, hub: Hub, problem: Exception
) -> None:
    people = (world.gus, world.cleo, world.ben)
    gone, *others = [await Client.into(user, world.team.pk) for user in people]
    (socket,) = hub.sockets[world.gus.pk]
    await gone.settle()
    await wait_until(lambda: socket._writer is None)

    async def given_up(event: object) -> None:
        raise problem

    socket._send = given_up
    await chatter(world, 3, size=1)
    for client in others:
        await client.message("2 x")
        await client.settle()
        assert client.bodies == ["0 x", "1 x", "2 x"]
    await asyncio.wait([gone._task], timeout=PATIENCE)
    assert world.gus.pk not in hub.sockets


# Stopping


async def test_a_server_that_stops_says_so(world: World, hub: Hub) -> None:
    clients = [await Client.into(user, world.team.pk) for user in (world.ben, world.cleo)]
    await hub.stop()
    for client in clients:
        assert await client.bye("restarting") == 1012


async def test_what_was_posted_before_the_stop_is_committed(world: World, hub: Hub) -> None:
    ben = await Client.into(world.ben, world.team.pk)
    for n in range(5):
        await ben.send("post", room=world.team.pk, client_id=str(uuid4()), body=f"line {n}")
    await ben.settle()
    await hub.stop()
    await ben.closing()
    assert await run(Message.objects.filter(kind="text").count) == 5
    assert len(ben.of_type("posted")) == 5
    assert ben.frames[-1]["type"] == "bye"


# Credentials


async def test_signing_out_ends_the_sockets_of_that_login_alone(world: World, hub: Hub) -> None:
    first, second = [await Client.into(world.cleo, world.team.pk) for _ in range(2)]
    ben = await Client.into(world.ben, world.team.pk)
    assert first.login
    await run(first.login.end)
    assert await first.bye("signed_out") == 4001
    for client in (second, ben):
        await client.settle()
        assert client.closed is None


async def test_every_socket_of_a_login_ends_with_it(world: World, hub: Hub) -> None:
    login = await run(Login.objects.start, world.cleo, kind=Login.Kind.TOKEN)
    by_token, by_ticket = Client(login), Client()
    await by_token.connect()
    await by_ticket.connect(ticket=await run(Ticket.objects.issue, login))
    await run(login.end)
    await by_token.bye("signed_out")
    await by_ticket.bye("signed_out")


async def test_a_revoked_refresh_token_ends_the_socket(world: World, hub: Hub) -> None:
    login = await run(Login.objects.start, world.cleo, kind=Login.Kind.TOKEN)
    client = Client(login)
    await client.connect()
    pair = await run(tokens.issue, login)
    await run(tokens.revoke, pair["refresh"])
    await client.bye("signed_out")


async def test_a_new_password_ends_all_sockets_but_the_one_it_was_changed_from(
    world: World, hub: Hub
) -> None:
    here, there = [await Client.into(world.cleo, world.team.pk) for _ in range(2)]
    cleo = await run(User.objects.get, pk=world.cleo.pk)
    await run(cleo.change_password, "quite another long one", by=cleo, keep=here.login)
    await there.bye("signed_out")
    await here.settle()
    await hub.check_heads()
    await here.settle()
    assert here.closed is None


async def test_deactivation_ends_all_sockets(world: World, hub: Hub) -> None:
    clients = [await Client.into(world.cleo, world.team.pk) for _ in range(2)]
    await run(world.cleo.deactivate, by=world.root)
    for client in clients:
        await client.bye("signed_out")


def end_login(world: World, login: Login) -> None:
    login.end()


def change_password(world: World, login: Login) -> None:
    world.cleo.change_password("quite another long one", by=world.cleo)


def deactivate(world: World, login: Login) -> None:
    world.cleo.deactivate(by=world.root)


def set_password_behind_our_back(world: World, login: Login) -> None:
    cleo = User.objects.get(pk=world.cleo.pk)
    cleo.set_password(PASSWORD + "!")
    cleo.save()


def erase(world: World, login: Login) -> None:
    login.delete()


@pytest.mark.parametrize(
    "how", [end_login, change_password, deactivate, set_password_behind_our_back, erase]
)
async def test_the_end_of_a_login_is_noticed_without_its_signal(
    world: World,
    hub: Hub,
    lose_signals: Callable[[], None],
    how: Callable[[World, Login], None],
) -> None:
    cleo, ben = [await Client.into(user, world.team.pk) for user in (world.cleo, world.ben)]
    lose_signals()
    assert cleo.login
    await run(how, world, cleo.login)
    await cleo.settle()
    assert cleo.closed is None
    await hub.check_heads()
    await cleo.bye("signed_out")
    await ben.settle()
    assert ben.closed is None


class Ending:
    """Lets a socket in for an hour, which is over when a test says so, however long arriving took;
    and counts how often its login is read again.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, which: str, *, failures: int = 0) -> None:
        self.which, self.failures, self.asked = which, failures, 0
        monkeypatch.setattr(database, "WAITS", (0.01, 0.01))
        monkeypatch.setattr(credentials, "authenticate", self._let_in)
        read = Login.as_it_is_now
        monkeypatch.setattr(Login, "as_it_is_now", lambda login: self._read(login, read))
        watch = ChatConsumer._watch_expiry
        monkeypatch.setattr(ChatConsumer, "_watch_expiry", lambda one: self._watch(one, watch))

    def comes(self) -> None:
        """What let the socket in ends now, and so the timer."""
        loop = asyncio.get_running_loop()
        assert loop.time() < self.consumer.expiry.when() <= loop.time() + HOUR.total_seconds()
        self.consumer.expiry.cancel()
        socket = self.consumer.socket
        ending = socket if self.which == "credential_ends_at" else socket.login
        setattr(ending, self.which, timezone.now())
        self.consumer._watch_expiry()

    def _watch(self, consumer: ChatConsumer, watch: Callable[[ChatConsumer], None]) -> None:
        self.consumer = consumer
        watch(consumer)

    def _let_in(self, *args: Any) -> list[Login]:
        logins = authenticate(*args)
        for login in logins:
            login.credential_ends_at = None
            setattr(login, self.which, timezone.now() + HOUR)
        return logins

    def _read(self, login: Login, read: Callable[[Login], Login | None]) -> Login | None:
        self.asked += 1
        if self.asked <= self.failures:
            raise OperationalError("away")
        return read(login)


async def test_a_socket_ends_with_its_token_and_nobody_is_asked(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its login goes on, but was not what it came by; and the database may be away for minutes."""
    end = Ending(monkeypatch, "credential_ends_at", failures=100)
    client = await Client.of(world.cleo)
    end.comes()
    assert await client.bye("expired") == 4001
    assert end.asked == 0


async def test_a_socket_ends_with_its_own_token_whatever_others_of_its_login_show(
    world: World, hub: Hub
) -> None:
    login = await run(Login.objects.start, world.cleo, kind=Login.Kind.TOKEN)
    ends = []
    for minutes in (5, 50, 20):
        token = tokens.AccessToken((await run(tokens.issue, login))["access"])
        token.set_exp(lifetime=timedelta(minutes=minutes))
        ends.append(token["exp"])
        await Client().connect(headers={"Authorization": f"Bearer {token}"})
    await hub.check_heads()
    found = {socket.valid_until.timestamp() for socket in hub.sockets[world.cleo.pk]}
    assert found == set(ends)


@pytest.mark.parametrize("failures", [0, 1])
async def test_a_login_that_was_used_meanwhile_goes_on(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    """Also where the database does not answer at once."""
    end = Ending(monkeypatch, "expires_at", failures=failures)
    client = await Client.of(world.cleo)
    end.comes()
    (socket,) = hub.sockets[world.cleo.pk]
    await wait_until(lambda: socket.valid_until > timezone.now() + timedelta(days=1))
    await client.settle()
    assert client.closed is None
    assert end.asked == failures + 1


async def test_a_login_ends_though_the_database_is_gone(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Ending(monkeypatch, "expires_at", failures=100)
    client = await Client.of(world.cleo)
    end.comes()
    assert await client.bye("expired") == 4001
    assert end.asked == 3


async def test_a_socket_ends_when_its_login_expires(world: World, hub: Hub) -> None:
    client = await Client.into(world.cleo, world.team.pk)
    assert client.login
    mine = Login.objects.filter(pk=client.login.pk)
    await run(mine.update, expires_at=timezone.now() - timedelta(seconds=1))
    await hub.check_heads()
    await client.closing()
    assert client.frames[-1]["reason"] in ("expired", "signed_out")


async def test_a_login_that_ends_while_its_socket_arrives_ends_it(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between being let in and being known to the hub there is a moment."""
    login = await run(Login.objects.start, world.cleo, kind=Login.Kind.TOKEN)

    def ends_meanwhile(*args: Any) -> list[Login]:
        found = authenticate(*args)
        login.end()
        return found

    monkeypatch.setattr(credentials, "authenticate", ends_meanwhile)
    client = Client(login)
    await client.connect()
    await client.bye("signed_out")


@pytest_asyncio.fixture
async def arriving(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Client, asyncio.Future[None]]]:
    """Cleo's socket, accepted, with what is told of the room read for it; and what says whether its
    login is over.
    """
    is_read = asyncio.Event()
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    come_in = hub.usher._come_in

    async def noted(asked: Asked) -> Arrival:
        came = await come_in(asked)
        is_read.set()
        return came

    monkeypatch.setattr(hub.usher, "_come_in", noted)
    monkeypatch.setattr(hub.usher.memberships, "ask", lambda login: answer)
    client = Client(await run(Login.objects.start, world.cleo, kind=Login.Kind.TOKEN))
    connecting = asyncio.create_task(client.connect(world.team.pk))
    await is_read.wait()
    await asyncio.sleep(0)
    yield client, answer
    connecting.cancel()
    await asyncio.wait([connecting])


async def test_who_is_not_let_in_is_told_nothing_of_the_room(
    arriving: tuple[Client, asyncio.Future[None]],
) -> None:
    """Though it was read for them meanwhile."""
    client, answer = arriving
    assert client.frames == []
    answer.set_result(None)
    assert await client.bye("signed_out") == 4001
    assert client.hello, "as whoever connects"
    assert [frame["type"] for frame in client.frames] == ["bye"]


async def test_who_was_not_greeted_is_told_good_bye_at_once(
    world: World, hub: Hub, arriving: tuple[Client, asyncio.Future[None]]
) -> None:
    client, _ = arriving
    (socket,) = hub.sockets[world.cleo.pk]
    await socket.close("restarting")
    assert await client.bye("restarting") == 1012
    assert [frame["type"] for frame in client.frames] == ["bye"]
    await wait_until(lambda: not hub.sockets)


async def test_after_the_end_nothing_is_read(world: World, hub: Hub) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    assert cleo.login
    await run(cleo.login.end)
    await cleo.closing()
    await cleo.send("post", room=world.team.pk, client_id=str(uuid4()), body="too late")
    await asyncio.wait([cleo._task], timeout=PATIENCE)
    ben = await Client.into(world.ben, world.team.pk)
    await ben.post(world.team.pk, "in time")
    assert await run(Message.objects.filter(body="too late").count) == 0


async def test_a_client_that_goes_is_forgotten(world: World, hub: Hub) -> None:
    cleo = await Client.into(world.cleo, world.team.pk)
    await cleo.disconnect()
    assert cleo._task.done()
    assert hub.sockets == {}
