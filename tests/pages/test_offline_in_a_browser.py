"""What becomes of what one writes where the line, the server or the page itself goes away."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, WebSocketRoute, expect

from tests.pages.browsing import (
    IN_CHROMIUM,
    arrive,
    faults,
    landed,
    load,
    ready,
    reload,
    say,
    serve,
    sign_in,
)
from tests.process import PASSWORD, Server, demo, wait_for

pytestmark = IN_CHROMIUM

WAITING = ".entry-pending"
UNSENT = "Object.keys(localStorage).filter((key) => key.startsWith('outbox:')).length"
BANNER = "chat-connection"
Enter = Callable[..., Page]
KEPT = """
async () => {
  const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
  const kept = await Promise.all(caches_.map((cache) => cache.keys()));
  return kept.flat().map(({ url }) => new URL(url).pathname);
}"""


class Moody:
    """A server that is killed, and comes back at the same address."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {**environment, "CHAT_THROTTLES": "0"}
        self.start()

    def start(self, *arguments: str) -> None:
        self.server = Server(self.environment, *arguments)
        try:
            self.server.__enter__()
        except BaseException:
            self.server.__exit__()
            raise
        self.url = self.server.url
        self.environment["PORT"] = str(urlsplit(self.url).port)

    def kill(self) -> None:
        self.server.stop(signal.SIGKILL)
        self.server.__exit__()

    def come_back(self) -> None:
        self.start("--no-prepare")

    def sign_in(self, who: str) -> httpx.Client:
        return self.server.sign_in(who)


@pytest.fixture(scope="module")
def moody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moody]:
    folder: Path = tmp_path_factory.mktemp("moody")
    with demo(folder) as environment:
        server = Moody(environment)
        yield server
        server.server.__exit__()


@pytest.fixture(scope="module")
def cleo(moody: Moody) -> httpx.Client:
    return moody.sign_in("cleo")


@pytest.fixture
def room(moody: Moody) -> int:
    """A room of Ben's and Cleo's."""
    ben = moody.sign_in("ben")
    (other,) = (
        one for one in ben.get("users/?q=cleo").json()["results"] if one["handle"] == "cleo"
    )
    answer = ben.post("rooms/", json={"name": f"Line {uuid4()}", "people": [other["id"]]})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


@pytest.fixture
def enter(moody: Moody, browser: Browser) -> Iterator[Enter]:
    """`enter(who, room)`: a browser of theirs, in that room; `before(page)` prepares it."""
    contexts = []

    def entering(who: str, room: int, before: Any = None, **how: Any) -> Page:
        context = browser.new_context(**{"service_workers": "block", **how})
        contexts.append(context)
        page = context.new_page()
        if before:
            before(page)
        arrive(page, moody.server, who, f"/rooms/{room}/")
        ready(page)
        return page

    yield entering
    for context in contexts:
        context.close()


def live(page: Page) -> None:
    expect(page.locator(BANNER)).to_have_attribute("data-state", "live")
    expect(page.locator(BANNER)).to_be_hidden()


def said(reader: httpx.Client, room: int) -> list[str]:
    found = reader.get(f"rooms/{room}/messages/?limit=200").json()["messages"]
    return [message["body"] for message in found if message["kind"] == "text"]


def test_what_is_written_while_the_server_is_gone_comes_once_and_in_order(
    moody: Moody, enter: Enter, room: int, cleo: httpx.Client
) -> None:
    ben = enter("ben", room, service_workers="allow")
    serve(ben)
    say(ben, "before")
    expect(ben.locator("[data-entry] [data-body]", has_text="before")).to_be_visible()
    # What is seen was sent; that it was is heard a moment later.
    wait_for(lambda: not ben.evaluate(UNSENT))
    moody.kill()
    words = [f"number {number}" for number in range(5)]
    for each in words:
        say(ben, each)
    expect(ben.locator(WAITING)).to_have_count(5)
    expect(ben.locator(BANNER)).to_contain_text("What you write is kept")
    reload(ben)
    expect(ben.locator("h1").first).to_have_text("You are offline")
    expect(ben.locator(".waiting-post [data-body]")).to_have_text(words)
    assert faults(ben) == []
    moody.come_back()
    expect(ben.locator("[data-entry] [data-body]", has_text="number 4")).to_be_visible()
    expect(ben.locator(WAITING)).to_have_text([])
    assert said(cleo, room) == ["before", *words]


