"""Side-bars as a browser shows them: the panel beside the room, what comes live, phone and axe."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from playwright.sync_api import APIResponse, Page, Route, WebSocketRoute, expect

from tests.pages.browsing import IN_CHROMIUM, Visit, landed, load, ready, reload
from tests.process import Server, wait_for

pytestmark = IN_CHROMIUM

ROOM = "/rooms/1/"
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 700}
DRAWN = "new Promise((drawn) => requestAnimationFrame(() => drawn()))"
# A frame, as if the socket had told it.
TELL = """
async ([type, detail]) => {
  const { connection } = await import("chat/page");
  connection.dispatchEvent(new CustomEvent(type, { detail: { type, ...detail } }));
}"""


@pytest.fixture
def anchor(server: Server) -> int:
    """A message that somebody has just said in the first room."""
    body = {"client_id": str(uuid4()), "body": f"What about this? {uuid4()}"}
    answer = server.sign_in("ben").post("rooms/1/messages/", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def opened(server: Server, anchor: int, **given: object) -> int:
    """A side-bar that Ben has opened on it."""
    answer = server.sign_in("ben").post(f"messages/{anchor}/sidebars/", json=given)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def say(page: Page, words: str, *, where: str = ".panel") -> None:
    page.fill(f"{where} .composer textarea", words)
    page.press(f"{where} .composer textarea", "Enter")


def said(page: Page, words: str, *, where: str = ".panel") -> None:
    """Wait until it is there."""
    expect(page.locator(f"{where} [data-entry] [data-body]", has_text=words)).to_be_visible()


def test_one_is_opened_read_and_answered_beside_the_room(visit: Visit, anchor: int) -> None:
    ben, cleo = visit("ben", ROOM, viewport=WIDE), visit("cleo", ROOM, viewport=WIDE)
    ben.hover(f"#message-{anchor}")
    ben.click("[data-tool=beside]")
    ben.fill("dialog [name=title]", "Prices")
    ben.click("dialog .button-primary")
    expect(ben.locator(".panel h1")).to_have_text("Prices")
    assert "?sidebar=" in ben.url
    expect(ben.locator(".panel .composer textarea")).to_be_focused()
    say(ben, "ten, or twelve")
    said(ben, "ten, or twelve")
    stub = cleo.locator(f"[data-entry='{anchor}'] .stub")
    expect(stub).to_contain_text("Prices")
    expect(stub).to_contain_text("1 reply")
    stub.click()
    said(cleo, "ten, or twelve")
    say(cleo, "a dozen")
    said(ben, "a dozen")
    expect(stub).to_contain_text("2 replies")
    say(cleo, "and in the room", where="#main")
    said(ben, "and in the room", where="#main")
    for page in (ben, cleo):
        assert not page.locator("#main [data-entry] [data-body]", has_text="twelve").count()
        assert not page.locator(".panel [data-entry]", has_text="and in the room").count()


def test_the_panel_has_a_place_in_the_history_of_the_browser(
    server: Server,
    visit: Visit,
    anchor: int,
) -> None:
    sidebar = opened(server, anchor, title="Prices")
    page = visit("cleo", f"{ROOM}?sidebar={sidebar}", viewport=WIDE)
    panel = page.locator(".panel")
    expect(panel.locator("h1")).to_have_text("Prices")
    page.locator(".panel .composer textarea").press("Escape")
    expect(panel).to_have_count(0)
    assert page.url.endswith(ROOM)
    stub = page.locator(f".stub[data-sidebar='{sidebar}']")
    expect(stub).to_be_focused()
    stub.press("Enter")
    expect(panel).to_have_count(1)
    page.go_back()
    expect(panel).to_have_count(0)
    page.go_forward()
    expect(panel).to_have_count(1)
    other = opened(server, anchor, title="Colours")
    page.click(f".stub[data-sidebar='{other}']")
    expect(panel.locator("h1")).to_have_text("Colours")
    page.go_back()
    expect(panel).to_have_count(0)
    page.go_forward()
    expect(panel.locator("h1")).to_have_text("Colours")
    reload(page)
    expect(panel.locator("h1")).to_have_text("Colours")
    panel.get_by_role("button", name="Close the side-bar (Esc)").click()
    expect(panel).to_have_count(0)


def test_what_is_unread_is_counted_along(
    server: Server,
    visit: Visit,
    anchor: int,
) -> None:
    cleo_id = server.sign_in("cleo").get("me/").json()["id"]
    sidebar = opened(server, anchor, title="Prices", invite=[cleo_id])
    cleo, ben = visit("cleo", ROOM, viewport=WIDE), server.sign_in("ben")
    row = cleo.locator(f".room-row-side[data-room='{sidebar}']")
    expect(row).to_have_count(0)
    ben.post(f"rooms/{sidebar}/messages/", json={"client_id": str(uuid4()), "body": "one"})
    expect(row.locator("[data-count=unread]")).to_contain_text("1")
    counts = cleo.locator(f".stub[data-sidebar='{sidebar}'] [data-count]:not([hidden])")
    expect(counts).to_contain_text("1")
    ben.post(f"rooms/{sidebar}/messages/", json={"client_id": str(uuid4()), "body": "@cleo two"})
    expect(row.locator("[data-count=mentions]")).to_contain_text("1")
    row.locator("a").click()
    said(cleo, "two")
    expect(row).to_have_count(0)
    expect(counts).to_have_count(0)


def test_without_a_socket_the_panel_hears_all_the_same(
    server: Server,
    visit: Visit,
    anchor: int,
) -> None:
    sidebar = opened(server, anchor, title="Prices")
    cleo, ben = visit("cleo", ROOM, viewport=WIDE), server.sign_in("ben")
    cleo.route_web_socket("**/ws/**", lambda socket: socket.close())
    load(cleo, f"{server.url}{ROOM}?sidebar={sidebar}")
    expect(cleo.locator(".panel h1")).to_have_text("Prices")
    expect(cleo.locator("chat-connection")).to_contain_text("News come a little later")
    for words in ("one", "two"):
        ben.post(
            f"rooms/{sidebar}/messages/", json={"client_id": str(uuid4()), "body": f"say {words}"}
        )
        said(cleo, f"say {words}")


def test_of_a_private_one_others_see_nothing(
    server: Server,
    visit: Visit,
    anchor: int,
) -> None:
    ben, cleo = visit("ben", ROOM, viewport=WIDE), visit("cleo", ROOM, viewport=WIDE)
    hidden = opened(server, anchor, access="private")
    shown = opened(server, anchor)
    expect(ben.locator(f"[data-entry='{anchor}'] .stub")).to_have_count(2)
    expect(cleo.locator(f".stub[data-sidebar='{shown}']")).to_have_count(1)
    assert not cleo.locator(f".stub[data-sidebar='{hidden}']").count()


def test_it_is_concluded_and_taken_up_again_in_the_panel(
    server: Server,
    visit: Visit,
    anchor: int,
) -> None:
    sidebar = opened(server, anchor, title="Prices")
    page = visit("ben", f"{ROOM}?sidebar={sidebar}", viewport=WIDE)
    say(page, "twelve")
    said(page, "twelve")
    page.locator(".panel").get_by_role("link", name="Share back").click()
    page.check("dialog .offer input")
    page.click("dialog .button-primary")
    page.fill("dialog textarea", "They say twelve.")
    page.click("dialog .button-primary")
    said(page, "They say twelve.", where="#main")
    page.locator(".panel").get_by_role("link", name="Conclude").click()
    page.fill("dialog textarea", "Twelve it is.")
    page.click("dialog .button-primary")
    said(page, "Twelve it is.", where="#main")
    expect(page.locator(".panel .composer")).to_have_count(0)
    expect(page.locator(f".stub[data-sidebar='{sidebar}']")).to_contain_text("Concluded")
    page.click(".panel a:has-text('What came of it')")
    expect(page.locator("[data-found]")).to_contain_text("Twelve it is.")
    page.click(".panel .room-foot button:has-text('Reopen')")
    expect(page.locator(".panel .composer")).to_have_count(1)
    assert f"?sidebar={sidebar}" in page.url
    say(page, "or not")
    said(page, "or not")


def test_what_is_written_while_the_line_is_cut_goes_out_though_the_panel_was_closed(
    server: Server,
    visit: Visit,
    anchor: int,
) -> None:
    sidebar = opened(server, anchor, title="Prices")
    page, ben = visit("cleo", "/"), server.sign_in("ben")
    lines: list[WebSocketRoute] = []
    is_cut = False

    def connect(line: WebSocketRoute) -> None:
        if is_cut:
            line.close()
        else:
            lines.append(line)
            line.connect_to_server()

    page.set_viewport_size(WIDE)
    page.route_web_socket("**/ws/**", connect)
    load(page, f"{server.url}{ROOM}?sidebar={sidebar}")
    say(page, "before")
    said(page, "before")
    is_cut = True
    lines[-1].close()
    say(page, "meanwhile")
    expect(page.locator(".panel .entry-pending")).to_contain_text("Waiting to be sent")
    page.locator(".panel .composer textarea").press("Escape")
    expect(page.locator(".panel")).to_have_count(0)
    is_cut = False
    stub = page.locator(f".stub[data-sidebar='{sidebar}']")
    expect(stub).to_contain_text("2 replies")
    stub.click()
    said(page, "meanwhile")
    expect(page.locator(".panel .entry-pending")).to_have_count(0)
    there = ben.get(f"rooms/{sidebar}/messages/").json()["messages"]
    assert [one["body"] for one in there if one["kind"] == "text"] == ["before", "meanwhile"]


def test_stubs_come_with_pages_that_are_fetched(
    server: Server,
    visit: Visit,
) -> None:
    ben = server.sign_in("ben")
    room = ben.post("rooms/", json={"name": "Long"}).json()["id"]
    ids = [
        ben.post(
            f"rooms/{room}/messages/", json={"client_id": str(uuid4()), "body": f"said {number}"}
        ).json()["id"]
        for number in range(130)
    ]
    sidebar = opened(server, ids[3], title="Early")
    page = visit("ben", f"/rooms/{room}/", viewport=WIDE)
    as_it_came = page.request.get(f"{server.url}/rooms/{room}/").text()
    assert f'id="message-{ids[3]}"' not in as_it_came
    entry = page.locator(f"[data-entry='{ids[3]}']")
    stub = entry.locator(f".stub[data-sidebar='{sidebar}']")
    while not entry.count():
        page.evaluate("document.querySelector('.timeline-scroll').scrollTop = 0")
    expect(stub).to_contain_text("Early")


def test_a_side_bar_told_of_while_the_list_is_fetched_stays(
    server: Server, visit: Visit, anchor: int
) -> None:
    page = visit("cleo", "/", viewport=WIDE)
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/api/v1/rooms/1/sidebars/*", lambda route: held.append((route, route.fetch())))
    load(page, f"{server.url}{ROOM}")
    while not held:
        page.evaluate("new Promise(requestAnimationFrame)")
    sidebar = opened(server, anchor, title="Meanwhile")
    stub = page.locator(f".stub[data-sidebar='{sidebar}']")
    expect(stub).to_be_visible()
    with page.expect_response("**/api/v1/rooms/1/sidebars/*"):
        for route, response in held:
            route.fulfill(response=response)
    page.unroute("**/api/v1/rooms/1/sidebars/*")
    later = opened(server, anchor, title="Later")
    expect(page.locator(f".stub[data-sidebar='{later}']")).to_be_visible()
    expect(stub).to_be_visible()


def test_a_panel_whose_room_could_not_be_joined_just_now_hears_it_soon(
    server: Server, visit: Visit, anchor: int
) -> None:
    sidebar = opened(server, anchor, title="Prices")
    page = visit("cleo", "/", viewport=WIDE)
    refused = []

    def connect(line: WebSocketRoute) -> None:
        behind = line.connect_to_server()

        def hear(text: str) -> None:
            frame = json.loads(text)
            if frame["type"] == "join" and frame["room"] == sidebar and not refused:
                refused.append(frame)
                line.send(json.dumps({"type": "error", "code": "unavailable", "room": sidebar}))
            else:
                behind.send(text)

        line.on_message(hear)

    page.route_web_socket("**/ws/**", connect)
    load(page, f"{server.url}{ROOM}?sidebar={sidebar}")
    expect(page.locator(".panel .composer textarea")).to_be_visible()
    body = {"client_id": str(uuid4()), "body": "Do you hear?"}
    server.sign_in("ben").post(f"rooms/{sidebar}/messages/", json=body)
    said(page, "Do you hear?")
    assert refused


def test_what_one_types_in_the_room_is_not_for_a_side_bar_that_comes_meanwhile(
    server: Server, visit: Visit, anchor: int
) -> None:
    sidebar = opened(server, anchor, title="Prices")
    page = visit("cleo", "/", viewport=WIDE)
    held: list[Route] = []
    page.route("**/js/elements/room.js", lambda route: held.append(route), times=1)
    page.goto(f"{server.url}{ROOM}", wait_until="commit")
    search = page.get_by_placeholder("Find a room")
    search.click()
    wait_for(lambda: page.evaluate(DRAWN) or held)
    held.pop().continue_()
    ready(page)
    expect(search).to_be_focused()

    page.route(f"**/rooms/{sidebar}/", lambda route: held.append(route), times=1)
    load(page, f"{server.url}{ROOM}?sidebar={sidebar}")
    mine, beside = (page.locator(f"{where} .composer textarea") for where in ("#main", ".panel"))
    mine.click()
    page.keyboard.type("half a ")
    wait_for(lambda: page.evaluate(DRAWN) or held)
    held.pop().continue_()
    expect(beside).to_be_visible()
    page.keyboard.type("sentence")
    expect(mine).to_have_value("half a sentence")

    # What can only be had anew is fetched, and who is elsewhere stays there; who is in it, in it.
    for at in (mine, beside):
        at.focus()
        page.locator(".panel").evaluate("(panel) => (panel.dataset.old = '')")
        page.evaluate(TELL, ["outdated", {"room": sidebar}])
        expect(page.locator(".panel:not([data-old])")).to_have_count(1)
        expect(at).to_be_focused()
    # What fails once it hears its room, as what was read, is not about joining.
    say(page, "heard")
    said(page, "heard")
    page.evaluate(TELL, ["error", {"code": "not_found", "room": sidebar}])
    expect(beside).to_be_focused()


def test_however_fast_one_opens_and_closes_it_one_step_leads_back(
    server: Server, visit: Visit, anchor: int
) -> None:
    sidebar = opened(server, anchor, title="Prices")
    page = visit("cleo", ROOM, viewport=WIDE)
    panel, stub = page.locator(".panel"), page.locator(f".stub[data-sidebar='{sidebar}']")
    stub.dblclick()
    expect(panel).to_have_count(1)
    page.go_back()
    expect(panel).to_have_count(0)
    assert page.url.endswith(ROOM)
    stub.click()
    expect(panel).to_have_count(1)
    shut = panel.get_by_role("button", name="Close the side-bar (Esc)")
    shut.evaluate("(button) => (button.click(), button.click())")
    expect(panel).to_have_count(0)
    landed(page, f"**{ROOM}")
    expect(page.locator("#main .composer")).to_be_visible()


def test_a_form_of_the_panel_that_could_not_be_sent_says_so(
    server: Server, visit: Visit, anchor: int
) -> None:
    sidebar = opened(server, anchor, title="Prices")
    nothing = {"client_id": str(uuid4())}
    concluded = server.sign_in("ben").post(f"sidebars/{sidebar}/conclude/", json=nothing)
    assert concluded.is_success, concluded.text
    page = visit("ben", f"{ROOM}?sidebar={sidebar}", viewport=WIDE)
    page.route("**/settings/", lambda route: route.abort())
    page.click(".panel .room-foot button:has-text('Reopen')")
    expect(page.locator("chat-flash")).to_contain_text("could not be reached")
    page.unroute("**/settings/")
    page.click(".panel .room-foot button:has-text('Reopen')")
    expect(page.locator(".panel .composer")).to_have_count(1)


def test_on_a_phone_a_side_bar_is_a_page_of_its_own(
    server: Server,
    visit: Visit,
    anchor: int,
) -> None:
    sidebar = opened(server, anchor, title="Prices")
    page = visit("cleo", ROOM, viewport=PHONE)
    page.click(f".stub[data-sidebar='{sidebar}']")
    landed(page, f"**/rooms/{sidebar}/")
    say(page, "from a phone", where="#main")
    said(page, "from a phone", where="#main")
    page.click(".room-back")
    expect(page.locator("[data-found]")).to_contain_text("What about this?")
