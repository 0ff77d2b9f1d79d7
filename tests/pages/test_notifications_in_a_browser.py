"""How somebody is told who looks elsewhere: by the bell, the tab, the screen, and by push."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.pages.browsing import IN_CHROMIUM, Visit, load, serve
from tests.process import Server, wait_for

pytestmark = IN_CHROMIUM

BELL = "chat-bell"
# Whether anybody looks is ours to say.
EYES = """
window.away = false;
Object.defineProperty(document, "hidden", { get: () => window.away });
"""
# Without a screen nothing pops up: what would is gathered.
SCREEN = (
    EYES
    + """
window.told = [];
window.Notification = class {
  static get permission() { return sessionStorage.getItem("asked") ? "granted" : "default"; }
  static async requestPermission() { sessionStorage.setItem("asked", "yes"); return "granted"; }
  constructor(title, options) { window.told.push(Object.assign(this, { title, ...options })); }
  close() {}
};
"""
)
LOOK = "(away) => { window.away = away; document.dispatchEvent(new Event('visibilitychange')); }"
# How many tabs are ready to tell: one does, the others wait for their turn.
READY = """
async () => {
  const { held, pending } = await navigator.locks.query();
  return [...held, ...pending].filter(({ name }) => name.startsWith("notifications:")).length;
}"""
TOLD = "window.told.map(({ title, body, tag }) => ({ title, body, tag }))"


@pytest.fixture(scope="module")
def people(server: Server) -> dict[str, httpx.Client]:
    return {who: server.sign_in(who) for who in ("ben", "cleo")}


@pytest.fixture
def room(people: dict[str, httpx.Client]) -> int:
    """One of Ben's and Cleo's, in which nothing was said."""
    cleo = people["cleo"].get("me/").json()["id"]
    made = people["ben"].post("rooms/", json={"name": f"Told {uuid4()}", "people": [cleo]})
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


def speak(who: httpx.Client, room: int, body: str) -> int:
    said = who.post(f"rooms/{room}/messages/", json={"client_id": str(uuid4()), "body": body})
    assert said.status_code == 201, said.text
    return int(said.json()["id"])


def at_a_screen(visit: Visit, path: str, *, allowed: bool = True) -> Page:
    """Ben, whose socket is there."""
    page = visit("ben", "/")
    page.add_init_script(SCREEN)
    if allowed:
        page.evaluate("sessionStorage.setItem('asked', 'yes')")
    load(page, page.url.rstrip("/") + path)
    wait_for(lambda: page.evaluate(READY))
    return page


def counted(page: Page) -> int:
    return int(page.get_attribute(BELL, "data-unread") or 0)


def waiting(page: Page) -> int:
    """Rooms, as the title of the tab says it."""
    return int((re.match(r"\((\d+)\)", page.title()) or [0, 0])[1])


def test_a_mention_is_counted_shown_and_leads_to_what_was_said(
    visit: Visit, people: dict[str, httpx.Client], room: int
) -> None:
    ben = at_a_screen(visit, "/notifications/", allowed=False)
    ben.click("chat-permission button")
    expect(ben.locator("chat-permission")).to_be_hidden()
    bell, rooms = counted(ben), waiting(ben)
    ben.evaluate(LOOK, True)
    said = speak(people["cleo"], room, "@ben are *you* there?")
    expect(ben.locator(BELL)).to_have_attribute("data-unread", str(bell + 1))
    expect(ben.locator(f"{BELL} .count")).to_contain_text(str(bell + 1))
    wait_for(lambda: ben.evaluate("window.told.length"))
    (shown,) = ben.evaluate(TOLD)
    assert shown["title"].startswith("Cleo Lind mentioned you in Told")
    assert (shown["body"], shown["tag"]) == ("@ben are you there?", f"message-{said}")
    ben.evaluate(LOOK, False)
    newest = ben.locator(".told").first
    expect(newest).to_contain_text("are you there?")
    expect(newest).to_have_attribute("data-unread", "")
    expect(ben).to_have_title(re.compile(rf"^\({rooms + 1}\) Notifications"))
    expect(ben.locator("link[rel=icon]")).to_have_attribute("href", re.compile("^data:image/png"))
    ben.evaluate("window.told[0].onclick()")
    ben.wait_for_url(f"**/rooms/{room}/?around={said}*")
    expect(ben.locator(f"#message-{said}")).to_be_in_viewport()
    expect(ben.locator(BELL)).to_have_attribute("data-unread", str(bell))
    assert waiting(ben) == rooms


def test_a_room_tells_as_much_as_it_is_set_to(
    server: Server, visit: Visit, people: dict[str, httpx.Client], room: int
) -> None:
    ben = visit("ben", f"/rooms/{room}/")
    ben.wait_for_load_state("networkidle")  # its scripts are there
    ben.click("a[title='Room settings']")
    ben.select_option("dialog [name=notify]", "nothing")
    ben.click("dialog button:has-text('Save for me')")
    expect(ben.locator("dialog[open]")).to_have_count(0)
    lounge = people["ben"].patch("rooms/1/me/", json={"notify": "all"})
    assert lounge.status_code == 200, lounge.text
    ben = at_a_screen(visit, "/notifications/")
    bell = counted(ben)
    speak(people["cleo"], room, "@ben, not a word of this")
    speak(people["cleo"], 1, "to nobody in particular")
    expect(ben.locator(".told").first).to_contain_text("to nobody in particular")
    expect(ben.locator(BELL)).to_have_attribute("data-unread", str(bell + 1))
    assert not ben.locator(".told", has_text="not a word").count()
    ben.click("button:has-text('Mark all read')")
    expect(ben.locator(f"{BELL} .count")).to_be_hidden()
    expect(ben.locator(".told[data-unread]")).to_have_count(0)


def test_in_quiet_hours_it_is_counted_but_not_shown(
    visit: Visit, people: dict[str, httpx.Client], room: int
) -> None:
    ben = at_a_screen(visit, "/notifications/settings/")
    for field in ("quiet_from", "quiet_until"):
        ben.fill(f"[name={field}]", "00:00")  # from midnight to midnight
    for day in ben.locator("[name=quiet_days]").all():
        day.check()
    ben.click("main form button:has-text('Save')")
    expect(ben.locator(".flash")).to_contain_text("saved")
    wait_for(lambda: ben.evaluate(READY))
    bell = counted(ben)
    ben.evaluate(LOOK, True)
    speak(people["cleo"], room, "@ben asleep?")
    expect(ben.locator(BELL)).to_have_attribute("data-unread", str(bell + 1))
    over = people["ben"].patch("me/notifications/", json={"quiet_from": None, "quiet_until": None})
    assert over.status_code == 200, over.text
    speak(people["cleo"], room, "@ben awake?")
    wait_for(lambda: ben.evaluate("window.told.length"))
    assert [one["body"] for one in ben.evaluate(TOLD)] == ["@ben awake?"]


def test_of_two_tabs_one_tells_and_none_while_one_is_looked_at(
    visit: Visit, people: dict[str, httpx.Client], room: int
) -> None:
    first = at_a_screen(visit, "/")
    second = first.context.new_page()
    second.add_init_script(SCREEN)
    load(second, first.url)
    wait_for(lambda: second.evaluate(READY) == 2)
    second.evaluate("sessionStorage.setItem('asked', 'yes')")
    bell = counted(first)
    first.evaluate(LOOK, True)
    speak(people["cleo"], room, "@ben seen")
    for tab in (first, second):
        expect(tab.locator(BELL)).to_have_attribute("data-unread", str(bell + 1))
    second.evaluate(LOOK, True)
    speak(people["cleo"], room, "@ben unseen")
    for tab in (first, second):
        expect(tab.locator(BELL)).to_have_attribute("data-unread", str(bell + 2))
    wait_for(lambda: first.evaluate("window.told.length"))
    assert [one["body"] for tab in (first, second) for one in tab.evaluate(TOLD)] == ["@ben unseen"]


CLICK = """
async () => {
  // A browser lets a worker raise a page for people's clicks alone, which this is not.
  WindowClient.prototype.focus = async function () { return this; };
  const [shown] = await self.registration.getNotifications();
  self.dispatchEvent(new NotificationEvent("notificationclick", { notification: shown }));
}"""
# Chromium reads notifications by throwing away those that are written down and not on display: one
# that is shown at this moment would be lost. So nothing is read before it was told to be shown.
COUNT = """
() => {
  const { showNotification } = ServiceWorkerRegistration.prototype;
  self.showing = 0;
  ServiceWorkerRegistration.prototype.showNotification = async function (...what) {
    await showNotification.apply(this, what);
    self.showing += 1;
  };
}"""
SHOWN = """
async () => {
  const { getNotifications } = ServiceWorkerRegistration.prototype;
  const shown = await getNotifications.call(await navigator.serviceWorker.ready);
  return shown.map(({ title, body, tag }) => ({ title, body, tag }));
}"""


class PushService:
    """Gives the worker of a page what comes by push, as Chromium's does."""

    def __init__(self, page: Page) -> None:
        self._page, self._registrations = page, []
        self._browser = page.context.new_cdp_session(page)
        self._browser.on("ServiceWorker.workerRegistrationUpdated", self._registered)
        self._browser.send("ServiceWorker.enable")
        wait_for(lambda: page.evaluate("null") or self._registrations)
        (self.worker,) = page.context.service_workers
        self.worker.evaluate(COUNT)

    def _registered(self, told: dict[str, Any]) -> None:
        self._registrations += [one["registrationId"] for one in told["registrations"]]

    def deliver(self, data: str) -> None:
        """Returns when it is shown."""
        before = self.worker.evaluate("self.showing")
        address = urlsplit(self._page.url)
        origin = f"{address.scheme}://{address.netloc}"
        to = {"origin": origin, "registrationId": self._registrations[-1]}
        self._browser.send("ServiceWorker.deliverPushMessage", {**to, "data": data})
        wait_for(lambda: self.worker.evaluate("self.showing") > before)

    @property
    def shown(self) -> list[dict[str, str]]:
        return self._page.evaluate(SHOWN)


