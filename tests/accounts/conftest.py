"""People and clients of the tests of accounts."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.roles import SiteRole
from accounts.signals import logins_ended

PASSWORD = "correct horse battery"


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_person("ada", "Ada Lovelace", PASSWORD)


@pytest.fixture
def ben(db: None) -> User:
    return User.objects.create_person("ben", "Ben Bitdiddle", PASSWORD)


@pytest.fixture
def agnes(db: None) -> User:
    return User.objects.create_person("agnes", "Agnes Agent", PASSWORD, SiteRole.AGENT)


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_person("root", "Root", PASSWORD, SiteRole.ADMIN)


@pytest.fixture
def guest(db: None) -> User:
    return User.objects.create_guest("Gus")


@pytest.fixture
def customer(db: None) -> User:
    return User.objects.create_customer("Cora")


@pytest.fixture
def parrot(db: None) -> User:
    return User.objects.create_robot("parrot", "Parrot")


@pytest.fixture
def api() -> APIClient:
    """Nobody, calling the API."""
    return APIClient()


@pytest.fixture
def sign_in(db: None) -> Callable[..., dict[str, str]]:
    """A token pair, by the front door."""

    def sign_in(user: User, password: str = PASSWORD) -> dict[str, str]:
        body = {"username": user.handle, "password": password}
        response = APIClient().post("/api/v1/auth/token/", body)
        assert response.status_code == 200, response.content
        return response.json()

    return sign_in


@pytest.fixture
def api_as(sign_in: Callable[..., dict[str, str]]) -> Callable[[User], APIClient]:
    """Somebody with an access token, calling the API."""

    def api_as(user: User) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {sign_in(user)['access']}")
        return client

    return api_as


@pytest.fixture
def ended() -> Iterator[list[dict[str, Any]]]:
    """What `logins_ended` announces."""
    heard: list[dict[str, Any]] = []

    def hear(logins: list[int], users: list[int], **_: object) -> None:
        heard.append({"logins": logins, "users": users})

    logins_ended.connect(hear)
    yield heard
    logins_ended.disconnect(hear)
