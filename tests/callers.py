"""Somebody calling the API, by an access token of a login of theirs."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from rest_framework.response import Response
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Login, User

BASE = "/api/v1/"
TOO_LARGE = 2**63  # an id that no database column holds


class Caller:
    """`get("rooms/", scope="desk")`, `post("rooms/", name="New")`."""

    def __init__(self, user: User | None) -> None:
        self.user = user
        self.client = APIClient(raise_request_exception=True)
        if user is not None:
            access = tokens.issue(Login.objects.start(user, kind=Login.Kind.TOKEN))["access"]
            self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")

    def get(self, path: str, **query: Any) -> Response:
        return self.client.get(BASE + path, query)

    def post(self, path: str, **body: Any) -> Response:
        return self.send("POST", path, body)

    def patch(self, path: str, **body: Any) -> Response:
        return self.send("PATCH", path, body)

    def put(self, path: str) -> Response:
        return self.send("PUT", path, None)

    def delete(self, path: str) -> Response:
        return self.send("DELETE", path, None)

    def send(self, method: str, path: str, body: Any) -> Response:
        raw = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, BASE + path, raw, content_type="application/json")

    def upload(self, path: str, **files: Any) -> Response:
        return self.client.post(BASE + path, files, format="multipart")

    def say(self, room: int, body: str = "hello", **how: Any) -> Response:
        return self.post(
            f"rooms/{room}/messages/", **{"client_id": str(uuid4()), "body": body, **how}
        )

    def react(self, message: int, emoji: str) -> Response:
        return self.put(f"messages/{message}/reactions/{quote(emoji)}/")


def code(response: Response) -> str | int:
    """The error's code, or the status of what went well. Every error has the one shape."""
    if response.status_code < 400:
        return response.status_code
    error = response.json()["error"]
    assert set(error) == {"code", "message", "retryable", "details"}
    assert error["message"]
    return error["code"]


def answered(response: Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert response.status_code >= 400, response.content
    return response.status_code, str(code(response))
