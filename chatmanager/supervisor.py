"""Several server processes on one port: started, replaced when they die, stopped together."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from types import FrameType

import structlog
from prometheus_client.multiprocess import mark_process_dead

logger = structlog.get_logger(__name__)

# Seconds: a process that fails sooner than this after its start is not started again.
SHORT_LIFE = 5


class Child:
    """One server process. It stops when its standard input closes: then we are gone."""

    def __init__(self, listener: socket.socket, number: int) -> None:
        self.number = number
        self.since = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "chatmanager", "--fd", str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            env={**os.environ, "CHAT_PROCESS": str(number)},
            # Ctrl-C goes to every process of the terminal's group: they are stopped by us alone,
            # once.
            start_new_session=True,
        )


def run(listener: socket.socket, processes: int) -> int:
    """Serve from that many processes until SIGINT or SIGTERM. Returns the exit code."""
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with tempfile.TemporaryDirectory(prefix="chat-metrics-") as figures:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures
        children = [Child(listener, number) for number in range(processes)]
        while not stopping:
            time.sleep(0.2)
            if not _replace_dead(children, listener):
                _stop(children)
                return 1
        return _stop(children)


def _replace_dead(children: list[Child], listener: socket.socket) -> bool:
    """Whether it makes sense to go on: one that fails at once will do no better again."""
    for place, child in enumerate(children):
        if child.process.poll() is None:
            continue
        mark_process_dead(child.process.pid)  # type: ignore[no-untyped-call]
        logger.error("server_process_died", process=child.number, code=child.process.returncode)
        failed = child.process.returncode > 0
        if failed and time.monotonic() - child.since < SHORT_LIFE:
            return False
        children[place] = Child(listener, child.number)
    return True


def _stop(children: list[Child]) -> int:
    for child in children:
        child.process.terminate()
    # One that was still starting may not have learnt yet to end on SIGTERM with 0.
    clean = (0, -signal.SIGTERM)
    return max(0 if (code := child.process.wait()) in clean else abs(code) for child in children)
