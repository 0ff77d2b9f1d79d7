"""What tests do on pages in a browser, as people do it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from re import Pattern

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.process import PASSWORD, Server

CHROMIUM = shutil.which("chromium")
IN_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install it")

BEGUN = """async () => {
  if (document.querySelector("script[type=importmap]")) await import("chat/start");
}"""

Visit = Callable[..., Page]
"""`visit(who, path)`: a page on which somebody of the demo is signed in."""

STANDS_STILL = 10.0
"""Seconds after which it must."""

expect.set_options(timeout=20_000)


def arrive(page: Page, server: Server, who: str, path: str) -> None:
    """Somebody who has signed in before, elsewhere in this browser. Returns where it is shown."""
    cookie = {"name": "chat_session", "value": server.session(who), "url": server.url}
    page.context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])
    page.goto(f"{server.url}{path}")
    page.wait_for_url(f"{server.url}{path}")


def sign_in(page: Page, server: Server, who: str, path: str) -> None:
    """By the form. Returns where `path` is shown."""
    page.goto(f"{server.url}/login/?next={path}")
    page.fill("[name=username]", who)
    page.fill("[name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_url(f"{server.url}{path}")


def ready(page: Page) -> None:
    """Its scripts have taken over what works without them, too: they begin when it was painted."""
    page.evaluate(BEGUN)
    if page.locator("chat-composer").count():
        page.locator("chat-composer textarea[aria-controls]").first.wait_for()


def load(page: Page, url: str) -> None:
    """Returns when its scripts have begun."""
    page.goto(url)
    ready(page)


def reload(page: Page) -> None:
    page.reload()
    ready(page)


def landed(page: Page, url: str | Pattern[str]) -> None:
    """What was done has led there."""
    page.wait_for_url(url)
    ready(page)


def serve(page: Page) -> None:
    """Let the service worker have the page: one that is being loaded while the worker takes its
    pages over is left out, until it is loaded again.
    """
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    reload(page)
    assert page.evaluate("navigator.serviceWorker.controller !== null")


def say(page: Page, words: str) -> None:
    page.fill(".composer textarea", words)
    page.click(".composer-send")


def ask(page: Page, words: str) -> str:
    """Returns a selector of the answer, which has begun."""
    answers = page.locator(".message:has(.badge:text('Robot'))")
    before = answers.count()
    say(page, words)
    expect(answers).to_have_count(before + 1)
    return f"#{answers.last.get_attribute('id')}"


def faults(page: Page) -> list[str]:
    """What axe finds, and whether anything is wider than the screen, once the page stands still:
    what fades in, or waits for its script, is not there yet.
    """
    until = time.monotonic() + STANDS_STILL
    while (found := faults_now(page)) and time.monotonic() < until:
        page.wait_for_timeout(250)
    return found


def faults_now(page: Page) -> list[str]:
    found = [f"{one['id']}: {one['help']}" for one in Axe().run(page).response["violations"]]
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*found, *(["wider than the screen"] if wide else [])]
