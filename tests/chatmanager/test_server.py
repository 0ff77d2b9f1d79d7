"""The server as it is run: from its refusals to its clean stop."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import psycopg
import pytest
from django.conf import settings
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.process import PATIENCE, Server, database, wait_for

on_grown = pytest.mark.skipif(
    settings.CHAT_ON_SQLITE or not settings.REDIS_URLS, reason="needs PostgreSQL and Redis"
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with database(tmp_path_factory.mktemp("server")) as environment:
        yield environment


def open_socket(server: Server, username: str) -> ClientConnection:
    headers = {"Authorization": server.sign_in(username).headers["Authorization"]}
    return connect(server.socket_url, additional_headers=headers, open_timeout=PATIENCE)


def frames_until_close(connection: ClientConnection) -> tuple[list[dict[str, object]], int | None]:
    frames = []
    try:
        while True:
            frames.append(json.loads(connection.recv(timeout=PATIENCE)))
    except ConnectionClosed as closed:
        return frames, closed.rcvd.code if closed.rcvd else None


def frame_header(length: int) -> bytes:
    """How a client begins a text frame of so many bytes (RFC 6455, 5.2)."""
    return struct.pack("!BBQ4x", 0x81, 0x80 | 127, length)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(environment: dict[str, str], number: int) -> None:
    with Server(environment) as server, open_socket(server, "ben") as connection:
        assert json.loads(connection.recv(timeout=PATIENCE))["type"] == "hello"
        server.process.send_signal(number)
        frames, code = frames_until_close(connection)
        assert frames[-1] == {"type": "bye", "reason": "restarting"}
        assert code == 1012
        assert server.process.wait(PATIENCE) == 0


def test_what_was_said_is_there_after_a_kill(environment: dict[str, str]) -> None:
    with Server(environment) as server:
        ben = server.sign_in("ben")
        room = ben.post("rooms/", json={"name": "Kept"}).json()
        said = ben.post(
            f"rooms/{room['id']}/messages/",
            json={"client_id": "0190a0a0-0000-7000-8000-000000000001", "body": "still here"},
        )
        assert said.status_code == 201, said.text
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    with Server(environment) as server:
        history = server.sign_in("ben").get(f"rooms/{room['id']}/messages/").json()
        assert "still here" in [message["body"] for message in history["messages"]]


def test_frames_just_too_large_are_answered_and_huge_ones_cut_off(
    environment: dict[str, str],
) -> None:
    with Server(environment) as server, open_socket(server, "ben") as connection:
        connection.recv(timeout=PATIENCE)
        connection.send(json.dumps({"type": "ping", "t": "x" * (settings.CHAT_SOCKET_FRAME_MAX)}))
        answer = json.loads(connection.recv(timeout=PATIENCE))
        assert (answer["type"], answer["code"]) == ("error", "too_large")
        connection.socket.sendall(frame_header(settings.CHAT_SOCKET_FRAME_MAX * 4 + 1))
        assert frames_until_close(connection)[1] == 1009


def test_a_request_too_large_is_refused(environment: dict[str, str]) -> None:
    with Server({**environment, "CHAT_ATTACHMENT_MAX_SIZE": "1"}) as server:
        answer = server.sign_in("ben").post("rooms/", content=b"x" * (1024 * 1024 + 2))
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "too_large"


def refusal(*arguments: str, **environment: str) -> str:
    """What a server that will not start says."""
    ended = subprocess.run(
        [sys.executable, "-m", "chatmanager", *arguments],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "chatmanager.settings",
            "PORT": "0",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_several_processes_on_sqlite_are_refused(tmp_path: Path) -> None:
    said = refusal("--workers", "2", CHAT_DATA_DIR=str(tmp_path), DATABASE_URL="", REDIS_URL="")
    assert "SQLite serves one" in said
    assert "Set REDIS_URL" in said
    assert not (tmp_path / "chat.sqlite3").exists()


def test_several_processes_by_environment_without_redis_are_refused(tmp_path: Path) -> None:
    said = refusal(
        CHAT_DATA_DIR=str(tmp_path),
        DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing",
        REDIS_URL="",
        WEB_CONCURRENCY="2",
    )
    assert "Set REDIS_URL" in said


def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "Address already in use" in refusal(PORT=str(taken.getsockname()[1]))


@pytest.mark.parametrize("port", ["http", "65536"])
def test_a_port_that_is_none_is_told(port: str) -> None:
    assert "which is no port" in refusal("--port", port)


def test_a_number_that_is_none_is_told() -> None:
    assert "CHAT_PAGE_SIZE cannot be read" in refusal(CHAT_PAGE_SIZE="many")


@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE chat_messages_message DROP COLUMN attempt", "DROP TABLE live_presence"],
)
def test_a_database_of_an_older_shape_is_told(tmp_path: Path, statement: str) -> None:
    with database(tmp_path) as environment:
        manage = [sys.executable, "manage.py"]
        run = partial(subprocess.run, cwd=settings.BASE_DIR, env=environment, check=True)
        run([*manage, "migrate", "--verbosity=0"])
        program = f"from django.db import connection; connection.cursor().execute({statement!r})"
        run([*manage, "shell", "--command", program])
        said = refusal(**environment)
    assert "made by an earlier version" in said
    assert "CHAT_DATA_DIR" in said


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    said = refusal(
        CHAT_DATA_DIR=str(tmp_path), DATABASE_URL="postgres://nobody:s3cr3t@127.0.0.1:1/nothing"
    )
    assert "The database cannot be used" in said
    assert "s3cr3t" not in said


@pytest.mark.skipif(settings.CHAT_ON_SQLITE, reason="SQLite has nobody who hangs up.")
def test_a_database_that_was_restarted_fails_nobody(environment: dict[str, str]) -> None:
    with Server(environment) as server, ThreadPoolExecutor(12) as callers:
        ben = server.sign_in("ben")

        def call_all() -> set[int]:
            calls = callers.map(lambda _: ben.get("rooms/"), range(48))
            return {answer.status_code for answer in calls}

        assert call_all() == {200}
        assert hang_up(environment["DATABASE_URL"]) > 2
        assert server.is_ready()
        assert call_all() == {200}
        assert server.is_ready()


def hang_up(url: str) -> int:
    """On everybody, as a restart does. Returns on how many."""
    others = """
        FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()
        AND backend_type = 'client backend'
    """
    with psycopg.connect(url, autocommit=True) as asking:

        def ask(what: str) -> list[int]:
            return [pid for (pid,) in asking.execute(f"SELECT {what} {others}".encode())]

        before = ask("pid")
        ask("pg_terminate_backend(pid)")
        wait_for(lambda: not set(before).intersection(ask("pid")))
    return len(before)


@on_grown
def test_several_processes_serve_one_port_and_replace_the_dead(environment: dict[str, str]) -> None:
    with Server(environment, "--workers", "2") as server:
        before = children(server)
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        after = wait_for(lambda: now if len(now := children(server) - {min(before)}) == 2 else None)
        assert len(after - before) == 1
        wait_for(server.is_ready)
        assert "chat_sockets" in httpx.get(f"{server.url}/metrics", timeout=PATIENCE).text
        assert server.stop() == 0
        assert not any(Path(f"/proc/{child}").exists() for child in after)


@on_grown
def test_its_processes_end_with_it(environment: dict[str, str]) -> None:
    with Server(environment, "--workers", "2") as server:
        orphans = children(server)
        server.stop(signal.SIGKILL)
        wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in orphans))


def children(server: Server) -> set[int]:
    pid = server.process.pid
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
