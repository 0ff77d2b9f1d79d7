"""What compose.yaml, its files and the Procfile name is there: commands, settings, addresses."""

from __future__ import annotations

import re
import shlex
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml
from celery.bin.beat import beat
from celery.bin.worker import worker
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.urls import resolve

from chatmanager import health, server

ROOT = settings.BASE_DIR
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
CADDYFILE = (ROOT / "Caddyfile").read_text()
PROCFILE = dict(
    line.split(": ", 1)
    for line in (ROOT / "Procfile").read_text().splitlines()
    if line and not line.startswith("#")
)
READ_BY_THE_SERVER = {"HOST", "PORT"}
BUILT = DOCKERFILE.replace("\\\n", " ")


def commands() -> dict[str, list[str]]:
    """Each as words, without the folder of its program."""
    lines = {f"compose: {name}": str(SERVICES[name]["command"]) for name in OURS}
    lines |= {f"Procfile: {name}": line for name, line in PROCFILE.items()}
    return {
        f"{name}, {n}": shlex.split(command.replace(".venv/bin/", ""))
        for name, line in lines.items()
        for n, command in enumerate(line.split(" && "), 1)
    }


def options_of(command: click.Command, options: list[str]) -> dict[str, Any]:
    """Raises click.UsageError for what it does not take."""
    given, rest, _ = command.make_parser(click.Context(command)).parse_args(options)
    assert not rest
    return given


@pytest.mark.parametrize("name", commands())
def test_each_command_is_one_that_is_taken(name: str) -> None:
    match commands()[name]:
        case ["python", "-m", "chatmanager", *options]:
            assert not server._parse(options).prepare, "it is prepared by a step of its own"
        case ["python", "manage.py", command, *options]:
            found = load_command_class(get_commands()[command], command)
            found.create_parser("manage.py", command).parse_args(options)
        case ["celery", "-A", "chatmanager", "worker", *options]:
            assert options_of(worker, options)["pool"] == "threads"
        case ["celery", "-A", "chatmanager", "beat", *options]:
            options_of(beat, options)
        case other:
            pytest.fail(f"This is nothing of ours: {other}")


@pytest.mark.parametrize("where", ["compose", "Procfile"])
def test_somebody_takes_from_each_queue_and_one_keeps_the_schedule(where: str) -> None:
    here = [words for name, words in commands().items() if name.startswith(where)]
    workers = [options_of(worker, words[4:]) for words in here if "worker" in words]
    taken = [queue for given in workers for queue in given["queues"].split(",")]
    assert sorted(taken) == sorted(queue.name for queue in settings.CELERY_TASK_QUEUES)
    assert sum("beat" in words for words in here) == 1
    assert any(words[:3] == ["python", "manage.py", "migrate"] for words in here)


@pytest.mark.parametrize("name", OURS)
def test_each_setting_is_read(name: str) -> None:
    for variable in SERVICES[name]["environment"]:
        is_key = re.search(settings.CHAT_ROBOT_KEY_PATTERN, variable) and variable != "SECRET_KEY"
        assert is_key or variable in settings.CHAT_VARIABLES_READ, variable


def test_the_image_sets_what_is_read() -> None:
    names = set(re.findall(r"\b(CHAT_[A-Z_]+)=", BUILT))
    assert names
    assert names <= settings.CHAT_VARIABLES_READ


def test_what_is_to_be_filled_in_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    told = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert asked == set(told)


def test_no_secret_is_written_down() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD"):
        assert f"${{{name}:?" in text, "it must be given, or nothing starts"
        assert f"\n{name}=\n" in (ROOT / ".env.example").read_text()


def test_addresses_name_services() -> None:
    environment = SERVICES["web"]["environment"]
    for name in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"):
        address = re.sub(r"\$\{[^}]*\}", "secret", environment[name])
        assert urlsplit(address).hostname in SERVICES
    assert environment["REDIS_URL"] != environment["CELERY_BROKER_URL"]
    proxied = re.search(r"dynamic a (\w+) (\d+)", CADDYFILE)
    assert proxied
    assert ["--port", proxied[2]] == shlex.split(SERVICES[proxied[1]]["command"])[5:7]


def test_the_health_of_servers_is_asked_where_it_is_told() -> None:
    question = " ".join(SERVICES["web"]["healthcheck"]["test"])
    asked = re.search(r"http://127\.0\.0\.1:8000(/\w+)", question)
    assert asked
    assert resolve(asked[1]).func is health.ready
    private = re.search(r"path (/\w+)", CADDYFILE)
    assert private
    assert resolve(private[1]).func is health.metrics


def test_the_proxy_takes_the_largest_file() -> None:
    most = re.search(r"max_size (\d+)MiB", CADDYFILE)
    assert most
    assert int(most[1]) * 1024 * 1024 >= settings.CHAT_REQUEST_MAX_SIZE


def test_servers_have_the_time_they_take_to_stop() -> None:
    farewell = settings.CHAT_STOP_TIMEOUT + server.FAREWELL_SECONDS
    assert int(SERVICES["web"]["stop_grace_period"].removesuffix("s")) > farewell


def test_every_image_is_of_a_version() -> None:
    images = [service["image"] for service in SERVICES.values()]
    images += re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    for image in images:
        assert re.search(r":\d", image), image


def test_what_must_outlive_a_container_does() -> None:
    named = {volume.split(":")[0] for one in SERVICES.values() for volume in one.get("volumes", ())}
    assert {name for name in named if not name.startswith(".")} == set(COMPOSE["volumes"])
    for name in OURS:
        assert "data:/data" in SERVICES[name]["volumes"]
    assert "CHAT_DATA_DIR=/data" in BUILT
