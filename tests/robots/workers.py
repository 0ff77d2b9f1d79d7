"""Robots in rooms, what becomes of what they are asked, and the processes that do it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
from django.conf import settings

from accounts.models import User
from robots.models import Reply, Robot, RobotSeat
from rooms.models import Room
from tests.live.remote import sign_in
from tests.live.server import LiveServer
from tests.process import PATIENCE, wait_for
from tests.robots.conftest import KEY_ENV
from tests.robots.provider import Provider
from tests.world import World


def seat(
    world: World, provider: Provider, script: str, *, handle: str = "echo", **config: Any
) -> Robot:
    """A robot in the team room that asks the provider for `script`, by default as a whole."""
    robot = Robot.objects.add(
        handle,
        handle.title(),
        by=User.objects.system(),
        **{
            "model": f"openai/{script}",
            "api_base": provider.url,
            "key_env": KEY_ENV,
            **config,
        },
    )
    RobotSeat.objects.seat(robot, world.team, by=world.ben)
    return robot


def ask(room: Room, body: str, *, by: User, **how: Any) -> Reply:
    """Post a question to one robot. Returns its reply, as it was queued."""
    question = room.messages.post(body, by=by, **how)
    reply: Reply = Reply.objects.get(question=question)
    return reply


def as_it_is(reply: Reply) -> Reply:
    """Read anew, with its message."""
    found: Reply = Reply.objects.select_related("message").get(pk=reply.pk)
    return found


def ended(reply: Reply, seconds: float = PATIENCE) -> Reply:
    """Once it is over."""
    wait_for(lambda: as_it_is(reply).is_over, seconds)
    return as_it_is(reply)


def written(reply: Reply, letters: int = 1, seconds: float = PATIENCE) -> Reply:
    """Once that much of its text has been kept."""
    wait_for(lambda: len(body_of(reply)) >= letters, seconds)
    return as_it_is(reply)


def body_of(reply: Reply) -> str:
    message = as_it_is(reply).message
    return message.body if message else ""


LEASE = timedelta(seconds=5)
SHORT = {
    "CHAT_REPLY_LEASE": f"{LEASE.seconds}",
    "CHAT_REPLY_RENEW": "0.5",
    "CHAT_REPLY_SWEEP_INTERVAL": "0.5",
}
"""Settings with which what is lost is found soon."""


class Worker:
    """`celery -A chatmanager worker`, ended with the `with`; `arguments` say what it takes.

    What it logs is added to `log`, or else told here.
    """

    def __init__(
        self, environment: dict[str, str], *arguments: str, log: Path | None = None
    ) -> None:
        name = f"{arguments[-1].strip('-')}-{os.urandom(4).hex()}@%h"
        program = [sys.executable, "-m", "celery", "-A", "chatmanager", "worker"]
        with log.open("a") if log else nullcontext() as told:
            self.process = subprocess.Popen(
                [*program, "--pool", "threads", "--concurrency", "4", "-n", name, *arguments],
                cwd=settings.BASE_DIR,
                env={
                    **os.environ,
                    "DJANGO_SETTINGS_MODULE": "chatmanager.settings",
                    "CHAT_LOG_LEVEL": "ERROR",
                    **environment,
                },
                stdout=subprocess.DEVNULL,
                stderr=told,
                start_new_session=True,  # a beat within it ends with it
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
        self.process.wait()

    def signal(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """As a power cut would."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = PATIENCE) -> int:
        """As an operator would. Returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@contextmanager
def calling(server: LiveServer, user: User) -> Iterator[httpx.Client]:
    """The API of a server, called as that person."""
    headers = {"Authorization": f"Bearer {sign_in(user)['access']}"}
    base = f"{server.url}/api/v1/"
    with httpx.Client(base_url=base, headers=headers, timeout=PATIENCE) as client:
        yield client


def ask_at(server: LiveServer, room: Room, body: str, *, by: User) -> Reply:
    """Ask one robot through the API of a server."""
    sent = {"client_id": str(uuid4()), "body": body}
    with calling(server, by) as api:
        answer = api.post(f"rooms/{room.pk}/messages/", json=sent)
    assert answer.status_code == 201, answer.text
    reply: Reply = Reply.objects.get(question=answer.json()["id"])
    return reply


def do_at(server: LiveServer, reply: Reply, verb: str, *, by: User) -> None:
    """Stop, retry or continue it, through the API of a server."""
    with calling(server, by) as api:
        answer = api.post(f"messages/{reply.message_id}/{verb}/")
    assert answer.is_success, answer.text
