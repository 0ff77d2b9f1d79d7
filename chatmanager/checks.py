"""Mistakes in the settings, each told in a sentence that says what to do."""

import os
import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

POSITIVE = [
    "CHAT_ACCESS_LIFETIME",
    "CHAT_ATTACHMENTS_MAX",
    "CHAT_ATTACHMENT_KEEP_UNATTACHED",
    "CHAT_ATTACHMENT_MAX_SIZE",
    "CHAT_AVATAR_MAX_SIZE",
    "CHAT_CALL_BURST",
    "CHAT_CALL_RATE",
    "CHAT_CATCH_UP_MAX",
    "CHAT_DATABASE_POOL",
    "CHAT_DOOR_RATE",
    "CHAT_EDIT_WINDOW",
    "CHAT_GUEST_LIFETIME",
    "CHAT_HEAD_CHECK_INTERVAL",
    "CHAT_INVITATION_LIFETIME",
    "CHAT_LOGIN_RATE",
    "CHAT_MAIL_AFTER",
    "CHAT_MAIL_PAUSE",
    "CHAT_MESSAGE_MAX_LENGTH",
    "CHAT_NOTIFICATION_KEEP",
    "CHAT_PAGE_MAX",
    "CHAT_PAGE_SIZE",
    "CHAT_PARROT_PACE",
    "CHAT_PERSON_MAX_ROOMS",
    "CHAT_PUSH_AFTER",
    "CHAT_POST_BURST",
    "CHAT_POST_RATE",
    "CHAT_PRESENCE_LEASE",
    "CHAT_PRESENCE_MAX_ROOM",
    "CHAT_PRESENCE_RENEW",
    "CHAT_PROCESSES",
    "CHAT_REFRESH_LIFETIME",
    "CHAT_ROOM_MAX_PARTICIPANTS",
    "CHAT_ROOM_MESSAGES_WARN",
    "CHAT_SEARCH_BURST",
    "CHAT_SEARCH_RATE",
    "CHAT_SESSION_LIFETIME",
    "CHAT_SHARED_AT_ONCE",
    "CHAT_SIDEBARS_MAX",
    "CHAT_SOCKET_FRAME_MAX",
    "CHAT_SOCKET_QUEUE_BYTES",
    "CHAT_SOCKET_REFUSALS",
    "CHAT_STOP_TIMEOUT",
    "CHAT_THUMBNAIL_MAX_PIXELS",
    "CHAT_THUMBNAIL_MEMORY",
    "CHAT_THUMBNAIL_SECONDS",
    "CHAT_TICKET_LIFETIME",
    "CHAT_LAYER_SHARDS",
    "CHAT_REACTION_KINDS_MAX",
    "CHAT_REPLIES_PER_WORKER",
    "CHAT_REPLY_FIRST_TOKEN_TIMEOUT",
    "CHAT_REPLY_LEASE",
    "CHAT_REPLY_RENEW",
    "CHAT_REPLY_SILENCE_TIMEOUT",
    "CHAT_REPLY_SWEEP_INTERVAL",
    "CHAT_REPLY_TIMEOUT",
    "CHAT_REPLY_TRIES",
    "CHAT_SOCKET_THREADS",
    "CHAT_WORKER_THREADS",
]

SHARES = ["CHAT_CONTEXT_FULL", "CHAT_CONTEXT_SUMMARY", "CHAT_CONTEXT_VERBATIM"]


@register
def data_dir_can_be_written(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    folder = settings.CHAT_DATA_DIR
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if not os.environ.get("SECRET_KEY"):
            (folder / "secret_key").read_text()
    except OSError as error:
        return [
            Error(
                f"CHAT_DATA_DIR ({folder}) cannot be used: {error.strerror or error}.",
                hint="Point CHAT_DATA_DIR to a folder that the server's user may write to.",
                id="chat.E001",
            )
        ]
    return []


@register
def processes_can_meet(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.CHAT_PROCESSES <= 1:
        return []
    asked = (
        f"{settings.CHAT_PROCESSES} server processes were asked for (WEB_CONCURRENCY or --workers)"
    )
    found: list[CheckMessage] = []
    if settings.CHAT_ON_SQLITE:
        found.append(
            Error(
                f"{asked}, but SQLite serves one.",
                hint="Give DATABASE_URL a PostgreSQL database, or run one process.",
                id="chat.E002",
            )
        )
    if not settings.REDIS_URLS:
        found.append(
            Error(
                f"{asked}, but without Redis they cannot wake each other.",
                hint="Set REDIS_URL, or run one process.",
                id="chat.E003",
            )
        )
    return found


@register
def numbers_are_positive(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{name} is {given}, but must be greater than zero.",
            hint=f"Set {name} higher or leave it out.",
            id="chat.E004",
        )
        for name in POSITIVE
        if (given := _number(getattr(settings, name))) <= 0
    ]


@register
def shares_are_shares(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{name} is {given}, but is a share: greater than 0, at most 1.",
            hint=f"Set {name} to such as 0.5 or leave it out.",
            id="chat.E013",
        )
        for name in SHARES
        if not 0 < (given := getattr(settings, name)) <= 1
    ]


