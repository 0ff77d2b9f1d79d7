"""The hub starts and stops with its server process."""

from live.hub import Hub, current


async def start() -> None:
    """Serve sockets from this event loop. Starting twice changes nothing."""
    if current() is None:
        await Hub().start()


async def stop() -> None:
    """Tell every socket that the server restarts, and close it."""
    hub = current()
    if hub is not None:
        await hub.stop()
