"""Writing, as people do it in a browser: formatted, completed, kept, and for whom it is meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.messages.files import picture
from tests.pages.browsing import IN_CHROMIUM, Visit, faults, load, reload
from tests.process import Server, wait_for

pytestmark = IN_CHROMIUM

LOUNGE = "/rooms/1/"
PREVIEW = "[data-preview]"
DRAWN = "new Promise((drawn) => requestAnimationFrame(() => drawn()))"
# The pages of this address that are asked for, each let go by calling it.
HELD = """
(url) => {
  const [real, later] = [fetch, []];
  const hand = async (response, go) => (go(response), response.clone().text());
  const held = (asked, go) => async () => hand(await real(...asked), go);
  const hold = (asked) => new Promise((go) => later.push(held(asked, go)));
  const isMeant = ([address]) => String(address).endsWith(url);
  window.fetch = (...asked) => (isMeant(asked) ? hold(asked) : real(...asked));
  window.held = later;
}"""
# What a room with 250 people tells: a hundred of them.
TOLD = """
async (from) => {
  const { people } = await import("chat/page");
  const person = (_, n) => ({ id: from + n, name: `N${n}`, role: "member" });
  people.start(Array.from({ length: 100 }, person), 250);
}"""
CHANGED = "async (news) => (await import('chat/page')).people.change(news)"
# All that is held of a room is dropped, and fetched again around a message.
ANEW = """
async ([room, id]) => {
  const { connection } = await import("chat/page");
  connection.dispatchEvent(new CustomEvent("reset", { detail: { room } }));
  await document.querySelector("chat-timeline").find(id);
}"""


@pytest.fixture
def ada(visit: Visit) -> Page:
    return visit("ada", LOUNGE)


def box(page: Page) -> Locator:
    return page.locator(".composer textarea")


def write(page: Page, *keys: str) -> None:
    """Words are typed; what is in brackets is pressed."""
    box(page).focus()
    for key in keys:
        if key.startswith("["):
            page.keyboard.press(key[1:-1])
        else:
            page.keyboard.type(key)


def newest(page: Page) -> Locator:
    return page.locator("[data-mine][data-entry] .message [data-body]").last


def test_words_are_formatted_by_keys_and_buttons_which_undo_takes_back(ada: Page) -> None:
    write(ada, "so bold", "[Shift+Control+ArrowLeft]", "[Control+b]")
    expect(box(ada)).to_have_value("so **bold**")
    write(ada, "[Control+z]")
    expect(box(ada)).to_have_value("so bold")
    write(ada, "[Control+a]", "[Delete]", "one")
    ada.click("[data-format=bullets]")
    write(ada, "[Shift+Enter]", "two", "[Shift+Enter]", "[Shift+Enter]", "@nobody and @ben")
    expect(box(ada)).to_have_value("- one\n- two\n@nobody and @ben")
    write(ada, "[Escape]")
    ada.click("[data-show-preview]")
    expect(ada.locator(f"{PREVIEW} li")).to_have_text(["one", "two @nobody and @ben"])
    expect(ada.locator(f"{PREVIEW} .mention")).to_have_text("@ben")
    expect(ada.locator(f"{PREVIEW} [title='Nobody here is called that']")).to_have_text("@nobody")
    ada.keyboard.press("Escape")
    expect(box(ada)).to_be_focused()


def test_enter_sends_but_not_from_within_code_and_tab_catches_nobody(ada: Page) -> None:
    write(ada, "```python", "[Enter]", "def f():", "[Enter]", "[Tab]", "pass", "[Enter]")
    expect(box(ada)).to_have_value("```python\ndef f():\n  pass\n  ")
    write(ada, "[Tab]", "[Tab]")
    expect(box(ada)).not_to_be_focused()
    write(ada, "[Control+Enter]")
    expect(newest(ada).locator("pre .k")).to_have_text(["def", "pass"])
    newest(ada).locator("pre").hover()
    ada.context.grant_permissions(["clipboard-read", "clipboard-write"])
    newest(ada).locator(".code-copy").click()
    expect(newest(ada).locator(".code-copy [role=status]")).to_have_text("Copied")
    assert ada.evaluate("navigator.clipboard.readText()") == "def f():\n  pass"


def test_people_rooms_and_emoji_are_completed(ada: Page, visit: Visit) -> None:
    write(ada, "@cle", "[Enter]", "see #rel", "[Tab]", ":tada:", " :rock")
    expect(ada.locator(".completion li").first).to_have_text("🚀:rocket:")
    write(ada, "[Escape]", " and `:tada:`")
    expect(box(ada)).to_have_value("@cleo see #Release 1.0 🎉 :rock and `:tada:`")
    write(ada, "[Enter]")
    link = newest(ada).locator(".room-link")
    expect(link).to_have_text("Release 1.0")
    expect(newest(ada).locator(".mention")).to_have_attribute("data-handle", "cleo")
    # Whoever is not in it, as Sue, learns no more than that there is one.
    sue = visit("sue", LOUNGE)
    expect(sue.locator(".room-link").last).to_have_text(f"#room-{link.get_attribute('data-room')}")
    assert "Release 1.0" not in sue.locator(".room-link").last.locator("xpath=..").inner_html()
    write(ada, "[ArrowUp]")
    expect(ada.locator(".inline-edit textarea")).to_have_value(
        "@cleo see #Release 1.0 🎉 :rock and `:tada:`"
    )
    ada.keyboard.press("Escape")
    expect(box(ada)).to_be_focused()


def test_emoji_are_picked_by_what_they_are_called_and_the_last_ones_come_first(ada: Page) -> None:
    write(ada, "well done ")
    ada.click("[data-emoji-button]")
    ada.keyboard.type("crab")
    ada.keyboard.press("Enter")
    expect(box(ada)).to_have_value("well done 🦀")
    expect(box(ada)).to_be_focused()
    write(ada, "[Enter]")
    expect(newest(ada)).to_have_text("well done 🦀")
    ada.click("[data-emoji-button]")
    find = ada.get_by_placeholder("Find a room")
    find.click()
    expect(ada.locator(".emoji-picker")).to_have_count(0)
    expect(find).to_be_focused()
    message = ada.locator("[data-mine][data-entry] .message").last
    message.hover()
    message.locator("[data-tool=react]").click()
    expect(ada.locator(".emoji-grid [aria-selected]")).to_have_attribute("data-emoji", "🦀")
    assert faults(ada) == []
    ada.keyboard.press("Enter")
    expect(message.locator(".reaction")).to_have_attribute("data-emoji", "🦀")


def test_a_draft_waits_with_its_audience_and_files_and_is_marked(ada: Page, tmp_path: Path) -> None:
    (tmp_path / "plan.png").write_bytes(picture(size=(30, 20), color=120))
    write(ada, "[Alt+Digit2]", "[Space]", "[Enter]", "half a thought")
    expect(ada.locator(".audience-says")).to_contain_text("Only you and")
    ada.set_input_files("[name=files]", tmp_path / "plan.png")
    expect(ada.locator(".upload img")).to_be_visible()
    other = ada.context.new_page()
    load(other, ada.url.replace(LOUNGE, "/"))
    mark = other.locator("chat-draft[data-room='1']")
    expect(mark).to_be_visible()
    reload(ada)
    expect(box(ada)).to_have_value("half a thought")
    expect(ada.locator(".audience-says")).to_contain_text("Only you and")
    expect(ada.locator(".upload img")).to_be_visible()
    ada.click(".composer-send")
    expect(newest(ada)).to_have_text("half a thought")
    sent = ada.locator("[data-mine][data-entry] .message").last
    expect(sent).to_have_attribute("data-audience", "only")
    expect(sent.locator(".picture")).to_have_count(1)
    expect(mark).to_be_hidden()
    reload(ada)
    expect(box(ada)).to_have_value("")


def test_on_a_narrow_screen_the_buttons_fold_and_all_can_be_reached(visit: Visit) -> None:
    page = visit("ben", LOUNGE, viewport={"width": 320, "height": 640}, color_scheme="dark")
    bold = page.locator("[data-format=bold]")
    expect(bold).to_be_hidden()
    page.click("[data-fold]")
    bold.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-format=italic]")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("[data-format]:focus")).to_have_count(0)
    write(page, "@")
    expect(page.locator(".completion")).to_be_visible()
    assert faults(page) == []


def test_whom_it_is_for_stays_when_the_room_changes_and_the_focus_where_one_is(
    server: Server, visit: Visit
) -> None:
    owner = server.sign_in("ada")
    room = owner.post("rooms/", json={"name": "Desk", "mode": "support"}).json()["id"]
    page = visit("ada", f"/rooms/{room}/")
    expect(box(page)).to_be_focused()
    page.keyboard.press("Alt+Digit2")
    note = page.locator(".composer [name=audience][value=staff]")
    expect(note).to_be_checked()
    search = page.get_by_role("searchbox").first
    search.focus()
    owner.patch(f"rooms/{room}/", json={"name": "Counter"})
    expect(page.locator("h1")).to_have_text("Counter")
    expect(box(page)).to_have_attribute("placeholder", "Message Counter")
    expect(note).to_be_checked()
    expect(search).to_be_focused()


def test_a_reply_gives_back_what_was_chosen_last(server: Server, visit: Visit) -> None:
    owner = server.sign_in("ada")
    room = owner.post("rooms/", json={"name": "Desk", "mode": "support"}).json()["id"]
    page = visit("ada", f"/rooms/{room}/")
    composer = page.locator("chat-composer")
    composer.evaluate("(composer) => composer.whisper(0)")
    note = page.locator(".composer [name=audience][value=staff]")
    page.click(".composer [data-audience=staff]")
    write(page, "a note", "[Enter]")
    expect(newest(page)).to_have_text("a note")
    expect(note).to_be_checked()
    page.locator("[data-mine][data-entry] .message").last.focus()
    page.keyboard.press("r")
    write(page, "an answer", "[Enter]")
    expect(newest(page)).to_have_text("an answer")
    expect(note).to_be_checked()


def test_an_edit_goes_on_through_news_of_its_message_and_refusals(
    server: Server, visit: Visit
) -> None:
    owner = server.sign_in("ada")
    room = owner.post("rooms/", json={"name": "Desk"}).json()["id"]
    page = visit("ada", f"/rooms/{room}/")
    write(page, "frist", "[Enter]")
    expect(newest(page)).to_have_text("frist")
    message = page.locator("[data-mine][data-entry] .message").last
    where = f"messages/{message.get_attribute('data-id')}/"
    write(page, "[ArrowUp]")
    edit = page.locator(".inline-edit textarea")
    edit.fill("first")
    owner.put(f"{where}reactions/👍/")
    expect(message.locator(".reaction")).to_have_count(1)
    expect(edit).to_have_value("first")
    expect(edit).to_be_focused()
    message.hover()
    message.locator("[data-tool=edit]").click()
    expect(edit).to_be_focused()
    page.route(f"**/{where}", lambda route: route.abort())
    edit.press("Enter")
    expect(page.locator(".flash")).to_contain_text("The connection was lost")
    expect(edit).to_have_value("first")
    page.unroute(f"**/{where}")
    edit.press("Enter")
    expect(newest(page)).to_have_text("first")
    expect(box(page)).to_be_focused()
    write(page, "[ArrowUp]")
    edit.fill("more")
    held: list[Route] = []
    page.route(f"**/{where}", lambda route: held.append(route), times=1)
    edit.press("Enter")
    wait_for(lambda: page.evaluate(DRAWN) or held)
    page.keyboard.type(" and more")
    page.keyboard.press("Escape")
    expect(edit).to_have_value("more")
    search = page.get_by_role("searchbox").first
    search.focus()
    held[0].continue_()
    expect(newest(page)).to_have_text("more")
    expect(search).to_be_focused()
    write(page, "[ArrowUp]")
    edit.fill("half an edit")
    page.evaluate(ANEW, [room, int(message.get_attribute("data-id"))])
    expect(newest(page)).to_have_text("more")
    write(page, "[ArrowUp]")
    expect(edit).to_have_value("half an edit")
    edit.fill("second")
    owner.patch(where, json={"body": "third"})
    expect(message).to_have_attribute("data-version", "5")
    edit.press("Escape")
    expect(newest(page)).to_have_text("third")


def test_what_is_too_long_stays_with_its_writer(ada: Page) -> None:
    box(ada).fill("x" * 16_001)
    write(ada, "[Enter]")
    expect(ada.locator(".flash")).to_contain_text(
        "A message has at most 16000 characters; this one has 16001."
    )
    expect(ada.locator(".entry-pending")).to_have_count(0)
    expect(box(ada)).to_have_value("x" * 16_001)
    box(ada).fill("")


def test_a_form_in_a_dialog_says_what_went_wrong(ada: Page) -> None:
    ada.locator("#main .message[data-kind=text][data-audience=everyone]").last.focus()
    ada.keyboard.press("b")
    title, begin = ada.locator("dialog [name=title]"), ada.locator("dialog .button-primary")
    title.fill("Prices")
    ada.route("**/messages/*/sidebar/", lambda route: route.abort())
    begin.click()
    note = ada.locator("dialog [role=alert] .flash")
    expect(note).to_contain_text("The server could not be reached")
    expect(begin).to_be_enabled()
    note.get_by_role("button", name="Dismiss").click()
    expect(note).to_have_count(0)
    expect(title).to_have_value("Prices")
    expect(title).to_be_visible()
    ada.unroute("**/messages/*/sidebar/")
    body = '<p class="error-number">403</p><p class="lede">Not for you.</p>'
    ada.route("**/messages/*/sidebar/", lambda route: route.fulfill(status=403, body=body))
    begin.click()
    expect(note).to_contain_text("Not for you.")
    ada.keyboard.press("Escape")
    expect(ada.locator("body > chat-flash")).to_contain_text("Not for you.")


def test_a_dialog_asked_for_twice_is_not_put_in_place_of_itself(ada: Page) -> None:
    ada.evaluate(HELD, "/rooms/1/settings/")
    ada.locator(".room-head a[title='Room settings']").dblclick()
    ada.evaluate("held[1]()")
    shown = ada.locator("dialog [data-partial]")
    expect(shown).to_be_visible()
    shown.evaluate("(part) => (part.dataset.first = '')")
    ada.evaluate("held[0]()")
    ada.evaluate(DRAWN)
    expect(ada.locator("dialog [data-first]")).to_be_visible()


def test_whom_the_page_was_not_told_of_is_whispered_to_all_the_same(
    server: Server, ada: Page
) -> None:
    ben = server.sign_in("ben").get("me/").json()["id"]
    says = ada.locator(".composer .audience-says")
    ada.evaluate(TOLD, 10_000)
    ada.evaluate("(id) => document.querySelector('chat-composer').whisper(id)", ben)
    expect(says).to_contain_text("Only you and Ben Costa")
    box(ada).fill("psst")
    chip = ada.locator(".person-chip input[value='10050']")
    row = ada.locator("[data-people] [data-person='10050'] a")
    for name, held in [("N50 of Lund", chip), ("N50 of Oslo", row)]:
        held.focus()
        changed = {"id": 10_050, "name": name, "role": "viewer"}
        ada.evaluate(CHANGED, {"changed": [changed]})
        expect(row).to_have_text(name)
        expect(held).to_be_focused()
    ada.evaluate(TOLD, 20_000)
    expect(says).to_contain_text("Only you and Ben Costa")
    ada.evaluate(CHANGED, {"removed": [ben]})
    expect(says).to_contain_text("Choose who")