@register
def pattern_of_keys_is_one(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        re.compile(settings.CHAT_ROBOT_KEY_PATTERN)
    except re.error as error:
        return [
            Error(
                f"CHAT_ROBOT_KEY_PATTERN is no regular expression: {error}.",
                hint="Write it as ^[A-Z0-9_]+_KEY$ or leave it out.",
                id="chat.E014",
            )
        ]
    return []


@register
def numbers_fit_together(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    for smaller, larger in [
        ("CHAT_PRESENCE_RENEW", "CHAT_PRESENCE_LEASE"),
        ("CHAT_REPLY_RENEW", "CHAT_REPLY_LEASE"),
        ("CHAT_ACCESS_LIFETIME", "CHAT_REFRESH_LIFETIME"),
        ("CHAT_PAGE_SIZE", "CHAT_PAGE_MAX"),
    ]:
        if _number(getattr(settings, smaller)) > _number(getattr(settings, larger)):
            yield Error(
                f"{smaller} is greater than {larger}.",
                hint=f"Set {smaller} lower or {larger} higher.",
                id="chat.E005",
            )
    kept = round(settings.CHAT_CONTEXT_VERBATIM + settings.CHAT_CONTEXT_SUMMARY, 6)
    if kept > settings.CHAT_CONTEXT_FULL:
        yield Error(
            f"CHAT_CONTEXT_VERBATIM and CHAT_CONTEXT_SUMMARY are {kept:g} together, but what is "
            "left of a conversation once it is summarised must fit CHAT_CONTEXT_FULL "
            f"({settings.CHAT_CONTEXT_FULL:g}).",
            hint="Set CHAT_CONTEXT_VERBATIM or CHAT_CONTEXT_SUMMARY lower.",
            id="chat.E015",
        )
    # A message of the longest kind must fit a frame, each code point escaped as JSON may do it.
    needed = settings.CHAT_MESSAGE_MAX_LENGTH * 12 + 4096
    if needed > settings.CHAT_SOCKET_FRAME_MAX:
        yield Error(
            "A message of CHAT_MESSAGE_MAX_LENGTH does not fit CHAT_SOCKET_FRAME_MAX.",
            hint=f"Set CHAT_SOCKET_FRAME_MAX to {needed} or more.",
            id="chat.E006",
        )


@register
def database_is_known(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    engine = settings.DATABASES["default"].get("ENGINE") or "nothing"
    if engine in {"django.db.backends.sqlite3", "accounts.postgresql"}:
        return []
    return [
        Error(
            f"DATABASE_URL names {engine}, on which nothing here was ever tried.",
            hint="Use postgres://user:password@host:5432/name, or leave it out for SQLite.",
            id="chat.E007",
        )
    ]


@register
def addresses_are_addresses(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    for url in settings.CSRF_TRUSTED_ORIGINS:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
            yield Error(
                f"{url} (of CHAT_URL or CHAT_ORIGINS) is not an address people can open.",
                hint="Write it as https://chat.example.org, without a path.",
                id="chat.E008",
            )
    if settings.CHAT_TRUSTED_PROXIES < 0:
        yield Error(
            "CHAT_TRUSTED_PROXIES is negative.",
            hint="It is the number of proxies in front of the server: 0 where there is none.",
            id="chat.E009",
        )
    for url in settings.REDIS_URLS:
        if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
            yield Error(
                "REDIS_URL is not the address of a Redis.",
                hint="Write it as redis://host:6379/0.",
                id="chat.E010",
            )


@register
def time_zone_is_known(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.CHAT_TIME_ZONE in {*available_timezones(), "UTC"}:
        return []
    return [
        Error(
            f"CHAT_TIME_ZONE ({settings.CHAT_TIME_ZONE}) is no time zone that this host knows.",
            hint="Write it as Europe/Berlin; a host without any wants the package tzdata.",
            id="chat.E011",
        )
    ]


@register
def notifying_is_known(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.CHAT_NOTIFY_DEFAULT in {"all", "mentions", "nothing"}:
        return []
    return [
        Error(
            f"CHAT_NOTIFY_DEFAULT is {settings.CHAT_NOTIFY_DEFAULT}, which rooms cannot be set to.",
            hint="Choose all, mentions or nothing.",
            id="chat.E012",
        )
    ]


@register
def mail_can_lead_back(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.CHAT_URL or not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return []
    return [
        Warning(
            "EMAIL_URL is set but CHAT_URL is not: what mail links to leads nowhere.",
            hint="Set CHAT_URL to the address people use.",
            id="chat.W002",
        )
    ]


@register
def hosts_are_named(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "CHAT_HOSTS is *: sockets then take the cookie of a signed-in person from any site.",
            hint="Name the hosts people use.",
            id="chat.W001",
        )
    ]


def _number(value: Any) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
