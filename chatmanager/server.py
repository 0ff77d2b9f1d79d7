"""`python -m chatmanager`: prepare what is missing, then serve.

bin/run ends here by `exec`.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import django
import uvicorn
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chatmanager import preparation, supervisor
from chatmanager.preparation import Refused
from chatmanager.wire import Wire

STOPPING = (signal.SIGINT, signal.SIGTERM)
# A frame a little too large is answered with an error by the consumer; one larger than this closes
# the socket (1009).
FRAME_MAX_FACTOR = 4
# How long the sockets may take to be told that the server stops.
FAREWELL_SECONDS = 5


class Server(uvicorn.Server):
    """uvicorn, but sockets are told before they are closed, and a clean stop is exit code 0."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop, or, as the supervisor's child, until it is gone."""
        if os.environ.get("CHAT_PROCESS"):
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._parent_is_gone)
        await super().serve(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, say good-bye on the sockets, then finish the requests."""
        from chatmanager.lifespan import lifespan

        for listener in self.servers:
            listener.close()
        try:
            await asyncio.wait_for(lifespan.say_goodbye(), FAREWELL_SECONDS)
        except TimeoutError:
            pass
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but what was obeyed is not raised again: it would be the exit code."""
        former = {number: signal.signal(number, self.handle_exit) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _parent_is_gone(self) -> None:
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        self.should_exit = True


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code."""
    asked = _parse(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatmanager.settings")
    if asked.fd is not None:
        return serve(socket.socket(fileno=asked.fd))
    if asked.workers is not None:
        os.environ["WEB_CONCURRENCY"] = str(asked.workers)
    signal.signal(signal.SIGTERM, _leave)
    try:
        listener = _listen(asked.host, asked.port)
        django.setup()
        return _prepare_and_serve(listener, prepare=asked.prepare)
    except (Refused, ImproperlyConfigured) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def serve(listener: socket.socket) -> int:
    """Serve on `listener` until SIGINT or SIGTERM. Returns the exit code."""
    django.setup()
    if settings.CHAT_SOCKET_KERNEL_BUFFER:
        # Inherited by what is accepted: how much the system keeps for a client that does not read.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.CHAT_SOCKET_KERNEL_BUFFER)
    config = uvicorn.Config(
        "chatmanager.asgi:application",
        lifespan="on",
        ws=Wire,
        log_config=None,
        # Requests are logged by us, without query strings; addresses are read by us, by the proxies
        # we trust.
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=settings.CHAT_SOCKET_FRAME_MAX * FRAME_MAX_FACTOR,
        ws_per_message_deflate=settings.CHAT_WS_DEFLATE,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=settings.CHAT_STOP_TIMEOUT,
    )
    server = Server(config)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _prepare_and_serve(listener: socket.socket, *, prepare: bool) -> int:
    preparation.refuse_mistakes()
    if prepare:
        preparation.prepare()
    print(f"\nChat Manager is at {_url(listener)}   (Ctrl-C stops it)\n", flush=True)
    if settings.CHAT_PROCESSES > 1:
        return supervisor.run(listener, settings.CHAT_PROCESSES)
    return serve(listener)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/run", description="Prepare what is missing, then serve."
    )
    parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
    parser.add_argument("--port", default=os.environ.get("PORT") or "8000")
    parser.add_argument(
        "--workers",
        type=int,
        help="server processes (default: WEB_CONCURRENCY, or 1); several need PostgreSQL and Redis",
    )
    parser.add_argument(
        "--no-prepare",
        dest="prepare",
        action="store_false",
        help="neither migrate nor collect static files: another host does",
    )
    parser.add_argument("--fd", type=int, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _listen(host: str, port: str) -> socket.socket:
    """Take the port now: a taken one is told before anything is prepared. Raises Refused."""
    if not port.isdigit() or int(port) > 65535:
        raise Refused(f"PORT is {port}, which is no port: give a number up to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise Refused(
            f"Cannot listen on {host} port {port}: {error.strerror}. "
            "Set HOST and PORT to an address that is free."
        ) from error
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