def test_the_service_worker_shows_what_a_page_is_told(
    visit: Visit, people: dict[str, httpx.Client], room: int
) -> None:
    ben = visit("ben", "/profile/", service_workers="allow", permissions=["notifications"])
    ben.add_init_script(EYES)
    serve(ben)
    wait_for(lambda: ben.evaluate(READY))
    pushes = PushService(ben)
    ben.evaluate(LOOK, True)
    ben.evaluate(COUNT)
    said = speak(people["cleo"], room, "@ben on a phone?")
    wait_for(lambda: ben.evaluate("self.showing"))
    (shown,) = pushes.shown
    assert (shown["body"], shown["tag"]) == ("@ben on a phone?", f"message-{said}")
    ben.evaluate(LOOK, False)
    pushes.worker.evaluate(CLICK)
    ben.wait_for_url(f"**/rooms/{room}/?around={said}#message-{said}")


def test_what_is_pushed_is_shown_and_a_click_leads_to_it(visit: Visit) -> None:
    ben = visit("ben", "/profile/", service_workers="allow", permissions=["notifications"])
    serve(ben)
    pushes = PushService(ben)
    about = {"title": "Cleo Lind mentioned you in Lounge", "body": "Are you there?"}
    first, second = {**about, "tag": "message-3"}, {**about, "tag": "message-3", "body": "Edited"}
    pushes.deliver(json.dumps({**first, "url": "/rooms/1/?around=3#message-3"}))
    assert pushes.shown == [first]
    pushes.deliver(json.dumps({**second, "url": "/rooms/1/?around=4#message-4"}))
    assert pushes.shown == [second]  # in the place of what it was
    pushes.worker.evaluate(CLICK)
    ben.wait_for_url("**/rooms/1/?around=4#message-4")
    assert pushes.shown == []


def test_a_push_leads_nowhere_but_into_the_site(visit: Visit) -> None:
    ben = visit("ben", "/profile/", service_workers="allow", permissions=["notifications"])
    serve(ben)
    pushes = PushService(ben)
    pushes.deliver(json.dumps({"title": "Elsewhere", "url": "https://example.org/"}))
    assert [one["title"] for one in pushes.shown] == ["Elsewhere"]
    pushes.worker.evaluate(CLICK)
    wait_for(lambda: pushes.shown == [])
    pushes.deliver("")
    assert [one["title"] for one in pushes.shown] == ["Chat Manager"]
    pushes.worker.evaluate(CLICK)
    ben.wait_for_url("**/notifications/")
    assert len(ben.context.pages) == 1
