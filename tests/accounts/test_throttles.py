"""How fast one may go."""

from collections.abc import Callable

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.throttles import TokenBucket
from tests.accounts.conftest import PASSWORD


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_begins_full_and_empties() -> None:
    bucket = TokenBucket(rate=10, burst=30, clock=Clock())
    assert bucket.remaining() == 30
    assert [bucket.take() for _ in range(31)] == [True] * 30 + [False]
    assert bucket.remaining() == 0


def test_a_bucket_fills_at_its_rate_and_never_above_its_burst() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=10, burst=30, clock=clock)
    assert bucket.take(30)
    clock.now += 0.55
    assert bucket.remaining() == 5
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]
    clock.now += 3600
    assert bucket.remaining() == 30


def test_what_cannot_be_taken_whole_is_not_taken_at_all() -> None:
    bucket = TokenBucket(rate=1, burst=5, clock=Clock())
    assert not bucket.take(6)
    assert bucket.remaining() == 5


def test_a_bucket_says_how_long_to_wait() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=2, burst=4, clock=clock)
    assert bucket.wait() == 0
    bucket.take(4)
    assert bucket.wait() == pytest.approx(0.5)
    assert bucket.until_full() == pytest.approx(2)
    clock.now += bucket.wait()
    assert bucket.take()


def test_a_bucket_is_rebuilt_from_one_number() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=1, burst=5, clock=clock)
    bucket.take(3)
    again = TokenBucket(rate=1, burst=5, clock=clock, full_at=bucket.full_at)
    assert again.remaining() == 2


def test_a_clock_that_is_set_back_keeps_nobody_waiting() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=1, burst=5, clock=clock)
    assert bucket.take(5)
    clock.now -= 600
    assert bucket.take(3)
    assert bucket.remaining() == 2


pytest_db = pytest.mark.django_db


@pytest_db
def test_every_answer_tells_what_is_left(ada: User, api_as: Callable) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        api = api_as(ada)
        first, second = api.get("/api/v1/me/"), api.get("/api/v1/me/")
    assert first["RateLimit-Limit"] == "200"
    assert first["RateLimit-Remaining"] == "199"
    assert second["RateLimit-Remaining"] == "198"
    assert second["RateLimit-Reset"] == "1"


@pytest_db
def test_too_many_calls_are_refused_with_the_time_to_wait(
    ada: User, ben: User, api_as: Callable, settings: object
) -> None:
    settings.CHAT_CALL_RATE, settings.CHAT_CALL_BURST = 0.1, 3
    api, other = api_as(ada), api_as(ben)
    with time_machine.travel(timezone.now(), tick=False):
        assert [api.get("/api/v1/me/").status_code for _ in range(3)] == [200] * 3
        refused = api.get("/api/v1/me/")
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limited"
    assert refused.json()["error"]["retryable"] is True
    assert refused["Retry-After"] == "10"
    assert refused["RateLimit-Remaining"] == "0"
    assert other.get("/api/v1/me/").status_code == 200


@pytest_db
def test_nobody_is_counted_by_address(settings: object) -> None:
    settings.CHAT_CALL_RATE, settings.CHAT_CALL_BURST = 0.1, 2
    answers = [APIClient().post("/api/v1/auth/token/refresh/", {}).status_code for _ in range(3)]
    assert answers == [400, 400, 429]
    elsewhere = APIClient(REMOTE_ADDR="192.0.2.3").post("/api/v1/auth/token/refresh/", {})
    assert elsewhere.status_code == 400


@pytest_db
def test_ten_tries_a_minute_at_a_password_for_a_name_and_address(ada: User, ben: User) -> None:
    def enter(name: str, password: str = PASSWORD, **extra: str) -> int:
        body = {"username": name, "password": password}
        return APIClient(**extra).post("/api/v1/auth/token/", body).status_code

    with time_machine.travel(timezone.now(), tick=False):
        assert [enter("ada") for _ in range(10)] == [200] * 10
        assert enter("ada") == 429
        assert enter("ADA") == 429
        assert enter("ben") == 200
        assert enter("ada", REMOTE_ADDR="192.0.2.3") == 200


@pytest_db
def test_the_limits_can_be_lifted(ada: User, api_as: Callable, settings: object) -> None:
    settings.CHAT_THROTTLES = False
    settings.CHAT_CALL_BURST = 1
    api = api_as(ada)
    answers = [api.get("/api/v1/me/") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit-Limit" not in answers[0]


@pytest_db
@pytest.mark.parametrize("body", [[], "x", 1, None, {"username": ["a"]}, {"username": {}}])
def test_odd_bodies_do_not_break_the_throttle(api: APIClient, body: object) -> None:
    assert api.post("/api/v1/auth/token/", body).status_code == 400
