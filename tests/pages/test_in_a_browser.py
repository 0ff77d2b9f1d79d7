"""What only a browser can tell: answers as they are written, and what a robot's reader does."""

from __future__ import annotations

from uuid import uuid4

from playwright.sync_api import expect

from tests.pages.browsing import IN_CHROMIUM, Visit, ask, landed, ready, reload
from tests.process import Server

pytestmark = IN_CHROMIUM

BODY = "[data-body]"
# What of a growing answer's text was ever seen of its source, rather than of what it means.
WATCH = """
() => {
  window.seen = new Set();
  const look = () => {
    for (const body of document.querySelectorAll("[data-status=streaming] [data-body]")) {
      for (const [sign] of body.innerText.matchAll(/[*`#|~]+/g)) window.seen.add(sign);
    }
  };
  const all = { subtree: true, childList: true, characterData: true };
  new MutationObserver(look).observe(document.querySelector(".timeline-list"), all);
}"""
MARKED = """\
# A plan in **bold**

Say *what*, `how`:

```
x = 1
```

| a | b |
|---|---|
| 1 | 2 |

"""
LONG = " ".join(f"**number {n}** of many" for n in range(200))


def test_an_answer_grows_without_disturbing_who_reads_it(visit: Visit) -> None:
    ben, cleo = visit("ben", "/rooms/1/"), visit("cleo", "/rooms/1/")
    where = ask(ben, f"@parrot {LONG}")
    answer, hers = ben.locator(where), cleo.locator(where)
    expect(ben.locator("[data-aloud]")).to_have_text("Parrot is answering")
    expect(answer.locator(BODY)).to_contain_text("number 3")
    assert answer.get_attribute("aria-busy") == "true"
    assert answer.locator("xpath=..").get_attribute("aria-live") == "off"
    bold = answer.locator(f"{BODY} strong").first
    bold.evaluate("(element) => getSelection().selectAllChildren(element)")
    reload(cleo)
    expect(answer.locator(BODY)).to_contain_text("number 12")
    assert ben.evaluate("getSelection().toString()") == "number 0"
    hers.locator("[data-stop]").click()
    expect(answer).to_contain_text("Stopped by Cleo Lind")
    expect(hers).to_contain_text("Stopped by you")
    expect(ben.locator("[data-aloud]")).to_have_text("Parrot was stopped")
    assert ben.evaluate("getSelection().toString()") == "number 0"
    assert answer.get_attribute("aria-busy") is None
    text = answer.locator(BODY).inner_text()
    assert text == hers.locator(BODY).inner_text()
    # Where it was stopped within a bold word, that word's own stars stay.
    assert text.count("**") <= 1


def test_marks_are_never_seen_while_an_answer_grows(visit: Visit) -> None:
    page = visit("ben", "/rooms/1/")
    page.evaluate(WATCH)
    answer = page.locator(ask(page, f"@parrot\n\n{MARKED}{LONG}"))
    expect(answer.locator("h1 + p + pre + table + p")).to_contain_text("number 12")
    assert page.evaluate("[...seen]") == []
    answer.locator("[data-stop]").click()
    expect(answer).to_contain_text("Stopped by you")


def test_what_an_answer_took_is_shown_to_who_points_at_it(visit: Visit) -> None:
    page = visit("ben", "/rooms/1/")
    facts = page.locator(".facts:popover-open")
    page.locator(".facts-button").last.hover()
    expect(facts).to_contain_text("builtin/parrot")
    page.mouse.move(0, 0)
    expect(facts).to_have_count(0)


def test_robots_that_take_turns_are_stopped_from_a_card_that_has_changed(visit: Visit) -> None:
    page = visit("ada", "/rooms/1/autopilot/")
    page.click("button:has-text('Begin')")
    landed(page, "**/rooms/1/")
    card = page.locator(".message:has(.autopilot)").last
    for action, state in [("pause", "Paused"), ("resume", "Running"), ("stop", "Stopped")]:
        button = card.locator(f"[data-action={action}]")
        button.wait_for()
        card.evaluate("(article) => (article.dataset.version = 1)")
        button.click()
        expect(card.locator(".autopilot-state .badge")).to_have_text(state)


