"""The load generator: load/, compiled when it has changed."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.servers import CLIENT_CORE, Failed, Server, pinned

SOURCES = Path(__file__).with_name("load")
TEXT_BYTES = 200
FAULTS = ("lost", "undelivered", "unanswered", "doubled", "strayed", "errors", "dead")


def compiled() -> Path:
    """The program's path. Raises Failed where there is no compiler."""
    sources = sorted(SOURCES.glob("*.[ch]"))
    stamp = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    program = Path(tempfile.gettempdir()) / f"chat-load-{os.getuid()}-{stamp}"
    if program.exists():
        return program
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise Failed(
            "The load generator is a small C program, and no C compiler was found.\n"
            "On Debian: apt-get install gcc libc6-dev. Then run this again."
        )
    fresh = program.with_suffix(f".{os.getpid()}")
    done = subprocess.run(
        [compiler, "-O2", "-Wall", "-o", str(fresh), *map(str, SOURCES.glob("*.c")), "-lm"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Failed(f"The load generator does not compile:\n{done.stderr}")
    fresh.replace(program)
    return program


def command_for(server: Server, targets: str, *options: str) -> list[str]:
    return [
        *pinned(CLIENT_CORE),
        str(compiled()),
        *("--port", str(server.port), "--targets", str(server.data / targets)),
        *("--protocol", server.peer.protocol, "--bytes", str(TEXT_BYTES)),
        *options,
    ]


@contextmanager
def idling(server: Server, targets: str) -> Iterator[dict[str, Any]]:
    """Connections that stay and send nothing. Told: how they came, and in the end their faults."""
    with subprocess.Popen(
        command_for(server, targets, "--idle"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as generator:
        assert generator.stdout
        came = generator.stdout.readline()
        result: dict[str, Any] = json.loads(came) if came else {}
        try:
            if came:
                yield result
        finally:
            stayed, said = generator.communicate()
    if generator.returncode:
        raise Failed(f"{server.peer.name}, {targets}:\n{said}{server.tail()}")
    result |= json.loads(stayed)
    result["faults"] = faults(result, said.splitlines())


def load(server: Server, targets: str, *options: str) -> dict[str, Any]:
    """Run the generator against a server; what it measured, and what the server used meanwhile."""
    command = command_for(server, targets, *options)
    cpu: list[float] = []
    said: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as generator:
        assert generator.stderr
        assert generator.stdout
        for line in generator.stderr:
            if line.strip() in {"begin", "end"}:
                cpu.append(server.cpu_seconds())
            else:
                said.append(line)
        if len(cpu) == 2:
            mebibytes = server.mebibytes()
        output = generator.stdout.read()
    if generator.returncode or len(cpu) != 2:
        raise Failed(f"{server.peer.name}, {targets}:\n{''.join(said)}{server.tail()}")
    result: dict[str, Any] = json.loads(output)
    seconds = float(options[options.index("--seconds") + 1])
    result["server_cpu"] = round((cpu[1] - cpu[0]) / seconds, 3)
    result["server_mebibytes"] = mebibytes
    result["faults"] = faults(result, said)
    return result


def faults(result: dict[str, Any], said: list[str]) -> list[str]:
    counted = [f"{result[name]} {name}" for name in FAULTS if result.get(name)]
    return counted + [line.strip() for line in said[:3]]
