"""Real server processes, each kind on a database of its own."""

import asyncio
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import psycopg
from django.conf import settings

PASSWORD = "correct horse battery staple"
# Long enough for two busy cores; a server that is ready sooner is not waited for.
PATIENCE = 90


def wait_for(question: Any, seconds: float = PATIENCE) -> Any:
    """The first true answer. Raises AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"{question} did not come true within {seconds} s")


async def wait_until(question: Callable[[], Any]) -> Any:
    """As `wait_for`, of what happens in this loop."""
    async with asyncio.timeout(PATIENCE):
        while not (answer := question()):  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0.01)
    return answer


def free_port() -> int:
    """It may be another's by the time it is used: then try again with another."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def database(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of servers that share one fresh database, of the kind the tests run on."""
    environment = {"CHAT_DATA_DIR": str(folder)}
    url = os.environ.get("DATABASE_URL", "")
    if settings.CHAT_ON_SQLITE:
        yield {**environment, "DATABASE_URL": ""}
        return
    name = f"chat_process_{os.getpid()}_{secrets.token_hex(4)}"
    server = url.rpartition("/")[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield {**environment, "DATABASE_URL": f"{server}/{name}"}
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextmanager
def demo(folder: Path) -> Iterator[dict[str, str]]:
    """As `database`, with the tables and the demo in it. Of SQLite's, which are made once in a run
    and copied: that takes longer than to start a server.
    """
    with database(folder) as environment:
        if settings.CHAT_ON_SQLITE:
            shutil.copytree(_demo_on_sqlite(), folder, dirs_exist_ok=True)
        yield environment


def _demo_on_sqlite() -> Path:
    """The folder of a server that has been started and stopped."""
    folder = Path(os.environ["CHAT_TESTS_DIR"], "demo")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            made = folder.with_suffix(".made")
            with database(made) as environment, Server(environment) as server:
                assert server.stop() == 0
            made.rename(folder)
    return folder


class Server:
    """`python -m chatmanager` on a free port, with the demo's people. Ended with the `with`.

    What it logs is added to `log`, or else told here.
    """

    def __init__(
        self, environment: dict[str, str], *arguments: str, log: Path | None = None
    ) -> None:
        with log.open("a") if log else nullcontext() as told:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chatmanager", *arguments],
                cwd=settings.BASE_DIR,
                env={
                    **os.environ,
                    "DJANGO_SETTINGS_MODULE": "tests.served",
                    "HOST": "127.0.0.1",
                    "PORT": "0",
                    "CHAT_DEBUG": "1",  # static files as they are: nothing to collect
                    "CHAT_DEMO": "1",
                    "CHAT_DEMO_PASSWORD": PASSWORD,
                    "CHAT_LOG_LEVEL": "WARNING",
                    **environment,
                },
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
            )
        self.folder = Path(environment.get("CHAT_DATA_DIR", ""))
        self.url = ""

    def __enter__(self) -> "Server":
        self.url = self._announced()
        wait_for(self.is_ready)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def _announced(self) -> str:
        said = ""
        for line in self.process.stdout or ():
            said += line
            if found := re.search(r"http://\S+", line):
                return found.group()
        raise AssertionError(f"The server ended: {self.process.wait()}. It said: {said}")

    def is_ready(self) -> bool:
        assert self.process.poll() is None, "the server ended"
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def sign_in(self, username: str) -> httpx.Client:
        """A client of the API that calls as that person."""
        client = httpx.Client(base_url=f"{self.url}/api/v1/", timeout=PATIENCE)
        answer = client.post("auth/token/", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access']}"
        return client

    def session(self, username: str) -> str:
        """The cookie of a browser in which that person has signed in."""
        with httpx.Client(base_url=self.url, timeout=PATIENCE) as client:
            client.get("/login/")
            sent = {"username": username, "password": PASSWORD}
            answer = client.post(
                "/login/", data={**sent, "csrfmiddlewaretoken": client.cookies["chat_csrf"]}
            )
            assert answer.status_code == 302, answer.text
            return client.cookies["chat_session"]

    @property
    def socket_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/ws/"

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal. Returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)