def test_who_searches_for_a_robot_may_go_on_typing(visit: Visit) -> None:
    page = visit("ada", "/rooms/1/")
    page.click(".aside [title='Add a robot']")
    page.fill("dialog [name=q]", "nob")
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_contain_text("No other robot is called “nob”.")
    expect(page.locator("dialog [name=q]")).to_be_focused()


def test_a_place_further_up_is_kept_while_an_answer_grows(visit: Visit) -> None:
    page = visit("ben", "/rooms/1/", viewport={"width": 900, "height": 500})
    answer = page.locator(ask(page, f"@parrot {LONG}"))
    expect(answer.locator(BODY)).to_contain_text("number 2")
    page.evaluate("document.querySelector('.timeline-scroll').scrollTop = 40")
    first = page.locator("[data-entry]").nth(1)
    before = first.bounding_box()
    expect(answer.locator(BODY)).to_contain_text("number 12")
    assert first.bounding_box() == before
    answer.locator("[data-stop]").click()
    expect(answer).to_contain_text("Stopped by you")


BEGINNINGS = """() => [
  performance.getEntriesByName("first-contentful-paint")[0].startTime,
  Math.min(...performance.getEntriesByType("resource")
    .filter(({ name }) => name.includes("/js/elements/"))
    .map(({ startTime }) => startTime)),
]"""
NEVER_PAINTED = "self.PerformanceObserver = class { observe() {} }"


def test_scripts_begin_once_the_page_is_painted(visit: Visit) -> None:
    painted, begun = visit("ben", "/rooms/1/").evaluate(BEGINNINGS)
    assert 0 < painted <= begun


def test_scripts_begin_where_nothing_is_painted(server: Server, visit: Visit) -> None:
    page = visit("ben", "/profile/")
    page.add_init_script(NEVER_PAINTED)
    page.goto(f"{server.url}/rooms/1/")
    page.locator("chat-composer textarea[aria-controls]").wait_for()


def test_without_scripts_what_is_written_so_far_is_shown(visit: Visit) -> None:
    page = visit("cleo", "/rooms/1/", java_script_enabled=False)
    answer = page.locator(ask(page, f"@parrot {LONG}"))
    while "number 0" not in answer.locator(BODY).inner_text():
        page.reload()
    expect(answer).to_contain_text("Reload the page to see more.")
    answer.locator("[data-stop]").click()
    page.click("button:has-text('Stop')")
    while "Stopped" not in answer.inner_text():
        page.reload()
    expect(answer).to_contain_text("Stopped by Cleo Lind")


def test_a_note_that_names_a_robot_becomes_a_question_to_it(visit: Visit) -> None:
    page = visit("ada", "/")
    page.click(".room-row a:has-text('Order 4711')")
    page.locator("chat-composer").wait_for()
    ready(page)
    chosen = page.locator("[name=audience]:checked")
    page.locator(".segment[data-audience=staff]").click()
    expect(chosen).to_have_value("staff")
    page.locator(".composer textarea").press_sequentially("@librarian what")
    expect(chosen).to_have_value("only")
    expect(page.locator(".audience-says")).to_contain_text("Only you and Librarian")
    page.fill(".composer textarea", "nobody in particular")
    expect(chosen).to_have_value("staff")
    answer = page.locator(ask(page, "@librarian what of lamps?"))
    expect(answer).to_have_attribute("data-audience", "only")
    expect(chosen).to_have_value("staff")


def test_who_walks_through_the_list_stays_where_they_are_when_it_is_renewed(
    server: Server, visit: Visit
) -> None:
    page = visit("cleo", "/")
    page.locator("chat-rooms .room-row a").first.focus()
    where = page.evaluate("document.activeElement.href")
    page.evaluate("document.querySelector('[data-list]').dataset.old = ''")
    body = {"client_id": str(uuid4()), "body": "news"}
    server.sign_in("ben").post("rooms/1/messages/", json=body)
    expect(page.locator("[data-list]:not([data-old])")).to_have_count(1)
    assert page.evaluate("document.activeElement.href") == where
