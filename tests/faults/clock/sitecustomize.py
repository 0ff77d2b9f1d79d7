"""The clock of a process, to be set wrong. Python reads this when it starts with this folder on its
path: from then on it is so many seconds ahead as the file says that CHAT_FAULTS_CLOCK names.

What measures how long something takes (`time.monotonic`) is left alone, as by the system.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from time_machine import travel

INTERVAL = 0.05


class Clock:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._began = time.time() - time.monotonic()
        self._ahead = 0.0
        self._traveller = None

    def follow(self) -> None:
        self._look()
        threading.Thread(target=self._follow, name="clock", daemon=True).start()

    def _follow(self) -> None:
        while True:
            time.sleep(INTERVAL)
            self._look()

    def _look(self) -> None:
        ahead = float(self._file.read_text())
        if ahead == self._ahead:
            return
        now = self._began + time.monotonic() + ahead
        if self._traveller is None:
            self._traveller = travel(now).start()
        else:
            self._traveller.move_to(now)
        self._ahead = ahead


if "CHAT_FAULTS_CLOCK" in os.environ:
    clock = Clock(Path(os.environ["CHAT_FAULTS_CLOCK"]))
    clock.follow()
    os.register_at_fork(after_in_child=clock.follow)
