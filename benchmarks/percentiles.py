"""How what was measured is spread."""

import math
from collections.abc import Iterable

SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


def spread(name: str, milliseconds: Iterable[float]) -> dict[str, float]:
    """`NAMEp50_ms` and so on, by nearest rank: p99 of a hundred is the last but one."""
    ranked = sorted(milliseconds)
    return {
        f"{name}{mark}_ms": ranked[math.ceil(len(ranked) * share) - 1]
        for mark, share in SHARES.items()
    }
