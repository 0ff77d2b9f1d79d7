"""What starts and stops with the process: the hub, its sockets, and the embedded worker."""

import asyncio
import os

import structlog
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from django.conf import settings

import live.lifespan
from chatmanager import memory
from chatmanager.worker import EmbeddedWorker
from live import database

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
        memory.keep_few_heaps()
        await live.lifespan.start()
        if settings.CHAT_EMBEDDED_WORKER:
            self.worker = EmbeddedWorker(beat=os.environ.get("CHAT_PROCESS", "0") == "0")
            await asyncio.to_thread(self.worker.start)
        memory.set_aside_what_is_loaded()

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
