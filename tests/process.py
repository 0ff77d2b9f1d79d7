"""Real server processes, each kind on a database of its own."""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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


class Server:
    """`python -m chatmanager` on a free port, with the demo's people. Ended with the `with`."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chatmanager", *arguments],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "chatmanager.settings",
                "HOST": "127.0.0.1",
                "PORT": "0",
                "CHAT_DEBUG": "1",  # static files as they are: nothing to collect
                "CHAT_DEMO": "1",
                "CHAT_DEMO_PASSWORD": PASSWORD,
                "CHAT_LOG_LEVEL": "WARNING",
                **environment,
            },
            stdout=subprocess.PIPE,
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
        client = httpx.Client(base_url=f"{self.url}/api/v1/", timeout=30)
        answer = client.post("auth/token/", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access']}"
        return client

    @property
    def socket_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/ws/"

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal. Returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)
