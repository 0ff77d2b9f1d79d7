"""What a run came to: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tests.faults.guarantees import GUARANTEES, OF_A_SOAK
from tests.faults.round import Told

SHOWN = 3
"""Cases told of each guarantee that is broken."""


def table(rounds: Sequence[Told]) -> str:
    figures = ["faults", "accepted", "asked"]
    asked = [*GUARANTEES, *(OF_A_SOAK if any(told.samples for told in rounds) else ())]
    lines = [f"{'':20}" + "".join(f"{name:>13}" for name in [*figures, *asked])]
    for told in rounds:
        counted = [told.injected, told.accepted, told.asked]
        kept = [_kept(told, name) for name in asked]
        name = f"{told.house}, {told.fault}"
        lines.append(f"{name:20}" + "".join(f"{cell:>13}" for cell in [*counted, *kept]))
    return "\n".join([*lines, *_cases(rounds)])


def _kept(told: Told, guarantee: str) -> str:
    if guarantee not in told.breaches:
        return "not asked"
    return "BROKEN" if told.breaches[guarantee] else "held"


def _cases(rounds: Sequence[Told]) -> list[str]:
    return [
        f"\n{told.house}, {told.fault}: {name} ({len(cases)}), such as\n  "
        + "\n  ".join(case[:500] for case in cases[:SHOWN])
        for told in rounds
        for name, cases in told.breaches.items()
        if cases
    ]


def write(file: Path, seed: int, rounds: Sequence[Told], left_out: Sequence[str]) -> None:
    whole = {
        "seed": seed,
        "left_out": list(left_out),
        "rounds": [told.as_json() for told in rounds],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(whole, indent=1) + "\n")
