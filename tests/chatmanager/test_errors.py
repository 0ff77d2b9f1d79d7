"""What goes wrong is answered in one shape to programs, and with a page to people."""

import errno
import json
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions as drf
from rest_framework_simplejwt.exceptions import InvalidToken

from accounts.errors import Conflict, DomainError, Forbidden
from chatmanager import errors


class Broken(Conflict):
    code = "broken"
    message = "It is broken."


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Broken(), 409, "broken"),
        (OperationalError("database is locked"), 503, "unavailable"),
        (OSError(errno.ENOSPC, "No space left on device"), 503, "unavailable"),
        (drf.ValidationError({"name": ["Too long."]}), 400, "invalid"),
        (DjangoValidationError({"name": ["Too long."]}), 400, "invalid"),
        (drf.ParseError(), 400, "invalid"),
        (InvalidToken(), 401, "token_invalid"),
        (drf.NotAuthenticated(), 401, "not_authenticated"),
        (drf.AuthenticationFailed(), 401, "not_authenticated"),
        (drf.PermissionDenied(), 403, "forbidden"),
        (Http404(), 404, "not_found"),
        (drf.NotFound(), 404, "not_found"),
        (drf.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (drf.NotAcceptable(), 406, "not_acceptable"),
        (drf.UnsupportedMediaType("text/csv"), 415, "unsupported_media_type"),
        (drf.Throttled(wait=2.5), 429, "rate_limited"),
        (RequestDataTooBig(), 413, "too_large"),
        (SuspiciousOperation(), 400, "invalid"),
    ],
)
def test_every_error_has_one_shape(error: Exception, status: int, code: str) -> None:
    answer = errors.exception_handler(error, {})
    assert answer is not None
    assert answer.status_code == status
    body = answer.data["error"]
    assert body["code"] == code
    assert set(body) == {"code", "message", "retryable", "details"}
    assert body["message"]


def test_a_fault_of_ours_is_not_explained_away() -> None:
    assert errors.exception_handler(KeyError("x"), {}) is None
    assert errors.exception_handler(OSError(errno.EIO, "Input/output error"), {}) is None


def test_what_was_wrong_is_told_by_field() -> None:
    answer = errors.exception_handler(
        drf.ValidationError({"name": ["Too long."], "non_field_errors": ["No."]}), {}
    )
    assert answer is not None
    assert answer.data["error"]["details"] == {"name": ["Too long."], "all": ["No."]}


def test_what_may_be_tried_again_says_when() -> None:
    busy = errors.exception_handler(OperationalError("database is locked"), {})
    throttled = errors.exception_handler(drf.Throttled(wait=2.5), {})
    assert busy is not None
    assert throttled is not None
    assert (busy.data["error"]["retryable"], busy["Retry-After"]) == (True, "1")
    assert (throttled.data["error"]["retryable"], throttled["Retry-After"]) == (True, "3")


def test_who_is_nobody_is_told_how_to_sign_in() -> None:
    error = drf.NotAuthenticated()
    error.auth_header = 'Bearer realm="api"'  # type: ignore[attr-defined]
    answer = errors.exception_handler(error, {})
    assert answer is not None
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


def test_people_get_a_page(rf: RequestFactory) -> None:
    page = errors.answer(rf.get("/rooms/1/", headers={"Accept": "text/html"}), Broken())
    assert page.status_code == 409
    assert page["Content-Type"].startswith("text/html")
    assert b"It is broken." in page.content


def test_an_error_page_escapes_what_it_shows(rf: RequestFactory) -> None:
    page = errors.answer(rf.get("/rooms/1/"), Forbidden("<script>alert(1)</script>"))
    assert b"<script>alert" not in page.content


def test_a_page_that_fails_gives_the_bare_sentence(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no template today")

    monkeypatch.setattr(errors.loader, "select_template", fail)
    page = errors.answer(rf.get("/"), Forbidden("<b>No.</b>"))
    assert page.status_code == 403
    assert b"&lt;b&gt;No.&lt;/b&gt;" in page.content


@pytest.mark.parametrize(
    "error",
    [
        Broken(),
        OperationalError("canceling: lock timeout"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_what_leaves_a_page_becomes_its_page(rf: RequestFactory, error: Exception) -> None:
    middleware = errors.DomainErrorPages(lambda request: None)  # type: ignore[arg-type, return-value]
    page = middleware.process_exception(rf.get("/rooms/1/"), error)
    assert page is not None
    assert page.status_code == (409 if isinstance(error, DomainError) else 503)
    assert middleware.process_exception(rf.get("/"), KeyError("x")) is None


@pytest.mark.django_db
def test_an_address_that_is_none(client: Client) -> None:
    page = client.get("/there/is/no/such/page/", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")
    called = client.get("/api/v1/no/such/thing/")
    assert called.status_code == 404
    assert json.loads(called.content)["error"]["code"] == "not_found"


@pytest.mark.django_db
def test_a_form_without_its_token() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/login/", {"username": "ben", "password": "x"})
    assert answer.status_code == 403
    assert b"Load the page again" in answer.content
