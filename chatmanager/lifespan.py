"""What starts and stops with the process: the hub, its sockets, and the embedded worker."""

import asyncio
import gc
import os

import structlog
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from django.conf import settings

import live.lifespan
from chatmanager.worker import EmbeddedWorker
from live import database

FULL_COLLECTION = 100
"""Collections of the middle generation until one of all: every 700,000 objects more than were let
go of, of which a socket has hundreds. While a thousand sockets came, Python's own ten had it walk
through them all again and again, for up to 210 ms each time, in which nobody heard anything.
"""

logger = structlog.get_logger(__name__)


class Lifespan:
    """Started once and stopped once, whoever asks."""

    def __init__(self) -> None:
        self.running = False
        self.said_goodbye = False
        self.worker: EmbeddedWorker | None = None

    async def start(self) -> None:
        if self.running:
            return
        self.running = True
        await live.lifespan.start()
        if settings.CHAT_EMBEDDED_WORKER:
            self.worker = EmbeddedWorker(beat=os.environ.get("CHAT_PROCESS", "0") == "0")
            await asyncio.to_thread(self.worker.start)
        # What has been loaded by now stays: the collector need not walk it again at every full
        # collection.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*gc.get_threshold()[:2], FULL_COLLECTION)

    async def stop(self) -> None:
        if not self.running:
            return
        self.running = False
        await self.say_goodbye()
        if self.worker is not None:
            await asyncio.to_thread(self.worker.stop)
            await asyncio.to_thread(database.close)  # of what it did since the sockets were closed

    async def say_goodbye(self) -> None:
        """Tell the sockets that the server stops. The rest goes on serving."""
        if not self.said_goodbye:
            self.said_goodbye = True
            await live.lifespan.stop()

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """ASGI's lifespan protocol."""
        await receive()
        try:
            await self.start()
        except Exception as error:
            logger.exception("start_failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await self.stop()
        except Exception as error:
            logger.exception("stop_failed")
            await send({"type": "lifespan.shutdown.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})


lifespan = Lifespan()
