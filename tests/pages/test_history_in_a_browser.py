"""The history of a room as one scrolls it: where it opens, what stays put, how one gets about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.browsing import IN_CHROMIUM, Visit, faults, load, reload, sign_in
from tests.process import Server, wait_for

pytestmark = IN_CHROMIUM

MANY = 130
WORDS = "and some more words so that it takes its place on the page " * 12
# The first message in sight, and how far below the edge it begins.
PLACE = """
() => {
  const { top } = document.querySelector(".timeline-scroll").getBoundingClientRect();
  const shown = [...document.querySelectorAll("[data-entry]:not([hidden])")];
  const first = shown.find((entry) => entry.getBoundingClientRect().bottom > top);
  return [Number(first.dataset.entry), Math.round(first.getBoundingClientRect().top - top)];
}"""
AT_AN_END = """
() => {
  const { scrollTop, scrollHeight, clientHeight } = document.querySelector(".timeline-scroll");
  const begins = !document.querySelector("[data-start]").hidden && scrollTop === 0;
  return begins || scrollHeight - scrollTop - clientHeight < 2;
}"""
DRAWN = "new Promise((drawn) => requestAnimationFrame(drawn))"
FOLDED = "document.querySelectorAll('.fold').length"
IN_DOCUMENT = "document.querySelectorAll('[data-entry]').length"


@dataclass
class Talk:
    """A room of Ben's and Cleo's in which much was said, all of it by Ben."""

    path: str
    ids: list[int]
    reply: int
    notes: list[int]


@pytest.fixture(scope="module")
def talk(server: Server) -> Talk:
    ben = server.sign_in("ben")

    def call(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = ben.post(path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def say(body: str, **more: Any) -> int:
        given = {"client_id": str(uuid4()), "body": body, **more}
        return int(call(f"{here}messages/", given)["id"])

    people = {
        who: server.sign_in(who).get("me/").json()["id"] for who in ("cleo", "ada", "sue", "admin")
    }
    here = f"rooms/{call('rooms/', {'name': 'Long', 'people': [people['cleo']]})['id']}/"
    ids = [say(f"number {n} {WORDS}") for n in range(MANY)]
    for who in ("ada", "sue", "admin"):
        call(f"{here}participants/", {"user": people[who]})
    reply = say("that was the first", reply_to=ids[0])
    page = ben.get(f"{here}messages/", params={"limit": 5}).json()["messages"]
    notes = [message["id"] for message in page if message["kind"] == "system"]
    return Talk(f"/{here}", ids, reply, notes)


@pytest.fixture(scope="module")
def ben(server: Server, browser: Browser, talk: Talk) -> Iterator[Page]:
    """Signed in once for all that he does."""
    context, errors = browser.new_context(), []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    sign_in(page, server, "ben", talk.path)
    yield page
    context.close()
    assert errors == []


def come(page: Page, talk: Talk, where: str = "") -> Page:
    load(page, urljoin(page.url, talk.path + where))
    page.locator("chat-timeline[data-landed]").wait_for()
    return page


def message(page: Page, pk: int) -> Any:
    return page.locator(f"#message-{pk}")


def wheel(page: Page, far: int) -> list[int]:
    """The places of who turns it, once a turn is over."""
    page.mouse.wheel(0, far)
    page.evaluate(DRAWN)
    return page.evaluate(PLACE)


def test_it_opens_where_one_stopped_reading_and_says_how_much_is_new(
    talk: Talk, visit: Visit
) -> None:
    page = visit("cleo", talk.path)
    line, bar = page.locator(".unread-line"), page.locator("[data-unread-bar]")
    expect(line).to_be_in_viewport()
    expect(message(page, talk.ids[0])).to_be_in_viewport()
    expect(bar).to_contain_text("99+ new messages since")
    further_up = bar.locator(".unread-says .icon")
    expect(further_up).to_be_hidden()
    expect(page.locator("[data-jump-latest]")).to_have_text("99+ new messages")
    page.hover(".timeline-scroll")
    wheel(page, 2_500)
    expect(line).not_to_be_in_viewport()
    expect(further_up).to_be_visible()
    bar.get_by_role("link").click()
    expect(line).to_be_in_viewport()
    bar.get_by_role("button", name="Mark as read").click()
    expect(bar).to_be_hidden()
    expect(line).to_have_count(0)
    expect(page.locator("[data-jump-latest]")).to_have_text("Jump to latest")
    reload(page)
    expect(message(page, talk.reply)).to_be_in_viewport()


@pytest.mark.parametrize("scripts", ["are on their way", "are off"])
def test_it_begins_where_one_lands_before_any_script(
    server: Server, talk: Talk, visit: Visit, scripts: str
) -> None:
    server.sign_in("cleo").post(f"{talk.path[1:]}unread/", json={"message": talk.ids[20]})
    page = visit("cleo", "/profile/", java_script_enabled=scripts != "are off")
    page.route("**/*.js", lambda route: route.abort())
    page.goto(urljoin(page.url, talk.path))
    expect(page.locator(".unread-line")).to_be_in_viewport()
    expect(message(page, talk.ids[20])).to_be_in_viewport()
    page.goto(urljoin(page.url, f"{talk.path}?around={talk.ids[60]}"))
    expect(message(page, talk.ids[60])).to_be_in_viewport()
    expect(page.locator("chat-timeline[data-landed]")).to_have_count(0)


def test_one_scrolls_there_and_back_without_a_jump(talk: Talk, ben: Page) -> None:
    page = come(ben, talk)
    expect(message(page, talk.reply)).to_be_in_viewport()
    page.hover(".timeline-scroll")
    for way in (-1, 1):
        place = page.evaluate(PLACE)
        for _ in range(200):
            before, place = place, wheel(page, way * 800)
            assert (place[0] - before[0]) * way >= 0
            assert abs(place[0] - before[0]) < 12, "it jumped"
            if page.evaluate(AT_AN_END):
                break
        # Not the page's own waiting: its content policy forbids what that asks with.
        wait_for(lambda: page.evaluate(f"{FOLDED} > 1 && {IN_DOCUMENT} < {MANY - 20}"))
        expect(message(page, talk.ids[0] if way < 0 else talk.reply)).to_be_in_viewport()


def test_a_place_is_kept_where_something_above_it_grows(talk: Talk, ben: Page) -> None:
    page = come(ben, talk, f"?around={talk.ids[60]}")
    expect(message(page, talk.ids[60])).to_be_in_viewport()
    before = page.evaluate(PLACE)
    page.evaluate(
        "(id) => (document.getElementById(`message-${id}`).style.paddingBlockEnd = '300px')",
        talk.ids[50],
    )
    page.evaluate(DRAWN)
    assert page.evaluate(PLACE) == before


def test_a_quote_leads_to_what_it_quotes_and_there_is_a_way_back(talk: Talk, ben: Page) -> None:
    page = come(ben, talk)
    message(page, talk.reply).locator(".quote").click()
    expect(message(page, talk.ids[0])).to_be_in_viewport()
    expect(message(page, talk.ids[0])).to_be_focused()
    back = page.get_by_role("button", name="Back to where you were")
    back.click()
    expect(message(page, talk.reply)).to_be_in_viewport()
    expect(back).to_be_hidden()


def test_one_goes_to_a_day_to_the_beginning_and_to_the_end(talk: Talk, ben: Page) -> None:
    page = come(ben, talk)
    page.locator("[data-day-pill]").click()
    page.get_by_role("button", name="The beginning").click()
    expect(page.locator("[data-start]")).to_be_in_viewport()
    expect(message(page, talk.ids[0])).to_be_in_viewport()
    page.locator("[data-jump-latest]").click()
    expect(message(page, talk.reply)).to_be_in_viewport()
    expect(message(page, talk.reply)).to_be_focused()
    page.locator("[data-day-pill]").click()
    page.get_by_role("button", name="A week ago").click()
    expect(page.locator("[data-start]")).to_be_in_viewport()
    page.locator("[data-day-pill]").click()
    page.fill("[data-days] input", "2199-12-31")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.locator(".flash")).to_contain_text("Nothing was said since then.")
    expect(message(page, talk.reply)).to_be_in_viewport()


def test_notes_in_a_row_are_one_line_that_opens(talk: Talk, ben: Page) -> None:
    page = come(ben, talk)
    run = page.get_by_role("button", name="Ben Costa brought in Ada Park and 2 more changes")
    for note in talk.notes:
        expect(message(page, note)).to_be_hidden()
    run.press("Enter")
    for note in talk.notes:
        expect(message(page, note)).to_be_visible()
    expect(run).to_be_focused()
    run.press("Enter")
    expect(message(page, talk.notes[0])).to_be_hidden()
    come(ben, talk, f"?around={talk.notes[1]}")
    expect(message(page, talk.notes[1])).to_be_in_viewport()


def test_keys_go_from_message_to_message_and_to_both_ends(talk: Talk, ben: Page) -> None:
    page = come(ben, talk)
    page.focus(".timeline-scroll")
    page.keyboard.press("k")
    expect(message(page, talk.reply)).to_be_focused()
    page.keyboard.press("k")
    expect(message(page, talk.ids[-1])).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(message(page, talk.ids[-2])).to_be_focused()
    page.keyboard.press("j")
    expect(message(page, talk.ids[-1])).to_be_focused()
    page.keyboard.press("Home")
    expect(page.locator("[data-start]")).to_be_in_viewport()
    page.keyboard.press("End")
    expect(message(page, talk.reply)).to_be_focused()


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_everybody_can_use_it(talk: Talk, ben: Page, width: int, scheme: str) -> None:
    ben.set_viewport_size({"width": width, "height": 800})
    ben.emulate_media(color_scheme=scheme)
    page = come(ben, talk, f"?around={talk.ids[0]}")
    assert faults(page) == []
    page.locator("[data-day-pill]").click()
    expect(page.locator("[data-days]")).to_be_visible()
    assert faults(page) == []
