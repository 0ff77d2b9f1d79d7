"""Everybody can use every page: axe finds nothing, at any width, light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Browser, Page

from tests.pages.browsing import IN_CHROMIUM, arrive, faults, load
from tests.pages.every_page import SIGHTS, Sight
from tests.pages.story import Story
from tests.process import Server

pytestmark = IN_CHROMIUM

WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 320, "height": 700}


@pytest.fixture(scope="module")
def story(server: Server) -> Story:
    return Story(server)


class Visitors:
    """A page for each of those who look, signed in once."""

    def __init__(self, server: Server, browser: Browser) -> None:
        self._server, self._browser = server, browser
        self._pages: dict[str, Page] = {}

    def look(self, sight: Sight, path: str) -> Page:
        page = self._pages.get(sight.who) or self._come(sight.who)
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")
        load(page, f"{self._server.url}{path}")
        sight.do(page)
        return page

    def _come(self, who: str) -> Page:
        page = self._pages[who] = self._browser.new_context(viewport=WIDE).new_page()
        if who:
            arrive(page, self._server, who, "/")
        return page


@pytest.fixture(scope="module")
def visitors(server: Server, browser: Browser) -> Visitors:
    return Visitors(server, browser)


@pytest.mark.parametrize("sight", SIGHTS, ids=lambda sight: sight.name)
def test_everybody_can_use(sight: Sight, story: Story, visitors: Visitors) -> None:
    page = visitors.look(sight, story.path(sight.path))
    assert faults(page) == [], "wide and light"
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(NARROW)
    assert faults(page) == [], "narrow and dark"


# Not pages: what programs, other tests or Django itself answer for.
ELSEWHERE = (
    *("admin/", "api/", "healthz", "readyz", "metrics", "static/", "logout/", "avatars/"),
    *("attachments/", "direct/<str:handle>/", "rooms/<id:room>/join/"),
    *("sw.js", "manifest.webmanifest", "release"),
)


def test_every_page_is_looked_at(story: Story) -> None:
    """A path whose view shows a page has a sight; those that only take a form have none."""
    resolver = get_resolver()
    seen = {resolver.resolve(story.path(sight.path).partition("?")[0]).route for sight in SIGHTS}
    missing = {route for route in _routes(resolver) if not route.startswith(ELSEWHERE)} - seen
    assert missing - ONLY_FORMS == set()


ONLY_FORMS = {
    "rooms/<id:room>/messages/",
    "messages/<id:message>/react/",
    "messages/<id:message>/actions/",
    "messages/<id:message>/read/",
    "messages/<id:message>/unread/",
    "rooms/<id:room>/me/",
    "notifications/read/",
    "robots/<id:robot>/talk/",
    "messages/<id:message>/stop/",
    "messages/<id:message>/retry/",
    "messages/<id:message>/continue/",
    "sidebars/<id:sidebar>/draft/",
}


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = f"{before}{entry.pattern}"
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from _routes(entry, route)
