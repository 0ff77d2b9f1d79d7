"""The short form of `python -m tests.faults`: real processes, a few seconds of each fault.

On SQLite, or on what DATABASE_URL and REDIS_URL name, of which none is killed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.faults.faults import FAULTS
from tests.faults.guarantees import GUARANTEES
from tests.faults.house import House, given
from tests.faults.round import Round
from tests.faults.table import table

SEED = os.environ.get("CHAT_TEST_SEED", "20")
SECONDS = 4.0


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with given() as house:
        yield house


@pytest.mark.parametrize("name", ["server", "worker", "flush"])
def test_nothing_is_lost_when_it_breaks(house: House, name: str) -> None:
    fault = FAULTS[name]
    if why := fault.missing(house):
        pytest.skip(f"{name}: {why}")
    one = Round(house, fault, seed=f"{SEED}:{name}", seconds=SECONDS, crowd=0, quiet=[])
    told = asyncio.run(one.run())
    print(f"seed {SEED} (CHAT_TEST_SEED repeats its choices): {told}")
    assert told.holds, table([told])
    # A quiet day proves nothing.
    assert told.injected > 0
    assert told.accepted > 20
    assert GUARANTEES.keys() - told.breaches.keys() == {"memory"}, "what was not asked"
