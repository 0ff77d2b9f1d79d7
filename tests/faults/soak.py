"""Nothing breaks, for long: at half of what a house takes, memory and answers stay as they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from random import Random
from statistics import quantiles

from tests.faults.faults import FAULTS, Scene
from tests.faults.guarantees import Sample
from tests.faults.house import House
from tests.faults.load import ROOMS, Load
from tests.faults.round import Round, Told

HASTE = 10.0
"""Seconds in which everybody posts as fast as they are answered."""
AT_ONCE = 1e6
"""Posts a second that are wanted then, of which nobody is the limit."""
INTERVAL = 10.0
"""Seconds between samples."""


class Soak(Round):
    """A round in which nothing befalls the house but time."""

    def __init__(self, house: House, *, seed: str, minutes: float) -> None:
        quiet = FAULTS["nothing"]
        super().__init__(house, quiet, seed=seed, seconds=minutes * 60, crowd=1, quiet=[])
        self.told.fault = "soak"

    async def run(self) -> Told:
        self.rate = await at_most(self.house, self.random) / 2
        self.told.rate = round(self.rate, 1)
        return await super().run()

    async def _befall(self, scene: Scene) -> None:
        began = time.monotonic()
        seen = 0
        while (now := time.monotonic() - began) < self.seconds:
            await asyncio.sleep(min(INTERVAL, self.seconds - now))
            answered = scene.load.waited[seen:]
            seen += len(answered)
            memory = await asyncio.to_thread(self.house.mebibytes_of_all)
            self.samples.append(sample(time.monotonic() - began, answered, memory))
            print(f"  {self.samples[-1]}", flush=True)
            self.told.injected += 1


def sample(at: float, answered: Sequence[float], memory: list[int]) -> Sample:
    cuts = quantiles(answered, n=100) if len(answered) > 1 else [*answered, 0.0][:1] * 99
    p50, p99 = (round(1000 * cuts[n], 1) for n in (49, 98))
    return Sample(round(at), len(answered), p50, p99, memory)


async def at_most(house: House, random: Random) -> float:
    """How many posts a second the house answers when everybody posts as fast as they can."""
    rooms = await asyncio.to_thread(house.open_rooms, ROOMS)
    load = Load(house, rooms, random, rate=AT_ONCE)
    try:
        await load.begin()
        await asyncio.sleep(HASTE)
        answered = len(load.accepted)
        await load.end(HASTE)
    finally:
        await load.leave()
    return answered / HASTE
