"""Break things under load and see that nothing is lost: a table of faults and guarantees.

Exit code 1 when a guarantee is broken. What cannot be done on this machine is left out, and said.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import traceback
from pathlib import Path
from random import SystemRandom

import django

HOUSES = ["embedded", "grown"]
ELSEWHERE = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "WEB_CONCURRENCY"}
"""Settings of ours that do not begin with CHAT_."""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="chat-faults-") as folder:
        # Of the settings around us none is meant for what is broken here.
        for name in list(os.environ):
            if name.startswith("CHAT_") or name in ELSEWHERE:
                del os.environ[name]
        os.environ.update(CHAT_DATA_DIR=folder, CHAT_READ_DOT_ENV="0", CHAT_LOG_LEVEL="WARNING")
        os.environ["DJANGO_SETTINGS_MODULE"] = "chatmanager.settings"
        django.setup()
        return run(asked())


def asked() -> argparse.Namespace:
    from tests.faults.faults import FAULTS

    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--houses", nargs="+", choices=HOUSES, default=HOUSES)
    parser.add_argument(
        "--faults",
        nargs="+",
        choices=FAULTS,
        default=list(FAULTS),
        metavar="FAULT",
        help=f"of {', '.join(FAULTS)} (default: all)",
    )
    parser.add_argument(
        "--seconds", type=float, default=20, help="of load under each fault (default: 20)"
    )
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    parser.add_argument(
        "--crowd", type=int, default=1000, help="sockets that come back at once (default: 1000)"
    )
    parser.add_argument(
        "--soak", type=float, metavar="MINUTES", help="no faults: half of what it takes, for long"
    )
    parser.add_argument("--logs", type=Path, help="folder for what the processes log")
    parser.add_argument("--json", type=Path, default=Path("var/faults.json"))
    return parser.parse_args()


def run(asked: argparse.Namespace) -> int:
    from tests.faults import table
    from tests.faults.house import embedded, grown
    from tests.faults.round import Told
    from tests.faults.services import Missing
    from tests.faults.soak import Soak

    print(f"seed {asked.seed} (--seed repeats its choices)", flush=True)
    if asked.logs:
        asked.logs.mkdir(parents=True, exist_ok=True)
    rounds: list[Told] = []
    left_out: list[str] = []
    is_whole = True
    for kind in asked.houses:
        open_house = {"embedded": embedded, "grown": grown}[kind]
        try:
            wants_disk = "disk" in asked.faults and not asked.soak
            with open_house(small_disk=wants_disk, logs=asked.logs) as house:
                if asked.soak:
                    one = Soak(house, seed=f"{asked.seed}:{kind}:soak", minutes=asked.soak)
                    rounds.append(_lived(one))
                else:
                    _live_through(asked, house, rounds, left_out)
        except Missing as missing:
            left_out.append(f"{kind}: {missing}")
        except KeyboardInterrupt:
            left_out.append(f"{kind}: what comes after the interruption")
            is_whole = False
            break
    print(table.table(rounds))
    for one in left_out:
        print(f"left out: {one}")
    table.write(asked.json, asked.seed, rounds, left_out)
    print(f"All of it: {asked.json}")
    return 0 if is_whole and all(told.holds for told in rounds) else 1


def _live_through(asked, house, rounds, left_out) -> None:
    from tests.faults.faults import FAULTS
    from tests.faults.round import Round

    quiet: list[int] = []
    for name in asked.faults:
        fault = FAULTS[name]
        if why := fault.missing(house):
            left_out.append(f"{house.kind}, {name}: {why}")
            continue
        seed = f"{asked.seed}:{house.kind}:{name}"
        one = Round(house, fault, seed=seed, seconds=asked.seconds, crowd=asked.crowd, quiet=quiet)
        told = _lived(one)
        rounds.append(told)
        if fault.name == "nothing":
            quiet = told.memory


def _lived(one):
    print(f"{one.told.house}: {one.told.fault} ...", flush=True)
    told = one.told
    try:
        asyncio.run(one.run())
    except Exception as problem:  # whatever it is, the others are still to be seen
        traceback.print_exc()
        told.breaches["came to its end"] = [repr(problem)]
    print(
        f"  {told.injected} times in {told.seconds:.0f} s, {told.accepted} accepted, "
        f"{told.rate} wanted a second, {told.asked} questions, {told.files} files, "
        f"{told.counts}, {told.states}, {told.memory} MiB: {_verdict(told)}",
        flush=True,
    )
    return told


def _verdict(told) -> str:
    from tests.faults.guarantees import GUARANTEES

    broken = [name for name, cases in told.breaches.items() if cases]
    if broken:
        return f"BROKEN: {', '.join(broken)}"
    unasked = [name for name in GUARANTEES if name not in told.breaches]
    return "all held" + (f", not asked: {', '.join(unasked)}" if unasked else "")


if __name__ == "__main__":
    sys.exit(main())
