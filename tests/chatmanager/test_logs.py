"""What never gets into the log."""

from typing import Any

import pytest
from django.test import Client, RequestFactory

from chatmanager import logs


def test_a_request_is_told_without_its_query(rf: RequestFactory) -> None:
    request = rf.get("/ws/?ticket=abc")
    assert logs.RequestLog.format_request(request) == "GET /ws/"


def test_an_invitation_is_told_without_its_token() -> None:
    assert logs.presentable("/join/s3cr3t/") == "/join/***/"
    assert logs.presentable("/rooms/7/") == "/rooms/7/"


@pytest.mark.django_db
def test_a_probe_that_goes_well_is_not_told(client: Client, caplog: Any) -> None:
    with caplog.at_level("INFO"):
        client.get("/readyz")
        client.get("/login/")
    assert "/login/" in caplog.text
    assert "/readyz" not in caplog.text


@pytest.mark.parametrize("name", ["password", "access_token", "Authorization", "ticket", "api_key"])
def test_values_of_names_that_sound_secret_are_blanked(name: str) -> None:
    event = logs.hide_secrets(None, "info", {"event": "x", name: "s3cr3t"})
    assert event == {"event": "x", name: "***"}


@pytest.mark.django_db
def test_nothing_of_a_request_but_its_path_is_written(
    client: Client, capfd: pytest.CaptureFixture[str], caplog: Any
) -> None:
    with caplog.at_level("DEBUG"):
        client.get("/join/s3cr3t-invitation/?ticket=s3cr3t-ticket")
        client.get("/no/such/page/?ticket=s3cr3t-ticket")
    written = caplog.text + capfd.readouterr().err
    assert "/join/***/" in written
    assert "s3cr3t" not in written
