"""Mistakes in the settings are told in a sentence, each with its id."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import checks


def ids() -> list[str]:
    return [
        str(message.id) for message in checks.run_checks() if str(message.id).startswith("chat.")
    ]


def test_the_defaults_are_without_a_mistake() -> None:
    assert ids() == []


def test_every_mistake_says_what_to_do(settings: Any) -> None:
    settings.CHAT_PROCESSES = 0
    (message,) = [found for found in checks.run_checks() if found.id == "chat.E004"]
    assert message.msg == "CHAT_PROCESSES is 0.0, but must be greater than zero."
    assert message.hint


def test_several_processes_need_postgresql_and_redis(settings: Any) -> None:
    settings.CHAT_PROCESSES = 2
    settings.CHAT_ON_SQLITE, settings.REDIS_URLS = True, []
    assert ids() == ["chat.E002", "chat.E003"]
    settings.CHAT_ON_SQLITE = False
    assert ids() == ["chat.E003"]
    settings.REDIS_URLS = ["redis://127.0.0.1:6379/0"]
    assert ids() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CHAT_TIME_ZONE", "Mars/Olympus", "chat.E011"),
        ("CHAT_NOTIFY_DEFAULT", "loud", "chat.E012"),
        ("CHAT_EDIT_WINDOW", timedelta(0), "chat.E004"),
        ("CHAT_MESSAGE_MAX_LENGTH", -1, "chat.E004"),
        ("CHAT_PRESENCE_RENEW", 61, "chat.E005"),
        ("CHAT_REFRESH_LIFETIME", timedelta(minutes=1), "chat.E005"),
        ("CHAT_PAGE_SIZE", 201, "chat.E005"),
        ("CHAT_MESSAGE_MAX_LENGTH", 100_000, "chat.E006"),
        ("CSRF_TRUSTED_ORIGINS", ["chat.example.org"], "chat.E008"),
        ("CSRF_TRUSTED_ORIGINS", ["https://chat.example.org/chat"], "chat.E008"),
        ("CHAT_TRUSTED_PROXIES", -1, "chat.E009"),
        ("REDIS_URLS", ["http://127.0.0.1"], "chat.E010"),
        ("CHAT_PARROT_PACE", 0, "chat.E004"),
        ("CHAT_CONTEXT_FULL", 1.5, "chat.E013"),
        ("CHAT_CONTEXT_SUMMARY", 0.0, "chat.E013"),
        ("CHAT_CONTEXT_FULL", 0.4, "chat.E015"),
        ("CHAT_CONTEXT_VERBATIM", 0.7, "chat.E015"),
        ("CHAT_ROBOT_KEY_PATTERN", "[", "chat.E014"),
        ("ALLOWED_HOSTS", ["*"], "chat.W001"),
    ],
)
def test_a_setting_that_cannot_be(settings: Any, name: str, value: Any, expected: str) -> None:
    setattr(settings, name, value)
    assert expected in ids()


def test_a_data_folder_that_cannot_be_written(settings: Any, tmp_path: Any) -> None:
    (tmp_path / "file").touch()
    settings.CHAT_DATA_DIR = tmp_path / "file" / "data"
    assert ids() == ["chat.E001"]
