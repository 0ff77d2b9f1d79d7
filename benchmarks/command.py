"""The frame of a benchmark's command: the options that all have, running it, and what it writes."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.servers import CORES, PINNED, ROOT, Failed

PACKAGES = ["django", "channels", "daphne", "uvicorn", "markdown-it-py", "nh3", "orjson"]


class Found(NamedTuple):
    """What was measured: to be written, beside the machine and the options, and to be read."""

    written: dict[str, Any]
    table: str
    is_valid: bool = True
    """No line of the table is INVALID, but where that is to be expected."""


Measure = Callable[[argparse.Namespace, Path], Found]
"""Given what was asked, and a folder that is gone afterwards. Raises Failed."""


def command(
    name: str, about: str | None, *, rounds: int | None = None, peers: Sequence[str] = ()
) -> argparse.ArgumentParser:
    """With the options that all have; `--rounds` and `--peers` where there are any."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    if rounds:
        parser.add_argument("--rounds", type=int, default=rounds)
    if peers:
        parser.add_argument(
            "--peers", nargs="+", choices=peers, help="default: all that can be had here"
        )
    written = ROOT / "var" / f"benchmark-{name}.json"
    parser.add_argument("--json", type=Path, default=written, help="where every figure is put")
    parser.add_argument(
        "--directory", help="where databases and logs are put (default: the system's temporary)"
    )
    return parser


def run(asked: argparse.Namespace, measure: Measure) -> int:
    """Measure, write and show what was found. Told to end, it stops and removes what it began.

    The exit code is 1 where nothing could be measured, or what was is not valid.
    """
    end_as_by_ctrl_c()
    before = os.getloadavg()
    try:
        with tempfile.TemporaryDirectory(
            prefix="chat-benchmark-", dir=asked.directory
        ) as directory:
            found = measure(asked, Path(directory))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    about = {**machine(), "load_before": before, "load_after": os.getloadavg()}
    write(asked, {"machine": about, "options": options(asked), **found.written})
    print("", heading(about), "", found.table.strip("\n"), sep="\n")
    print(f"\nAll of it: {asked.json}")
    return 0 if found.is_valid else 1


def write(asked: argparse.Namespace, whole: dict[str, Any]) -> None:
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(whole, indent=1) + "\n")


def heading(about: dict[str, Any]) -> str:
    load = ", ".join(f"{value:.1f}" for value in about["load_before"])
    return (
        f"{about['cpu']}, {about['cores']} cores; Python {about['python']}\n"
        f"Load before: {load}; after: {about['load_after'][0]:.1f}"
    )


def options(asked: argparse.Namespace) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(asked).items()
    }


def machine() -> dict[str, Any]:
    cpu = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu[0] if cpu else platform.processor(),
        "cores": len(CORES),
        "pinned": PINNED,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version(name) for name in PACKAGES},
        "commit": commit(),
    }


def commit() -> str:
    told = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    return told.stdout.strip()


def end_as_by_ctrl_c() -> None:
    """When told to end: what was started is stopped, what was made is removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
