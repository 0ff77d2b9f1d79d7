"""What every test may count on."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import hypothesis
import pytest
import time_machine
from django.core.cache import cache
from django.test import TransactionTestCase

if TYPE_CHECKING:
    from tests.world import World


# Every run tries the same examples: a commit fails for what is in it, and not for how busy the
# machine is. With CHAT_TESTS_EXAMPLES set each looks elsewhere.
hypothesis.settings.register_profile(
    "suite",
    derandomize="CHAT_TESTS_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")


@pytest.fixture(autouse=True, scope="session")
def _quick_to_empty() -> Iterator[None]:
    """Rows that a test has committed are gone after it."""
    from tests.emptying import empty_tables

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """No test is throttled for what another did."""
    cache.clear()


@pytest.fixture(autouse=True)
def _own_uploads(settings: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Files of one test are not seen by the next."""
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("uploads")


@pytest.fixture
def within_a_day() -> Iterator[None]:
    """No midnight, UTC, comes in the midst of it: shortly before one, this process has noon."""
    now = datetime.now(UTC)
    if now.time() < time(23, 50):
        yield
        return
    with time_machine.travel(now.replace(hour=12)):
        yield


@pytest.fixture
def world(db: None) -> "World":
    """People of every role in rooms of every kind."""
    from tests.world import World

    return World()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The first process to make the folder of the tests is the last to need it."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["CHAT_TESTS_DIR"], ignore_errors=True)
