"""What people of a load do, and leave."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

from tests.faults.house import House, Login
from tests.faults.load import Load, Post
from tests.process import PATIENCE

ROOM = 7
SELDOM = 1e-6
"""Posts a second."""


def load_of_one(folder: Path) -> Load:
    house = House("of nobody", folder, {}, provider=None, people=[Login(1, "Ada", "")])
    return Load(house, [ROOM], Random(1), rate=SELDOM)


def test_who_has_not_spoken_when_the_load_ends_begins_nothing_more(tmp_path: Path) -> None:
    async def speak() -> list[Post]:
        load = load_of_one(tmp_path)
        (ada,) = load.people
        talking = asyncio.create_task(ada.talk(SELDOM))
        await asyncio.sleep(0)
        load.ending.set()
        await asyncio.wait_for(talking, PATIENCE)
        return load.posts

    assert asyncio.run(speak()) == []
