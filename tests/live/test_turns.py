"""What sockets, and those who come later, see of a turn that ends its session."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest

from live.database import run
from live.hub import Hub
from live.stream import Delta
from messages.models import Message
from robots.checkpoints import Checkpoint
from robots.heard import Heard
from robots.models import Autopilot, Reply
from robots.writer import Writer
from tests.live.client import Client
from tests.process import wait_for
from tests.robots.conftest import KEY, KEY_ENV, embedded_worker
from tests.robots.provider import Provider
from tests.robots.workers import seat
from tests.world import World


@pytest.fixture
def provider(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv(KEY_ENV, KEY)
    with Provider() as provider, embedded_worker():
        yield provider


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """What had been heard, and what was told or kept of it, each time somebody looked."""
    looks: list[tuple[str, str | None]] = []
    heard: dict[Heard, str] = {}
    add, delta, checkpoint = Heard.add, Writer.delta, Writer.checkpoint

    def hear(self: Heard, piece: str) -> None:
        heard[self] = heard.get(self, "") + piece
        add(self, piece)

    def tell(self: Writer) -> Delta | None:
        found = delta(self)
        looks.append((heard.get(self.heard, ""), found and found.text))
        return found

    def keep(self: Writer) -> Checkpoint | None:
        found = checkpoint(self)
        looks.append((heard.get(self.heard, ""), found and found.body))
        return found

    monkeypatch.setattr(Heard, "add", hear)
    monkeypatch.setattr(Writer, "delta", tell)
    monkeypatch.setattr(Writer, "checkpoint", keep)
    monkeypatch.setattr("robots.runner.KEEPING", 0.01)
    return looks


def start(world: World, provider: Provider) -> Autopilot:
    robots = [seat(world, provider, "turn", handle=handle) for handle in ("ann", "bob")]
    session: Autopilot = Autopilot.objects.start(
        world.team, by=world.ben, strategy="round_robin", robots=robots, goal="Tea?", turns=1
    )
    return session


def seen(client: Client, pk: int) -> list[str]:
    """The text of a message, after each frame that told of it, `joined` too."""
    texts: list[str] = []
    for frame in (client.joined, *client.frames):
        texts += [told["body"] for told in frame.get("messages", ()) if told["id"] == pk]
        if frame["type"] == "delta" and frame["message"] == pk:
            texts.append(texts[-1][: frame["offset"]] + frame["text"])
    return texts


@pytest.mark.parametrize(
    ("text", "stays", "why"),
    [
        ("Tea.\nGOAL_REACHED", "Tea.", "goal"),
        ("Tea\n\n**GOAL_REACHED**\n", "Tea", "goal"),
        ("GOAL_REACHED", "", "goal"),
        ("Tea.\nGOAL_REACHER", "Tea.\nGOAL_REACHER", "turns"),
    ],
)
async def test_nobody_sees_the_mark(
    world: World,
    hub: Hub,
    provider: Provider,
    looks: list[tuple[str, str | None]],
    text: str,
    stays: str,
    why: str,
) -> None:
    middle, go_on = text[: len(text) // 2], Event()
    provider.answers("turn", text, letters=True, hang="middle", until=go_on)
    ben = await Client.into(world.ben, world.team.pk)
    session = await run(start, world, provider)
    await run(wait_for, lambda: sum(heard == middle for heard, _ in looks) > 5)
    late = await Client.into(world.cleo, world.team.pk)
    go_on.set()
    await run(wait_for, lambda: Autopilot.objects.get(pk=session.pk).is_over)
    reply = await run(Reply.objects.select_related("message").get)
    message: Message = reply.message
    assert (message.status, message.body) == ("complete", stays)
    assert (await run(Autopilot.objects.get, pk=session.pk)).why == why
    for watcher in (ben, late):
        await watcher._wait(lambda w=watcher: "complete" in statuses(w, message.pk))
        assert [shown for shown in seen(watcher, message.pk) if not stays.startswith(shown)] == []
    assert [found for _, found in looks if found and found not in stays] == []


def statuses(client: Client, pk: int) -> list[str]:
    return [told["status"] for told in client.messages if told["id"] == pk]
