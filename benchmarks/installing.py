"""Peers that are no part of our requirements: had from registries, in folders of their own."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.servers import ROOT, Failed

FOLDER = ROOT / "var" / "benchmark-peers"
LONGEST = 900
"""Seconds that one step may take: a package may have to be compiled."""


class Unavailable(Failed):
    """A peer cannot be had here. The text says why."""


def installed(name: str, wanted: str, install: Callable[[Path], None]) -> Path:
    """The folder of a peer, filled by `install` unless it was for the same `wanted` before."""
    folder = FOLDER / name
    stamp = folder / ".installed"
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(folder)
        stamp.write_text(wanted)
    return folder


def program(name: str, package: str) -> str:
    """Where it is. Raises Unavailable where it is not."""
    found = shutil.which(name)
    if found is None:
        raise Unavailable(f"{name} was not found (on Debian: apt-get install {package})")
    return found


def step(command: list[str], folder: Path, **environment: str) -> str:
    """What a step of an installation printed. Raises Unavailable with the end of it."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from error
    if done.returncode:
        said = "\n".join(done.stdout.splitlines()[-5:])
        raise Unavailable(f"{' '.join(command)} failed:\n{said}")
    return done.stdout
