from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from live import hub as hubs
from live.hub import Hub
from tests.world import World


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


@pytest_asyncio.fixture
async def hub(world: World) -> AsyncIterator[Hub]:
    """This process's hub, as a server has one."""
    hub = Hub()
    await hub.start()
    assert hubs.current() is hub
    yield hub
    await hub.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told at most once a second is told sooner. To be named before `hub`."""
    monkeypatch.setattr("live.activity.INTERVAL", 0.05)
    monkeypatch.setattr("live.presence.INTERVAL", 0.05)
