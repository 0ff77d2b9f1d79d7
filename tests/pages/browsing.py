"""What tests do on pages in a browser, as people do it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.process import PASSWORD, Server

CHROMIUM = shutil.which("chromium")
IN_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install it")

Visit = Callable[..., Page]
"""`visit(who, path)`: a page on which somebody of the demo is signed in."""

STANDS_STILL = 10.0
"""Seconds after which it must."""

expect.set_options(timeout=20_000)


def sign_in(page: Page, server: Server, who: str, path: str) -> None:
    """Returns where `path` is shown."""
    page.goto(f"{server.url}/login/?next={path}")
    page.fill("[name=username]", who)
    page.fill("[name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_url(f"{server.url}{path}")


def ready(page: Page) -> None:
    """The scripts of a room have taken over what works without them, too."""
    if page.locator("chat-composer").count():
        page.locator("chat-composer textarea[aria-controls]").first.wait_for()


def serve(page: Page) -> None:
    """Let the service worker have the page: one that is being loaded while the worker takes its
    pages over is left out, until it is loaded again.
    """
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    page.reload()
    assert page.evaluate("navigator.serviceWorker.controller !== null")
    ready(page)


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
