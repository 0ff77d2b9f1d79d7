"""Every page there is, and what opens on one: what everybody must be able to use and to look at.

A new page, dialog or menu gets its line here. It is then held against axe at every width and in
both schemes (`test_every_page_in_a_browser.py`), and pictured (`bin/screenshots`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.pages.browsing import ready

Deed = Callable[[Page], None]


@dataclass(frozen=True)
class Sight:
    """What `who` sees at `path` (names in braces are of `Story.places`), having done something.

    `who` is "" for somebody who is not signed in.
    """

    name: str
    path: str
    who: str = "ben"
    do: Deed = lambda page: None


def click(selector: str, then: str) -> Deed:
    """Click it, and wait for what it opens."""

    def doing(page: Page) -> None:
        page.locator(selector).locator("visible=true").last.click()
        expect(page.locator(then).last).to_be_visible()

    return doing


def tool(name: str, then: str) -> Deed:
    """Of the message that one points at."""

    def doing(page: Page) -> None:
        article = page.locator("[data-entry] > .message[data-kind=text]:not([data-deleted])").last
        article.scroll_into_view_if_needed()
        article.focus()
        article.hover()
        page.locator(f".tools [data-tool={name}]").click()
        expect(page.locator(then).last).to_be_visible()

    return doing


def whispering(page: Page) -> None:
    page.locator(".segment[data-audience=only]").click()
    page.locator(".person-chip").first.click()
    page.fill(".composer textarea", "Between **us**, @cleo")


def previewing(page: Page) -> None:
    page.fill(".composer textarea", "- a **list**, @cleo and @nobody\n\n```python\nx = 1\n```")
    page.click("[data-show-preview]")
    page.locator("[data-preview] pre").hover()


DIALOG = "dialog[open]"
CARD = ".card-pop:popover-open"

SIGHTS = [
    Sight("sign-in", "/login/", ""),
    Sight("sign-in-failed", "/login/", "", lambda page: _fail_to_sign_in(page)),
    Sight("invitation", "{invitation}", ""),
    Sight("not-found", "/rooms/999999/"),
    Sight("home", "/"),
    Sight("outbox", "/outbox/"),
    Sight("profile", "/profile/"),
    Sight("password", "/password/"),
    Sight("notifications", "/notifications/", "cleo"),
    Sight("mail-ended", "{mail-ended}", ""),
    Sight("notification-settings", "/notifications/settings/"),
    Sight("room", "/rooms/{lounge}/"),
    Sight("room-lamps", "/rooms/{lamps}/"),
    Sight("room-tools", "/rooms/{lamps}/", do=tool("react", ":popover-open")),
    Sight("room-whispering", "/rooms/{lounge}/", do=whispering),
    Sight("room-preview", "/rooms/{lounge}/", do=previewing),
    Sight("room-picture", "/rooms/{lamps}/", do=click(".picture", "dialog.viewer[open]")),
    Sight("room-facts", "/rooms/{lounge}/", do=click(".facts-button", ".facts:popover-open")),
    Sight("room-card", "/rooms/{lounge}/", "ada", click(".aside .person a, .message-author", CARD)),
    Sight("room-person", "/rooms/{lounge}/people/{person}/", "ada"),
    Sight("room-robot-card", "/rooms/{lounge}/people/@parrot/", "ada"),
    Sight("status", "/status/"),
    Sight("switcher", "/rooms/{lounge}/", do=lambda page: _switching(page, "")),
    Sight("switcher-found", "/", do=lambda page: _switching(page, "li")),
    Sight("keys", "/rooms/{lounge}/", do=lambda page: _keys(page)),
    Sight("room-people", "/rooms/{lounge}/people/"),
    Sight("room-people-found", "/rooms/{lounge}/people/?q=c"),
    Sight("room-settings", "/rooms/{lounge}/settings/", "ada"),
    Sight("room-plan", "/rooms/{release}/"),
    Sight("room-closed", "/rooms/{closed}/", "ada"),
    Sight("room-support", "/rooms/{support}/", "ada"),
    Sight("room-direct", "/rooms/{direct}/"),
    Sight("room-new", "/rooms/new/"),
    Sight("rooms-browse", "/rooms/browse/"),
    Sight("desk", "/desk/", "sue"),
    Sight("message", "/messages/{message}/"),
    Sight("message-menu", "/rooms/{lamps}/", do=tool("more", DIALOG)),
    Sight("message-edit", "/messages/{message}/edit/"),
    Sight("message-delete", "/messages/{message}/delete/"),
    Sight("message-share", "/messages/{message}/share/"),
    Sight("search", "/search/"),
    Sight("search-found", "/search/?q=script"),
    Sight("search-nothing", "/search/?q=nowhere in:{lamps}"),
    Sight("sidebar-open", "/messages/{message}/sidebar/"),
    Sight("sidebar-beside", "/rooms/{lounge}/?sidebar={greets}", do=lambda page: _beside(page)),
    Sight("sidebar", "/rooms/{sidebar}/"),
    Sight("sidebar-share", "/sidebars/{sidebar}/share/", "cleo"),
    Sight("sidebar-conclude", "/sidebars/{sidebar}/conclude/", "cleo"),
    Sight("robots", "/robots/", "ada"),
    Sight("robot", "/robots/{robot}/", "ada"),
    Sight("robot-new", "/robots/new/", "ada"),
    Sight("robot-edit", "/robots/{robot}/edit/", "ada"),
    Sight("robot-retire", "/robots/{robot}/retire/", "ada"),
    Sight("room-robots", "/rooms/{lounge}/robots/", "ada"),
    Sight("room-robot", "/rooms/{lounge}/robots/parrot/", "ada"),
    Sight("room-summary", "/rooms/{lounge}/summary/", "ada"),
    Sight("room-autopilot", "/rooms/{lounge}/autopilot/", "ada"),
    Sight("message-ask", "/messages/{message}/ask/"),
]

# Pages whose HTML is a library's: pictured, and not held against axe.
LENT = [
    Sight("admin", "/admin/", "admin"),
    Sight("admin-audit", "/admin/accounts/auditentry/", "admin"),
]


def _fail_to_sign_in(page: Page) -> None:
    page.fill("[name=username]", "ben")
    page.fill("[name=password]", "not this")
    page.click("main form button")
    expect(page.locator("main form")).to_contain_text("password")


def _switching(page: Page, words: str) -> None:
    page.wait_for_load_state("networkidle")  # its scripts are there
    page.keyboard.press("Control+k")
    page.keyboard.type(words)
    expect(page.locator(".switcher [role=option]").first).to_be_visible()


def _keys(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.locator(".timeline-scroll").focus()
    page.keyboard.press("?")
    expect(page.locator(".keys")).to_be_visible()


def _beside(page: Page) -> None:
    """In a panel, or on a narrow screen on its own page."""
    expect(page.locator(":is(body, .panel)[data-parent] [data-entry]").last).to_be_visible()
    ready(page)  # on a narrow screen it is another page