def test_a_post_whose_answer_was_lost_is_not_said_twice(
    enter: Enter, room: int, cleo: httpx.Client
) -> None:
    cut: list[WebSocketRoute] = []

    def lose_the_answer(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def back(frame: str) -> None:
            mine = '"type":"posted"' in frame or '"body":"once"' in frame
            if mine and not cut:
                cut.append(socket)
                socket.close()
            elif socket not in cut:
                socket.send(frame)

        server.on_message(back)

    def prepare(page: Page) -> None:
        page.route_web_socket("**/ws/**", lose_the_answer)
        page.route("**/release", lambda route: route.fulfill(json={"release": "another"}))

    ben = enter("ben", room, prepare)
    live(ben)
    expect(ben.locator("chat-release")).to_be_hidden()
    say(ben, "once")
    say(ben, "after it")
    expect(ben.locator("[data-entry] [data-body]", has_text="after it")).to_be_visible()
    expect(ben.locator(WAITING)).to_have_count(0)
    expect(ben.locator("[data-body]", has_text="once")).to_have_count(1)
    assert cut
    assert said(cleo, room) == ["once", "after it"]
    # The line was lost, perhaps to a restart: a newer release is told of, and may wait.
    expect(ben.locator("chat-release")).to_contain_text("A new version is there.")
    ben.click("chat-release button")
    expect(ben.locator("chat-release")).to_have_count(0)


def test_without_a_socket_one_posts_and_hears_all_the_same(
    moody: Moody, enter: Enter, room: int, cleo: httpx.Client
) -> None:
    ben = enter(
        "ben", room, lambda page: page.route_web_socket("**/ws/**", lambda socket: socket.close())
    )
    expect(ben.locator(BANNER)).to_contain_text("News come a little later")
    say(ben, "by another way")
    expect(ben.locator("[data-entry] [data-body]", has_text="by another way")).to_be_visible()
    expect(ben.locator(WAITING)).to_have_count(0)
    cleo.post(f"rooms/{room}/messages/", json={"client_id": str(uuid4()), "body": "heard"})
    expect(ben.locator("[data-entry] [data-body]", has_text="heard")).to_be_visible()
    assert said(cleo, room) == ["by another way", "heard"]
    reader = moody.sign_in("ben")
    wait_for(lambda: reader.get(f"rooms/{room}/").json()["unread"] == 0)


def test_what_is_refused_for_now_or_answered_in_part_arrives_once_and_in_order(
    enter: Enter, room: int, cleo: httpx.Client
) -> None:
    answered: list[str] = []

    def answer(route: Route) -> None:
        if route.request.method != "POST" or len(answered) > 1:
            return route.continue_()
        if not answered:
            answered.append("unavailable")
            return route.fulfill(status=503, json={"error": {"code": "unavailable"}})
        answered.append("in part")
        whole = route.fetch()
        return route.fulfill(status=whole.status, body=whole.text()[:20])

    def prepare(page: Page) -> None:
        page.route_web_socket("**/ws/**", lambda socket: socket.close())
        page.route("**/api/v1/rooms/*/messages/", answer)

    ben = enter("ben", room, prepare)
    words = ["one", "two", "three"]
    for each in words:
        say(ben, each)
    expect(ben.locator("[data-entry] [data-body]", has_text="three")).to_be_visible()
    expect(ben.locator(WAITING)).to_have_count(0)
    assert answered == ["unavailable", "in part"]
    assert said(cleo, room) == words


def test_what_waits_is_shown_whatever_happens_to_an_older_message_of_the_same_words(
    enter: Enter, room: int, cleo: httpx.Client
) -> None:
    held: list[str] = []

    def hold(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def on(frame: str) -> None:
            if '"type":"post"' in frame and cleo_heard:
                held.append(frame)
            else:
                server.send(frame)

        socket.on_message(on)

    cleo_heard: list[int] = []
    ben = enter("ben", room, lambda page: page.route_web_socket("**/ws/**", hold))
    live(ben)
    say(ben, "done")
    expect(ben.locator(WAITING)).to_have_count(0)
    (first,) = cleo.get(f"rooms/{room}/messages/").json()["messages"][-1:]
    cleo_heard.append(first["id"])
    say(ben, "done")
    wait_for(lambda: held or ben.wait_for_timeout(20))
    cleo.put(f"messages/{first['id']}/reactions/👍/")
    expect(ben.locator(f"#message-{first['id']} .reaction")).to_have_count(1)
    expect(ben.locator(WAITING)).to_have_count(1)


def test_a_tab_that_slept_for_an_hour_comes_back_right(
    moody: Moody, enter: Enter, room: int, cleo: httpx.Client
) -> None:
    asleep: list[bool] = []

    def half_open(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        here = len(asleep)
        server.on_message(lambda frame: None if len(asleep) > here else socket.send(frame))
        socket.on_message(lambda frame: None if len(asleep) > here else server.send(frame))

    def prepare(page: Page) -> None:
        page.route_web_socket("**/ws/**", half_open)
        page.clock.install()

    ben = enter("ben", room, prepare)
    live(ben)
    posted = [
        cleo.post(f"rooms/{room}/messages/", json={"client_id": str(uuid4()), "body": body}).json()
        for body in ("to be changed", "to be gone")
    ]
    expect(ben.locator("[data-entry] [data-body]", has_text="to be gone")).to_be_visible()
    asleep.append(True)
    cleo.patch(f"messages/{posted[0]['id']}/", json={"body": "changed"})
    cleo.delete(f"messages/{posted[1]['id']}/")
    assert moody.sign_in("ben").patch(f"rooms/{room}/", json={"name": "Woken"}).status_code == 200
    cleo.post(f"rooms/{room}/messages/", json={"client_id": str(uuid4()), "body": "slept through"})
    ben.clock.fast_forward("01:00:00")
    expect(ben.locator("[data-entry] [data-body]", has_text="slept through")).to_be_visible()
    expect(ben.locator(f"#message-{posted[0]['id']} [data-body]")).to_have_text("changed")
    expect(ben.locator(f"#message-{posted[1]['id']}")).not_to_contain_text("to be gone")
    expect(ben.locator("h1")).to_have_text("Woken")


def test_what_is_refused_for_good_says_why_and_is_kept_until_its_writer_decides(
    moody: Moody, enter: Enter, room: int, cleo: httpx.Client
) -> None:
    shut: list[bool] = []
    sockets: list[WebSocketRoute] = []

    def cut(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if shut:
            socket.close()
        else:
            socket.connect_to_server()

    def prepare(page: Page) -> None:
        page.route_web_socket("**/ws/**", cut)

    ben = enter("ben", room, prepare)
    live(ben)
    shut.append(True)
    ben.route("**/api/v1/**", lambda route: route.abort())
    sockets[-1].close()
    for each in ("first", "second"):
        say(ben, each)
    expect(ben.locator(WAITING)).to_have_count(2)
    owner = moody.sign_in("ben")
    assert owner.post(f"rooms/{room}/close/", json={"outcome": "unknown"}).status_code == 200
    shut.clear()
    ben.unroute("**/api/v1/**")
    failed = ben.locator(f"{WAITING}[data-failed]")
    expect(failed).to_have_count(2)
    expect(failed.first.locator("[data-why]")).to_have_text("The room was closed meanwhile.")
    ben.reload()
    expect(failed).to_have_count(2)
    assert faults(ben) == []
    failed.last.locator("[data-discard]").click()
    expect(failed).to_have_count(1)
    assert owner.post(f"rooms/{room}/reopen/").status_code == 200
    failed.locator("[data-again]").click()
    expect(ben.locator(WAITING)).to_have_count(0)
    assert said(cleo, room) == ["first"]


def test_signing_out_leaves_nothing_and_another_is_shown_nothing(
    moody: Moody, enter: Enter, room: int, cleo: httpx.Client
) -> None:
    blocked: list[bool] = []

    def prepare(page: Page) -> None:
        page.context.route("**/api/v1/rooms/*/messages/**", lambda route: route.abort())
        page.context.route_web_socket(
            "**/ws/**", lambda socket: socket.close() if not blocked else socket.connect_to_server()
        )

    ben = enter("ben", room, prepare)
    say(ben, "a secret of Ben's")
    expect(ben.locator(WAITING)).to_have_count(1)
    # The login ends by itself: what was written waits for its writer, whoever comes in between.
    ben.context.clear_cookies()
    ben.goto(f"{moody.url}/login/")
    sign_in(ben, moody.server, "cleo", f"/rooms/{room}/")
    blocked.append(True)
    ready(ben)
    reload(ben)
    live(ben)
    expect(ben.locator(WAITING)).to_have_count(0)
    load(ben, f"{moody.url}/outbox/")
    expect(ben.locator("[data-none]")).to_be_visible()
    load(ben, f"{moody.url}/rooms/{room}/")
    ben.click("chat-sign-out button")
    landed(ben, "**/login/")
    kept = ben.evaluate("Object.keys(localStorage)")
    (waiting,) = (key for key in kept if key.startswith("outbox:"))
    # Ben's own, for when he is back; of Cleo nothing.
    assert {key.split(":")[1] for key in kept if ":" in key} == {waiting.split(":")[1]}
    assert "who" not in kept
    assert said(cleo, room) == []
    sign_in(ben, moody.server, "ben", f"/rooms/{room}/")
    expect(ben.locator("[data-entry] [data-body]", has_text="a secret of Ben's")).to_be_visible()
    assert said(cleo, room) == ["a secret of Ben's"]


def test_the_page_of_what_waits_goes_on_when_its_writer_has_signed_in_again(
    moody: Moody, enter: Enter, room: int, cleo: httpx.Client
) -> None:
    def hold(page: Page) -> None:
        page.route("**/api/v1/**", lambda route: route.abort())
        page.route_web_socket("**/ws/**", lambda socket: socket.close())

    ben = enter("ben", room, hold)
    say(ben, "before the login ended")
    expect(ben.locator(WAITING)).to_have_count(1)
    ben.context.clear_cookies()
    page, other = ben.context.new_page(), ben.context.new_page()
    ben.close()
    with page.expect_response("**/api/v1/me/") as asked:
        page.goto(f"{moody.url}/outbox/")
    assert asked.value.status == 401
    hold(other)
    sign_in(other, moody.server, "ben", "/")
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("[data-none]")).to_be_visible()
    assert said(cleo, room) == ["before the login ended"]


def test_what_two_tabs_send_is_said_once_and_in_order(
    enter: Enter, room: int, cleo: httpx.Client
) -> None:
    shut = [True]
    sent: list[str] = []

    def watch(socket: WebSocketRoute) -> None:
        if shut:
            return socket.close()
        server = socket.connect_to_server()

        def on(frame: str) -> None:
            heard = json.loads(frame)
            if heard["type"] == "post":
                sent.append(heard["body"])
            server.send(frame)

        socket.on_message(on)
        return None

    def prepare(page: Page) -> None:
        page.context.route_web_socket("**/ws/**", watch)
        page.context.route("**/api/v1/**", lambda route: route.abort())

    ben = enter("ben", room, prepare)
    for each in ("one", "two", "three"):
        say(ben, each)
    other = ben.context.new_page()
    load(other, ben.url)
    expect(other.locator(WAITING)).to_have_count(3)
    shut.clear()
    for page in (ben, other):
        page.evaluate("dispatchEvent(new Event('online'))")
    for page in (ben, other):
        expect(page.locator(WAITING)).to_have_count(0)
        expect(page.locator("[data-entry] [data-body]", has_text="three")).to_have_count(1)
    # Whoever's line was cut meanwhile sends again what was under way, under its id.
    assert list(dict.fromkeys(sent)) == ["one", "two", "three"]
    assert wait_for(lambda: said(cleo, room)) == ["one", "two", "three"]


def test_it_can_be_installed(enter: Enter, room: int) -> None:
    ben = enter("ben", room, service_workers="allow")
    serve(ben)
    tools = ben.context.new_cdp_session(ben)
    errors = tools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # Playwright's contexts are private windows, which install nothing.
    assert {error["errorId"] for error in errors} <= {"in-incognito"}
    assert tools.send("Page.getAppManifest")["errors"] == []
    kept = ben.evaluate(KEPT)
    assert "/outbox/" in kept
    assert {path for path in kept if not path.startswith("/static/")} == {"/outbox/"}


def test_a_login_that_ended_leads_to_signing_in_and_back_to_what_was_begun(
    enter: Enter, room: int, cleo: httpx.Client
) -> None:
    sockets: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    ben = enter("ben", room, lambda page: page.route_web_socket("**/ws/**", connect))
    live(ben)
    ben.context.clear_cookies()
    ben.fill(".composer textarea", "begun")
    for socket in sockets:
        socket.close()
    expect(ben.locator(BANNER)).to_contain_text("You are signed out. What you wrote is kept")
    assert faults(ben) == []
    ben.click("[data-sign-in]")
    ben.fill("[name=username]", "ben")
    ben.fill("[name=password]", PASSWORD)
    ben.click("main form button")
    ben.wait_for_url(f"**/rooms/{room}/")
    expect(ben.locator(".composer textarea")).to_have_value("begun")
    assert said(cleo, room) == []
