"""The Celery worker and beat inside the server process, where there is no broker.

The queue lives and dies with the process: what must survive is a row, and a sweeper finds it again.
"""

import threading
import time
from typing import Any

from django.conf import settings

from chatmanager.celery import app


class EmbeddedWorker:
    """A worker in a thread of its own; with `beat` it also keeps the schedule."""

    def __init__(self, *, beat: bool) -> None:
        self.keeps_schedule = beat
        self.controller: Any = None
        self.beat: Any = None
        self.thread: threading.Thread | None = None

    def start(self) -> None:
        # Costs half a second: only where a worker really runs.
        from celery.beat import EmbeddedService
        from celery.worker import WorkController

        from robots import runner, work

        runner.start()
        work.written_here(runner.take)
        self.controller = WorkController(
            app=app,
            pool_cls="threads",
            concurrency=settings.CHAT_WORKER_THREADS,
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        self.thread = threading.Thread(
            target=self.controller.start, name="celery-worker", daemon=True
        )
        self.thread.start()
        if self.keeps_schedule:
            self.beat = EmbeddedService(app, thread=True)
            self.beat.daemon = True
            self.beat.start()

    def stop(self, timeout: float = 10) -> None:
        """Let running tasks end, within `timeout` seconds: what they left undone is found again."""
        over = time.monotonic() + timeout
        if self.beat is not None:
            self.beat.service.stop()
        self._stop_working(over)
        if self.beat is not None:
            self.beat.join(_left(over))  # its own `stop` waits for ever for one that has failed

    def _stop_working(self, over: float) -> None:
        if self.controller is None or self.thread is None:
            return
        from robots import runner, work

        work.written_here(None)
        runner.stop()
        stopping = threading.Thread(target=self.controller.stop, name="celery-stop", daemon=True)
        stopping.start()
        stopping.join(_left(over))
        self.thread.join(_left(over))


def _left(over: float) -> float:
    return max(0.0, over - time.monotonic())
