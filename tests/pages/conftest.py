from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from accounts.models import User
from tests.pages.browsing import CHROMIUM, Visit, arrive, ready
from tests.process import Server, demo


@pytest.fixture
def browse() -> Callable[[User], Client]:
    """A browser in which somebody is signed in."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with (
        demo(tmp_path_factory.mktemp("browser")) as environment,
        Server({**environment, "CHAT_THROTTLES": "0"}) as ours,
    ):
        yield ours


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        ours = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield ours
        ours.close()


@pytest.fixture
def visit(server: Server, browser: Browser) -> Iterator[Visit]:
    """A page on which somebody of the demo is signed in."""
    contexts, errors = [], []

    def visiting(who: str, path: str, **how: Any) -> Page:
        # Only tests that are about it wait for the service worker to fetch everything once more.
        context = browser.new_context(**{"service_workers": "block", **how})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        arrive(page, server, who, path)
        if how.get("java_script_enabled", True):
            ready(page)
        return page

    yield visiting
    for context in contexts:
        for routed in (context, *context.pages):  # what is held back then, nobody waits for
            routed.unroute_all(behavior="ignoreErrors")
        context.close()
    assert errors == []
