"""Passwords cannot be tried fast by changing the name each time."""

from typing import Any

import pytest
from django.test import Client

from tests.callers import Caller
from tests.world import PASSWORD, World


@pytest.fixture(autouse=True)
def _slow(settings: Any) -> None:
    settings.CHAT_THROTTLES, settings.CHAT_DOOR_RATE = True, 3


def test_the_api_tells_an_address_to_wait_whatever_name_it_tries(world: World) -> None:
    door = Caller(None)
    answers = [door.post("auth/token/", username=f"n{n}", password="x") for n in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_so_does_the_page(world: World) -> None:
    page = Client()
    for n in range(3):
        page.post("/login/", {"username": f"n{n}", "password": "x"})
    refused = page.post("/login/", {"username": "ben", "password": PASSWORD})
    assert refused.status_code == 429
    assert "_auth_user_id" not in page.session
