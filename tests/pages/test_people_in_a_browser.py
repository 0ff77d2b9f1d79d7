"""Who is there, what they say of themselves, what they have read; and going anywhere by keys."""

from __future__ import annotations

import re

from playwright.sync_api import APIResponse, Page, Route, WebSocketRoute, expect

from tests.pages.browsing import IN_CHROMIUM, Visit, landed, load, reload, say
from tests.process import Server, wait_for

pytestmark = IN_CHROMIUM

CARD = ".card-pop:popover-open"


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.className || document.activeElement.id")


def test_a_name_opens_a_card_from_which_one_whispers(visit: Visit) -> None:
    ben, cleo = visit("ben", "/rooms/1/"), visit("cleo", "/rooms/1/")
    name = ben.locator("a.message-author", has_text="Cleo").first
    name.focus()
    ben.keyboard.press("Enter")
    card = ben.locator(CARD)
    expect(card).to_contain_text("@cleo")
    expect(card.locator("[data-presence-words]")).to_have_text("Online")
    ben.keyboard.press("Escape")
    expect(card).to_have_count(0)
    assert focused(ben) == "message-author"
    cleo.locator("[data-person] a", has_text="Ben").click()
    cleo.locator(f"{CARD} [data-whisper]").click()
    expect(cleo.locator(".composer [data-says]")).to_contain_text("Only you and Ben")
    cleo.keyboard.type("just us")
    cleo.keyboard.press("Enter")
    expect(ben.locator(".message[data-audience=only]").last).to_contain_text("just us")


def test_who_comes_while_the_page_is_fetched_anew_is_not_forgotten(
    server: Server, visit: Visit
) -> None:
    ben = server.sign_in("ben")
    room = ben.post("rooms/", json={"name": "Coming"}).json()["id"]
    (sue,) = ben.get("users/?q=sue").json()["results"]
    page = visit("ben", "/")
    lines: list[WebSocketRoute] = []
    held: list[tuple[Route, APIResponse]] = []

    def connect(line: WebSocketRoute) -> None:
        lines.append(line)
        line.connect_to_server()

    page.route_web_socket("**/ws/rooms/**", connect)
    load(page, f"{server.url}/rooms/{room}/")
    expect(page.locator("chat-connection[data-state=live]")).to_have_count(1)
    page.route(f"**/rooms/{room}/", lambda route: held.append((route, route.fetch())))
    lines[-1].close()
    wait_for(lambda: page.evaluate("new Promise(requestAnimationFrame)") and held)
    ben.post(f"rooms/{room}/participants/", json={"user": sue["id"]})
    here = page.locator(f"[data-people] [data-person='{sue['id']}']")
    expect(here).to_have_count(1)
    held[0][0].fulfill(response=held[0][1])
    wait_for(lambda: page.evaluate("new Promise(requestAnimationFrame)") and len(held) > 1)
    expect(here).to_have_count(1)
    held[1][0].fulfill(response=held[1][1])
    expect(page.locator("[data-people-count]").first).to_have_text("2")
    expect(here).to_have_count(1)


def test_a_status_shows_beside_the_name_and_goes_again(visit: Visit) -> None:
    ben, cleo = visit("ben", "/rooms/1/"), visit("cleo", "/rooms/1/")
    cleo.wait_for_load_state("networkidle")
    cleo.keyboard.press("Control+k")
    expect(cleo.locator(".switcher input")).to_be_focused()
    cleo.keyboard.type("set a sta")
    cleo.keyboard.press("Enter")
    cleo.locator("dialog [name=preset][value=holiday]").click()
    sign = ben.locator("[data-person] .status-sign, .message-head .status-sign")
    expect(sign.first).to_have_text("🌴")
    expect(sign.first).to_have_attribute("aria-label", "On holiday")
    assert ben.locator(".message-head .status-sign").count() > 1
    expect(cleo.locator("[data-my-status]")).to_have_text("🌴")
    cleo.locator("a[title='Set a status']").click()
    cleo.locator("dialog [name=clear]").click()
    expect(sign).to_have_count(0)


def test_faces_say_who_has_read_a_message(visit: Visit) -> None:
    ben, cleo = visit("ben", "/rooms/1/"), visit("cleo", "/rooms/1/")
    say(ben, "Have you read this?")
    mine = ben.locator(".entry", has_text="Have you read this?").last
    heard = cleo.locator(".entry", has_text="Have you read this?")
    cleo.locator("[data-jump-latest]:visible").or_(heard).last.click()
    faces = mine.locator(".receipts")
    expect(faces).to_have_attribute("aria-label", re.compile("Cleo"))
    reload(ben)
    expect(ben.locator(".receipts[aria-label*=Cleo]")).to_have_count(1)
    expect(faces).to_have_attribute("aria-label", re.compile("Cleo"))


def test_rooms_people_and_deeds_are_found_by_a_few_letters(visit: Visit) -> None:
    page = visit("ben", "/profile/")
    page.wait_for_load_state("networkidle")  # its scripts are there
    page.keyboard.press("Control+k")
    options = page.locator(".switcher [role=option]")
    expect(options.first).to_be_visible()
    page.keyboard.type("lng")
    expect(options.first).to_contain_text("Lounge")
    page.keyboard.press("Enter")
    landed(page, "**/rooms/1/")
    page.wait_for_load_state("networkidle")
    page.locator("[data-switcher]:visible").click()
    page.keyboard.type("okafor")
    page.keyboard.press("Enter")
    expect(page.locator(".room-head h1")).to_have_text("Sue Okafor")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    page.keyboard.type("words that nothing is called")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=words*")


def test_keys_are_listed_go_to_rooms_and_leave_who_types_alone(visit: Visit) -> None:
    page = visit("ben", "/rooms/1/")
    page.locator(".composer textarea").press("?")
    expect(page.locator(".keys")).to_have_count(0)
    page.fill(".composer textarea", "")
    page.locator(".timeline-scroll").press("?")
    expect(page.locator(".keys")).to_contain_text("Next unread room")
    page.locator(".keys [type=checkbox]").uncheck()
    page.keyboard.press("Escape")
    page.locator(".timeline-scroll").press("?")
    expect(page.locator(".keys:visible")).to_have_count(0)
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_url(re.compile(r"/rooms/(?!1/)\d+/$"))
