"""Alive, ready, and the figures."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from chatmanager import health

# A port on which nothing answers.
NOWHERE = "redis://127.0.0.1:1/0"


def test_alive_asks_nothing_of_the_database(client: Client) -> None:
    # Without the django_db mark, touching the database would fail the test.
    assert client.get("/healthz").json() == {"status": "alive"}


@pytest.mark.django_db
def test_ready_on_a_migrated_database(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_not_ready_while_migrations_are_missing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'rooms'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "migrations are missing"


@pytest.mark.django_db
def test_not_ready_while_the_database_is_away(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(health.connection, "cursor", away)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "away"


@pytest.mark.django_db
def test_degraded_but_ready_without_what_only_wakes(client: Client, settings: Any) -> None:
    settings.REDIS_URLS = [NOWHERE]
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["channel_layer"] == "away"


def test_metrics_are_for_this_machine(client: Client) -> None:
    figures = client.get("/metrics")
    assert figures.status_code == 200
    assert b"python_info" in figures.content
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 404


def test_metrics_behind_a_proxy_need_the_token(client: Client, settings: Any) -> None:
    settings.CHAT_TRUSTED_PROXIES = 1
    assert client.get("/metrics").status_code == 404


def test_metrics_by_token(client: Client, settings: Any) -> None:
    settings.CHAT_METRICS_TOKEN = "tell me"
    right = {"Authorization": "Bearer tell me"}
    wrong = {"Authorization": "Bearer tell him"}
    assert client.get("/metrics", headers=right, REMOTE_ADDR="192.0.2.7").status_code == 200
    assert client.get("/metrics", headers=wrong).status_code == 404
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_they_are_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
