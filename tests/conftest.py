"""What every test may count on."""

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache

if TYPE_CHECKING:
    from tests.world import World


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """No test is throttled for what another did."""
    cache.clear()


@pytest.fixture(autouse=True)
def _own_uploads(settings: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Files of one test are not seen by the next."""
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("uploads")


@pytest.fixture
def world(db: None) -> "World":
    """People of every role in rooms of every kind."""
    from tests.world import World

    return World()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The first process to make the folder of the tests is the last to need it."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["CHAT_TESTS_DIR"], ignore_errors=True)
