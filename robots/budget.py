"""Daily budgets: before a model is asked, what that may take is set aside of its robot's.

So answers that run at the same moment, in however many rooms, pass a budget by one at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from live import database
from robots import llm
from robots.models import Autopilot, Reply, Robot


class Waiting(Exception):
    """What is left is set aside for what is under way. It will be asked again."""


async def reserve(asked: Reply | Autopilot, robot: Robot, calls: Sequence[llm.Call]) -> None:
    """Where the robot has a budget. Raises Waiting, and what `asked.reserve` does."""
    if not robot.has_budget:
        return
    tokens, cost = await asyncio.to_thread(_most, calls)
    if not await database.surely(asked.reserve, tokens, cost):
        raise Waiting


def _most(calls: Sequence[llm.Call]) -> tuple[int, Decimal | None]:
    """What all of them may take, in tokens and US dollars."""
    tokens, costs = zip(*map(llm.most, calls), strict=True)
    known = [cost for cost in costs if cost is not None]
    return sum(tokens), sum(known, Decimal(0)) if known else None
