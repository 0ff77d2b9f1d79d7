"""Who gets a socket, and who is refused before it is accepted."""

import pytest
import time_machine
from django.conf import settings
from django.test import Client as Browser
from django.utils import timezone

from accounts import tokens
from accounts.errors import Forbidden
from accounts.models import Login, Ticket, User
from live.database import run
from live.hub import Hub
from tests.live.client import Client, Refused
from tests.world import PASSWORD, World

HOST = "chat.test"
OUR_ORIGIN = f"https://{HOST}"


@pytest.fixture(autouse=True)
def _host(settings) -> None:
    settings.ALLOWED_HOSTS = [HOST]
    settings.CSRF_TRUSTED_ORIGINS = ["https://partner.test"]


def page_of(user: User) -> Browser:
    """A browser in which `user` has signed in, by the form."""
    browser = Browser(headers={"host": HOST})
    answer = browser.post("/login/", {"username": user.handle, "password": PASSWORD})
    assert answer.status_code == 302
    return browser


def cookie_of(browser: Browser) -> str:
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={browser.cookies[name].value}"


async def arrive(cookie: str = "", origin: str | None = OUR_ORIGIN, **headers: str) -> Client:
    """As a browser does it. Raises Refused."""
    sent = {"host": HOST, **headers}
    if cookie:
        sent["cookie"] = cookie
    if origin is not None:
        sent["origin"] = origin
    client = Client()
    await client.connect(headers=sent)
    return client


async def is_refused(**how: str) -> bool:
    try:
        await arrive(**how)
    except Refused:
        return True
    return False


def access_of(user: User) -> str:
    return tokens.issue(Login.objects.start(user, kind=Login.Kind.TOKEN))["access"]


def ticket_of(user: User) -> str:
    return Ticket.objects.issue(Login.objects.start(user, kind=Login.Kind.TOKEN))


# By the session of a page


async def test_a_page_of_ours_connects_by_its_session(world: World, hub: Hub) -> None:
    client = await arrive(cookie_of(await run(page_of, world.ben)))
    assert client.hello["user"] == world.ben.public()
    assert client.hello["session"]


@pytest.mark.parametrize("other", ['prefs={"a":1}', "a,b=1", "x=[1]", 'q="open', "é=1"])
async def test_an_odd_cookie_beside_the_session_hides_it_from_no_socket(
    world: World, hub: Hub, other: str
) -> None:
    session = cookie_of(await run(page_of, world.ben))
    client = await arrive(f"{other}; {session}; {other}")
    assert client.hello["user"]["id"] == world.ben.pk


async def test_every_socket_has_a_session_of_its_own(world: World, hub: Hub) -> None:
    cookie = cookie_of(await run(page_of, world.ben))
    first, second = await arrive(cookie), await arrive(cookie)
    assert first.hello["session"] != second.hello["session"]


async def test_a_trusted_origin_may_use_the_session(world: World, hub: Hub) -> None:
    client = await arrive(cookie_of(await run(page_of, world.ben)), "https://partner.test")
    assert client.hello["user"]["id"] == world.ben.pk


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "https://evil.test",
        f"https://{HOST}.evil.test",
        f"https://evil.test/{HOST}",
        f"https://{HOST}:8443",
        f"https://{HOST}@evil.test",
        f"ftp://{HOST}",
        f"{HOST}",
        "https://[",
        "https://partner.test.evil.test",
    ],
)
async def test_the_session_is_no_use_to_pages_of_others(
    world: World, hub: Hub, origin: str | None
) -> None:
    assert await is_refused(cookie=cookie_of(await run(page_of, world.ben)), origin=origin)


async def test_an_encrypted_site_knows_no_page_that_is_not(
    world: World, hub: Hub, settings
) -> None:
    cookie = cookie_of(await run(page_of, world.ben))
    await arrive(cookie, f"http://{HOST}")
    settings.SESSION_COOKIE_SECURE = True
    assert await is_refused(cookie=cookie, origin=f"http://{HOST}")
    await arrive(cookie, OUR_ORIGIN)


async def test_a_host_that_is_not_ours_does_not_make_its_origin_ours(
    world: World, hub: Hub
) -> None:
    cookie = cookie_of(await run(page_of, world.ben))
    assert await is_refused(cookie=cookie, host="evil.test", origin="https://evil.test")


@pytest.mark.parametrize("cookie", ["", "sessionid=", "sessionid=made-up", "a=b; ; =", "\x00\xff"])
async def test_a_session_nobody_made_is_refused(world: World, hub: Hub, cookie: str) -> None:
    assert await is_refused(cookie=cookie)


async def test_a_session_is_refused_once_signed_out(world: World, hub: Hub) -> None:
    browser = await run(page_of, world.ben)
    cookie = cookie_of(browser)
    await run(browser.post, "/logout/")
    assert await is_refused(cookie=cookie)


async def test_a_session_is_refused_once_the_password_is_another(world: World, hub: Hub) -> None:
    cookie = cookie_of(await run(page_of, world.ben))
    await run(world.ben.change_password, "quite another long one", by=world.ben)
    assert await is_refused(cookie=cookie)


async def test_a_deactivated_person_is_refused_by_every_door(world: World, hub: Hub) -> None:
    cookie = cookie_of(await run(page_of, world.ben))
    access, ticket = await run(access_of, world.ben), await run(ticket_of, world.ben)
    await run(world.ben.deactivate, by=world.root)
    assert await is_refused(cookie=cookie)
    assert await is_refused(authorization=f"Bearer {access}")
    with pytest.raises(Refused):
        await Client().connect(ticket=ticket)


