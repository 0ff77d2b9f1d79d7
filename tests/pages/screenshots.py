"""Pictures every page, wide and narrow, light and dark: `bin/screenshots`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import django
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.pages.browsing import CHROMIUM, faults, ready, sign_in
from tests.pages.every_page import LENT, SIGHTS, Sight
from tests.process import Server

if TYPE_CHECKING:
    from tests.pages.story import Story

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 390, "height": 780}}
QUALITY = 70
"""Of WebP, at which text is sharp and a page takes some 20 KB."""


def main(arguments: list[str]) -> int:
    """Returns how many pages axe found something on."""
    django.setup()
    from tests.pages.story import Story

    asked = _parse(arguments)
    FOLDER.mkdir(exist_ok=True)
    sights = [one for one in [*SIGHTS, *LENT] if not asked.names or one.name in asked.names]
    found = 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        quiet = {"CHAT_DATA_DIR": folder, "DATABASE_URL": "", "CHAT_THROTTLES": "0"}
        with Server(quiet) as server:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            story = Story(server)
            for size in SIZES:
                for scheme in ("light", "dark"):
                    photographer = Photographer(server, browser, size, scheme)
                    for sight in sights:
                        page = photographer.look(sight, story)
                        photographer.keep(page, sight)
                        found += (
                            asked.axe
                            and sight in SIGHTS
                            and _report(page, f"{sight.name} {size} {scheme}")
                        )
            browser.close()
    return found


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", help="of sights; all of them where none is given")
    parser.add_argument("--axe", action="store_true", help="also say what axe finds on each")
    return parser.parse_args(arguments)


def _report(page: Page, where: str) -> bool:
    found = faults(page)
    for fault in found:
        print(f"{where}: {fault}")
    return bool(found)


class Photographer:
    """Looks in one size and one scheme, as whoever is to see it."""

    def __init__(self, server: Server, browser: Browser, size: str, scheme: str) -> None:
        self._server, self._browser = server, browser
        self._size, self._scheme = size, scheme
        self._pages: dict[str, Page] = {}

    def look(self, sight: Sight, story: Story) -> Page:
        page = self._pages.get(sight.who) or self._come(sight.who)
        page.goto(f"{self._server.url}{story.path(sight.path)}")
        ready(page)
        sight.do(page)
        return page

    def keep(self, page: Page, sight: Sight) -> None:
        """Once its fonts and pictures are there and nothing moves."""
        page.evaluate(
            "() => Promise.all([document.fonts.ready, ...[...document.images]"
            ".filter((image) => image.loading !== 'lazy')"
            ".map((image) => image.decode().catch(() => {}))])"
        )
        shot = page.screenshot(animations="disabled", caret="hide")
        name = f"{sight.name}.{self._size}.{self._scheme}.webp"
        Image.open(BytesIO(shot)).save(FOLDER / name, "WEBP", quality=QUALITY, method=6)

    def _come(self, who: str) -> Page:
        context = self._browser.new_context(
            viewport=SIZES[self._size], color_scheme=self._scheme, reduced_motion="reduce"
        )
        # What was begun for one picture is not to be seen on the next.
        context.add_init_script("if (location.protocol !== 'about:') localStorage.clear()")
        page = self._pages[who] = context.new_page()
        if who:
            sign_in(page, self._server, who, "/")
        return page


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
