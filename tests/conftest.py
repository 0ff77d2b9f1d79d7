"""What every test may count on."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """No test is throttled for what another did."""
    cache.clear()
    yield


@pytest.fixture(autouse=True)
def _own_uploads(settings: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Files of one test are not seen by the next."""
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("uploads")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The first process to make the folder of the tests is the last to need it."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["CHAT_TESTS_DIR"], ignore_errors=True)
