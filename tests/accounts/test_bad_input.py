"""Wrong types and odd text: 400 with the field's name, and nothing changed."""

import json
from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Login, User
from tests.accounts.conftest import PASSWORD

pytestmark = pytest.mark.django_db

ODD = [None, 1, 1.5, True, [], ["x"], {}, {"x": 1}, "\0", "\ud800", "x" * 100_000, ""]

FIELDS = [
    ("post", "auth/token/", "username", {"password": PASSWORD}),
    ("post", "auth/token/", "password", {"username": "ada"}),
    ("post", "auth/token/refresh/", "refresh", {}),
    ("post", "auth/logout/", "refresh", {}),
    ("patch", "me/", "name", {}),
    ("post", "me/password/", "current", {"password": "another one entirely"}),
    ("post", "me/password/", "password", {"current": PASSWORD}),
]


@pytest.mark.parametrize(("method", "path", "field", "rest"), FIELDS)
def test_a_field_takes_text_alone(
    ada: User, api_as: Callable, method: str, path: str, field: str, rest: dict, settings: object
) -> None:
    settings.CHAT_THROTTLES = False
    api = api_as(ada)
    for odd in ODD:
        body = json.dumps({**rest, field: odd})
        answer = api.generic(method.upper(), f"/api/v1/{path}", body, "application/json")
        assert answer.status_code == 400, (odd, answer.content)
        error = answer.json()["error"]
        assert (error["code"], list(error["details"])) == ("invalid", [field]), odd
    ada.refresh_from_db()
    assert (ada.name, ada.check_password(PASSWORD)) == ("Ada Lovelace", True)
    assert Login.objects.count() == 1


@pytest.mark.parametrize("odd", [1, True, [], {}, "x", "a@b\0.org", "\ud800@b.org", "x" * 300])
def test_an_address_is_an_address(ada: User, api_as: Callable, odd: object) -> None:
    body = json.dumps({"email": odd})
    answer = api_as(ada).generic("PATCH", "/api/v1/me/", body, "application/json")
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["email"])


@pytest.mark.parametrize("path", ["auth/token/", "auth/token/refresh/", "auth/logout/", "me/"])
@pytest.mark.parametrize("body", ["[]", '"x"', "1", "null", "{", "", "\udcff", "[" * 5000])
def test_a_body_is_an_object(ada: User, api_as: Callable, path: str, body: str) -> None:
    method = "PATCH" if path == "me/" else "POST"
    raw = body.encode("utf-8", "surrogateescape")
    answer = api_as(ada).generic(method, f"/api/v1/{path}", raw, "application/json")
    # Nothing to change is no fault.
    expected = {200, 400} if path == "me/" and not raw else {400}
    assert answer.status_code in expected, answer.content


def test_other_kinds_of_body_are_415(ada: User, api: APIClient) -> None:
    answer = api.generic("POST", "/api/v1/auth/token/", "<xml/>", "text/xml")
    assert answer.status_code == 415


@pytest.mark.parametrize("username", ["%00", "x" * 100_000, "%ED%A0%80", "%FF", "ada%00"])
def test_the_login_page_takes_odd_text_calmly(client: Client, ada: User, username: str) -> None:
    body = f"username={username}&password={PASSWORD.replace(' ', '+')}"
    answer = client.post("/login/", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert not Login.objects.exists()


def test_every_address_says_what_it_answers(client: Client) -> None:
    schema = client.get("/api/v1/schema/?format=json").json()
    paths = {
        "auth/token/": {"post"},
        "auth/token/refresh/": {"post"},
        "auth/logout/": {"post"},
        "auth/ticket/": {"post"},
        "me/": {"get", "patch"},
        "me/password/": {"post"},
        "me/avatar/": {"put", "delete"},
        "users/": {"get"},
    }
    for path, methods in paths.items():
        described = schema["paths"][f"/api/v1/{path}"]
        assert set(described) == methods
        for method in methods:
            answers = described[method]["responses"]
            assert {"429", "503"} <= set(answers), path
            shape = answers["429"]["content"]["application/json"]["schema"]["$ref"]
            assert shape == "#/components/schemas/Error"
            assert set(answers) & {"200", "204"}, path
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