# By a token


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_a_bearer_needs_no_origin(world: World, hub: Hub, scheme: str) -> None:
    access = await run(access_of, world.cleo)
    client = await arrive(origin=None, authorization=f"{scheme} {access}")
    assert client.hello["user"] == world.cleo.public()


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "Bearer ü"]
)
async def test_what_is_no_token_is_refused(world: World, hub: Hub, header: str) -> None:
    assert await is_refused(authorization=header)


async def test_a_refresh_token_opens_no_socket(world: World, hub: Hub) -> None:
    login = await run(Login.objects.start, world.ben, kind=Login.Kind.TOKEN)
    pair = await run(tokens.issue, login)
    assert await is_refused(authorization=f"Bearer {pair['refresh']}")


async def test_a_wrong_bearer_is_not_saved_by_a_session(world: World, hub: Hub) -> None:
    cookie = cookie_of(await run(page_of, world.ben))
    assert await is_refused(cookie=cookie, authorization="Bearer x.y.z")


async def test_an_expired_access_token_is_refused(world: World, hub: Hub) -> None:
    access = await run(access_of, world.ben)
    with time_machine.travel(timezone.now() + settings.CHAT_ACCESS_LIFETIME * 1.01):
        assert await is_refused(authorization=f"Bearer {access}")


async def test_a_token_is_refused_once_its_login_has_ended(world: World, hub: Hub) -> None:
    login = await run(Login.objects.start, world.ben, kind=Login.Kind.TOKEN)
    access = (await run(tokens.issue, login))["access"]
    await run(login.end)
    assert await is_refused(authorization=f"Bearer {access}")


@pytest.mark.parametrize("kind", ["guest", "customer"])
async def test_guests_and_customers_connect_too(world: World, hub: Hub, kind: str) -> None:
    user = {"guest": world.gus, "customer": world.carl}[kind]
    client = await arrive(origin=None, authorization=f"Bearer {await run(access_of, user)}")
    assert client.hello["user"]["kind"] == kind


@pytest.mark.parametrize("name", ["parrot", "system"])
async def test_robots_and_the_system_have_nothing_to_connect_by(
    world: World, hub: Hub, name: str
) -> None:
    for credential in (access_of, ticket_of):
        with pytest.raises(Forbidden):
            await run(credential, world.people[name])


# By a ticket


async def test_a_ticket_opens_one_socket(world: World, hub: Hub) -> None:
    ticket = await run(ticket_of, world.ben)
    client = Client()
    await client.connect(ticket=ticket)
    assert client.hello["user"]["id"] == world.ben.pk
    with pytest.raises(Refused):
        await Client().connect(ticket=ticket)


async def test_an_old_ticket_opens_nothing(world: World, hub: Hub) -> None:
    ticket = await run(ticket_of, world.ben)
    later = timezone.now() + settings.CHAT_TICKET_LIFETIME * 1.01
    with time_machine.travel(later), pytest.raises(Refused):
        await Client().connect(ticket=ticket)


async def test_a_ticket_ends_with_its_login(world: World, hub: Hub) -> None:
    login = await run(Login.objects.start, world.ben, kind=Login.Kind.TOKEN)
    ticket = await run(Ticket.objects.issue, login)
    await run(login.end)
    with pytest.raises(Refused):
        await Client().connect(ticket=ticket)


@pytest.mark.parametrize("ticket", ["", "made-up", "%00", "%ED%A0%80", "x" * 5000])
async def test_what_is_no_ticket_is_refused(world: World, hub: Hub, ticket: str) -> None:
    with pytest.raises(Refused):
        await Client().connect(ticket=ticket)


# What is told first


async def test_hello_comes_first_and_once(world: World, hub: Hub) -> None:
    client = await Client.into(world.ben, world.team.pk)
    await client.settle()
    assert client.of_type("hello") == []


async def test_a_room_in_the_address_is_joined(world: World, hub: Hub) -> None:
    client = await Client.into(world.ben, world.team.pk)
    assert client.joined["room"]["id"] == world.team.pk


async def test_a_cursor_in_the_address_is_joined_from(world: World, hub: Hub) -> None:
    earlier = await Client.into(world.ben, world.team.pk)
    await run(world.say, world.team, world.cleo, "meanwhile")
    later = await Client.of(world.ben, world.team.pk, cursor=earlier.joined["cursor"])
    await later.frame("synced", room=world.team.pk)
    assert later.bodies == ["meanwhile"]
    assert not later.of_type("joined", "reset")


@pytest.mark.parametrize("room", ["support", "public", 0, 999_999, 2**63 - 1])
async def test_a_room_one_may_not_see_is_not_there(world: World, hub: Hub, room: str | int) -> None:
    pk = getattr(world, room).pk if isinstance(room, str) else room
    client = await Client.of(world.vic, pk)
    error = await client.error("not_found")
    assert error["room"] == pk
    assert not error["retryable"]
    await client.settle()
    assert client.frames == []


@pytest.mark.parametrize("path", ["/ws/x/", "/ws/rooms/x/", f"/ws/rooms/{2**63}/", "/", "/ws"])
async def test_where_there_is_no_socket_nobody_is_accepted(
    world: World, hub: Hub, path: str
) -> None:
    login = await run(Login.objects.start, world.ben, kind=Login.Kind.TOKEN)
    with pytest.raises(Refused):
        await Client(login).connect(path=path)


@pytest.mark.parametrize("room", ["public", "support"])
async def test_a_room_one_may_find_is_not_there_until_one_is_in_it(
    world: World, hub: Hub, room: str
) -> None:
    """The socket shows messages; what may be found is for the lists."""
    client = await Client.of(world.amy, world.rooms[room].pk)
    await client.error("not_found", room=world.rooms[room].pk)


async def test_while_stopping_nobody_is_let_in(world: World, hub: Hub) -> None:
    await hub.stop()
    with pytest.raises(Refused):
        await Client.of(world.ben)
