"""Several server processes on one port: started, replaced when they die, stopped together."""

import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

import structlog

logger = structlog.get_logger(__name__)

# A process that dies sooner than this after its start is not started again at once.
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
    children = [Child(listener, number) for number in range(processes)]
    while not stopping:
        time.sleep(0.2)
        for place, child in enumerate(children):
            if child.process.poll() is None or stopping:
                continue
            logger.error("server_process_died", process=child.number, code=child.process.returncode)
            if time.monotonic() - child.since < SHORT_LIFE:
                # It will not do better the next time: stop, so that whoever started us learns of
                # it.
                _stop(children)
                return 1
            children[place] = Child(listener, child.number)
    return _stop(children)


def _stop(children: list[Child]) -> int:
    for child in children:
        child.process.terminate()
    return max(abs(child.process.wait()) for child in children)
