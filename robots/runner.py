"""Where answers are written: one event loop in a thread of this process, for all of them.

It starts with the first reply that the process is told of. What a process holds is told to people,
kept, looked after and renewed together, so that many answers cost little more than one.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine

import structlog
from django.conf import settings
from django.db import Error

from live import database, streams
from robots import checkpoints, llm, metrics, upstream
from robots.models import Reply
from robots.writer import Claim, Fate, Writer

logger = structlog.get_logger(__name__)

TURNS = 3
"""Of the loop, in which what was read is heard, however much it was."""
KEEPING = 0.5
"""Seconds between checkpoints, which is what a lost worker costs."""
LOOKING = 0.25
"""Seconds until a worker hears that an answer was stopped, or is not its own any more."""
FAREWELL = 2.5
"""Seconds that ending what is being written may take, when the process ends."""

_current: Runner | None = None
_changing = threading.Lock()


def start() -> None:
    """Take replies again, after a `stop`."""
    global _current
    with _changing:
        if _current is not None and _current.stopped:
            _current = None


def take(reply: int) -> None:
    """Have this process write a reply, if nobody does. From any thread; returns at once."""
    _running().take(reply)


def do(work: Coroutine[None, None, None]) -> None:
    """Have this process do something else that asks a model. From any thread; returns at once."""
    _running().do(work)


def stop() -> None:
    """Take no more, and let go of what is being written, within a few seconds."""
    with _changing:
        if _current is not None:
            _current.stop()


def _running() -> Runner:
    global _current
    with _changing:
        if _current is None:
            _current = Runner()
            _current.start()
        return _current


class Runner:
    def __init__(self) -> None:
        host = socket.gethostname()[:40]
        self.name = f"{host}:{os.getpid()}:{secrets.token_hex(4)}"
        """No other process, nor this one after a restart, is called the same."""
        self.stopped = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="replies", daemon=True)
        self._places = asyncio.Semaphore(settings.CHAT_REPLIES_PER_WORKER)
        self._wanted: set[int] = set()
        """Replies that wait for a place. They are queued in the database, too."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._asides: set[asyncio.Task[None]] = set()
        """What else is asked of models."""
        self._writers: set[Writer] = set()
        self._writing = asyncio.Event()
        self._stopping = asyncio.Event()

    # From any thread

    def start(self) -> None:
        self._thread.start()

    def take(self, reply: int) -> None:
        if not self.stopped:
            self._loop.call_soon_threadsafe(self._want, reply)

    def do(self, work: Coroutine[None, None, None]) -> None:
        if self.stopped:
            work.close()
        else:
            self._loop.call_soon_threadsafe(self._begin, self._aside(work), self._asides)

    def stop(self) -> None:
        """Returns when all is let go of. Stopping again changes nothing."""
        if not self.stopped:
            self.stopped = True
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(FAREWELL + 1)

    # The loop

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        renewing = settings.CHAT_REPLY_RENEW.total_seconds()
        beats = [
            asyncio.create_task(self._every(seconds, work))
            for seconds, work in [
                (0, self._tell),
                (KEEPING, self._keep),
                (LOOKING, self._look),
                (renewing, self._renew),
            ]
        ]
        await self._stopping.wait()
        await self._let_go()
        for beat in beats:
            beat.cancel()
        await asyncio.wait(beats)
        await llm.hang_up()

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do that all the time, while anything is being written."""
        while True:
            await self._writing.wait()
            await asyncio.sleep(seconds)
            try:
                if self._writers:
                    await work()
            except Error as problem:
                logger.warning("replies_not_looked_after", error=type(problem).__name__)
            except Exception:
                logger.exception("replies_not_looked_after")

    def _want(self, reply: int) -> None:
        if reply in self._wanted or self._stopping.is_set():
            return
        self._wanted.add(reply)
        self._begin(self._write(reply), self._tasks)

    def _begin(self, work: Coroutine[None, None, None], kept: set[asyncio.Task[None]]) -> None:
        task = self._loop.create_task(work)
        kept.add(task)
        task.add_done_callback(kept.discard)

    async def _aside(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception:
            logger.exception("not_asked")

    async def _write(self, pk: int) -> None:
        """Write a reply if it is ours to write, once there is a place."""
        async with self._places:
            self._wanted.discard(pk)
            reply = None if self._stopping.is_set() else await self._taken(pk)
            if reply is None:
                return
            writer = Writer(reply)
            self._hold(writer)
            try:
                await writer.write()
            except Exception:  # whoever sweeps finds the reply
                logger.exception("reply_went_wrong", reply=pk)
            finally:
                self._drop(writer)

    async def _taken(self, pk: int) -> Reply | None:
        try:
            return await database.surely(Reply.objects.take, pk, worker=self.name)
        except Error as problem:  # whoever sweeps tells of it again
            logger.warning("reply_not_taken", reply=pk, error=type(problem).__name__)
            return None

    def _hold(self, writer: Writer) -> None:
        if self._stopping.is_set():
            writer.end(Fate.RESTARTED)
        self._writers.add(writer)
        self._writing.set()
        metrics.RUNNING.inc()

    def _drop(self, writer: Writer) -> None:
        self._writers.discard(writer)
        metrics.RUNNING.dec()
        if not self._writers:
            self._writing.clear()

    async def _let_go(self) -> None:
        for writer in self._writers:
            writer.end(Fate.RESTARTED)
        for task in self._asides:
            task.cancel()  # another worker does it again
        if running := self._tasks | self._asides:
            await asyncio.wait(running, timeout=FAREWELL)

    # What is done for all together

    async def _tell(self) -> None:
        """Right after the streams were read: what waits for a clock of its own comes later."""
        await upstream.beat()
        for _ in range(TURNS):
            await asyncio.sleep(0.001)
        deltas = [delta for writer in self._writers if (delta := writer.delta())]
        streams.publish(deltas)

    async def _keep(self) -> None:
        changed = {
            writer: found for writer in self._writers if (found := writer.checkpoint()) is not None
        }
        if not changed:
            return
        await database.run(checkpoints.keep, list(changed.values()))
        for writer, checkpoint in changed.items():
            writer.kept(checkpoint)

    async def _look(self) -> None:
        """See which are to be stopped, and which are not ours any more."""
        asked = list(self._writers)
        claims = await database.run(self._claims)
        for writer in asked:
            writer.note(claims.get(writer.key))

    async def _renew(self) -> None:
        """But for what was stopped and is read all the same: whatever holds that up, it ends when
        its lease does. One that is being ended keeps it, however long the database is away: what it
        has taken is known here alone.
        """
        pks = [w.key[0] for w in self._writers if w.over or w.fate != Fate.STOPPED]
        await database.run(Reply.objects.renew, pks, worker=self.name)

    def _claims(self) -> dict[tuple[int, int], Claim]:
        held = Reply.objects.held_by(self.name).values_list(
            "pk", "attempt", "stop_requested_at", "lease_until", "room__people_revision"
        )
        return {row[:2]: Claim(*row) for row in held}
