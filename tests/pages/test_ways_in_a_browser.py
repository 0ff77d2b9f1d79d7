"""The same work in other ways: by keys alone, without scripts, on a phone."""

from __future__ import annotations

from uuid import uuid4

from playwright.sync_api import Browser, Locator, Page, expect

from tests.pages.browsing import IN_CHROMIUM, Visit, ask, landed, reload, say
from tests.process import PASSWORD, Server

pytestmark = IN_CHROMIUM

PHONE = {"width": 390, "height": 780}
FAR = 60
"""Presses of Tab after which nobody looks further."""


def said(page: Page, words: str, where: str = "#main") -> Locator:
    """Its article, once it is there for good."""
    article = page.locator(f"{where} [data-entry] > .message", has_text=words)
    expect(article.last).to_be_visible()
    return article.last


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    for _ in range(FAR):
        if page.evaluate("(to) => document.activeElement.matches(to)", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never comes to {selector}")


def write(page: Page, words: str) -> None:
    page.keyboard.type(words)
    page.keyboard.press("Enter")


def go(page: Page, words: str) -> None:
    """By the switcher."""
    page.wait_for_load_state("networkidle")  # its scripts are there
    page.keyboard.press("Control+k")
    expect(page.locator(".switcher input")).to_be_focused()
    write(page, words)


def test_one_works_without_a_mouse_from_signing_in_to_sharing_back(
    server: Server, visit: Visit, browser: Browser
) -> None:
    cleo = visit("cleo", "/rooms/1/")
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{server.url}/login/")
    page.keyboard.type("ben")
    page.keyboard.press("Tab")
    write(page, PASSWORD)
    page.wait_for_url(f"{server.url}/")
    go(page, "lounge")
    landed(page, "**/rooms/1/")

    topic, answer, secret = (f"{words} {uuid4()}" for words in ("Lamps?", "Ten.", "Psst."))
    expect(page.locator(".composer textarea")).to_be_focused()
    write(page, topic)
    said(cleo, topic)

    tab_to(page, ".timeline-scroll *", "Shift+Tab")
    page.keyboard.press("End")
    expect(said(page, topic)).to_be_focused()
    page.keyboard.press("+")
    expect(page.locator(".emoji-picker input, [popover]:popover-open input")).to_be_focused()
    write(page, "tada")
    expect(said(cleo, topic).locator(".reaction")).to_contain_text("🎉")

    expect(said(page, topic)).to_be_focused()
    page.keyboard.press("b")
    expect(page.locator("dialog [name=title]")).to_be_focused()
    write(page, "Prices")
    expect(page.locator(".panel .composer textarea")).to_be_focused()
    write(page, answer)
    said(page, answer, ".panel")
    tab_to(page, ".panel .timeline-scroll *", "Shift+Tab")
    page.keyboard.press("End")
    expect(said(page, answer, ".panel")).to_be_focused()
    page.keyboard.press("h")
    expect(page.locator("dialog[open] [name=body]")).to_have_value(answer)
    tab_to(page, "dialog .button-primary")
    page.keyboard.press("Enter")
    said(cleo, answer)
    expect(page.locator("dialog[open]")).to_have_count(0)

    page.keyboard.press("Escape")  # from its messages to its composer
    expect(page.locator(".panel .composer textarea")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_have_count(0)
    tab_to(page, "#main .composer textarea")
    page.keyboard.press("Alt+2")
    tab_to(page, ".person-chip input[data-name^=Cleo]")
    page.keyboard.press("Space")
    tab_to(page, "#main .composer textarea")
    write(page, secret)
    expect(said(cleo, secret)).to_have_attribute("data-audience", "only")

    go(page, topic.split()[1])
    page.wait_for_url("**/search/?q=*")
    tab_to(page, ".found-list a")
    page.keyboard.press("Enter")
    landed(page, "**/rooms/1/?around=*")
    expect(said(page, topic)).to_be_in_viewport()
    tab_to(page, ".timeline-scroll *", "Shift+Tab")
    page.keyboard.press("End")
    latest = page.locator("#main .message:focus")
    expect(latest).to_have_count(1)
    page.keyboard.press("?")
    expect(page.locator("dialog[open] .keys")).to_contain_text("Share back from a side-bar")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(latest).to_have_count(1)
    tab_to(page, ".message [data-tool=delete]")
    page.keyboard.press("Enter")
    expect(page.locator("dialog .button-danger")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main .message[data-deleted]:focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".composer textarea")).to_be_focused()


def test_without_scripts_one_reads_posts_searches_and_talks_beside(visit: Visit) -> None:
    cleo, word = visit("cleo", "/rooms/1/"), uuid4().hex
    page = visit("ben", "/", java_script_enabled=False)
    page.click(".room-row a:has-text('Lounge')")
    say(page, f"Lamps? {word}")
    said(cleo, word)
    page.click(f".message:has-text('{word}') .message-more")
    page.click("a:has-text('Open a side-bar')")
    page.fill("[name=title]", f"Prices {word}")
    page.click("main .button-primary")
    expect(page.locator("h1")).to_have_text(f"Prices {word}")
    say(page, f"Ten. {word}")
    expect(page.locator("[data-body]").last).to_have_text(f"Ten. {word}")
    page.click("a:has-text('Share back')")
    page.locator("main [type=checkbox]").check()
    page.click("main .button-primary")
    page.click("main .button-primary")
    expect(said(cleo, f"Ten. {word}")).to_be_visible()
    page.fill(".sidebar-search [name=q]", word)
    page.press(".sidebar-search [name=q]", "Enter")
    expect(page.locator(".found-list > li")).to_have_count(3)
    expect(page.locator(".found mark").first).to_have_text(word)
    page.locator(".found-list > li", has_text=f"Lamps? {word}").locator("a").first.click()
    expect(page.locator("h1")).to_have_text("Lounge")
    expect(page.locator(f".message:has-text('Lamps? {word}')")).to_be_visible()
    page.click("a[title='People in this room']")
    expect(page.locator("main")).to_contain_text("Cleo Lind")
    page.click(".crumb a:has-text('Back to Lounge')")
    page.click(".bell")
    expect(page.locator("h1")).to_have_text("Notifications")


def test_on_a_phone_one_goes_from_the_list_into_a_room_and_back(visit: Visit) -> None:
    cleo = visit("cleo", "/rooms/1/")
    page = visit("ben", "/", viewport=PHONE, has_touch=True, is_mobile=True)
    expect(page.locator("main")).not_to_be_in_viewport()
    page.tap(".room-row a:has-text('Lounge')")
    landed(page, "**/rooms/1/")
    expect(page.locator(".sidebar")).to_be_hidden()
    expect(page.locator(".composer textarea")).not_to_be_focused()  # no keyboard over the room
    words = f"On the way {uuid4()}"
    page.tap(".composer textarea")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    expect(page.locator(".composer textarea")).to_have_value(f"{words}\n")
    page.tap(".composer-send")
    said(cleo, words)
    answer = page.locator(ask(page, f"@parrot {words}"))
    expect(answer.locator("[data-body]")).to_contain_text(words)
    reload(page)
    expect(answer.locator("[data-body]")).to_contain_text(words)
    article = said(page, words)
    article.locator(".message-more").tap()
    expect(page.locator("dialog[open]")).to_contain_text("Its link")
    page.tap("dialog [aria-label='Close'], dialog .dialog-close")
    page.tap("a[title='People in this room']")
    expect(page.locator("dialog[open]")).to_contain_text("Cleo Lind")
    page.keyboard.press("Escape")
    page.tap(".room-back")
    page.wait_for_url("**/")
    expect(page.locator(".room-row", has_text="Lounge")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
