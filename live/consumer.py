"""The socket of the contract: authorise, read frames, have verbs called, leave."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import orjson
import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import URLRouter
from django.conf import settings
from django.db import OperationalError
from django.urls import path, re_path
from django.utils import timezone

from accounts import origin
from accounts.errors import DomainError, Invalid, NotAuthenticated, NotFound, Unavailable
from accounts.models import Login, Ticket, User
from live import database, ephemeral, frames, hub, layer, metrics, protocol, wire
from live.bulletin import error_frame
from live.credentials import Shown, headers_of, shown_by
from live.socket import Socket
from live.until import Until
from messages.encoding import Encoded, encode, encode_for
from messages.models import Message
from messages.posting import Draft, Posted
from rooms import ids  # noqa: F401  # registers <id:…>

logger = structlog.get_logger(__name__)

OFFENCES_REMEMBERED = 60.0
"""Seconds."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class ChatConsumer(AsyncWebsocketConsumer):
    """One socket. It has no channel of its own: the hub writes to its socket directly.

    Channels' own dispatch hops to a thread that all consumers share at every message, which
    would break batches up; so frames are received in a plain loop.
    """

    channel_layer_alias = None
    socket: Socket
    expiry: asyncio.TimerHandle | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        query = parse_qs(scope.get("query_string", b"").decode("latin1"))
        our_hub = hub.current()
        try:
            if our_hub is None:
                raise NotAuthenticated  # stopping: the client comes again
            self.scope, self.hub = scope, our_hub
            self.socket = await self._open(send, query)
        except NotAuthenticated:
            await send({"type": "websocket.close", "code": 4001})  # before accepting: HTTP 403
            return
        except OperationalError:
            await self._put_off(scope, send)
            return
        self.offences: list[float] = []
        try:
            async with Until(self.socket.ended):
                await self._welcome(query)
                await self._read(receive)
        finally:
            if self.expiry is not None:
                self.expiry.cancel()
            self.hub.depart(self.socket)
            self.socket.abandon()

    async def _put_off(self, scope: dict[str, Any], send: Send) -> None:
        """The database is away: where the server can say so, the client learns to come again."""
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1013})
            return
        headers = [(b"retry-after", b"1"), (b"content-type", b"application/json")]
        body = orjson.dumps(Unavailable().body())
        await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": body})

    def _watch_expiry(self) -> None:
        left = (self.socket.valid_until - timezone.now()).total_seconds()
        self.expiry = asyncio.get_running_loop().call_later(
            max(0.0, left), lambda: self.hub.spawn(self._expire())
        )

    async def _expire(self) -> None:
        """Time is up, unless the login was used meanwhile and lasts longer now. A token lasts no
        longer, whatever becomes of its login.
        """
        token_ends_at = self.socket.credential_ends_at
        is_over = token_ends_at is not None and token_ends_at <= timezone.now()
        login = None if is_over else await self._login_now()
        if self.socket.is_over:
            return
        if login is None or login.expires_at <= timezone.now():
            self.socket.begin_to_close("expired")
        else:
            self.socket.login = login
            self._watch_expiry()

    async def _login_now(self) -> Login | None:
        """The login read again; None where it is over, and where it cannot be read at all: else a
        socket would never end.
        """
        try:
            return await database.surely(self.socket.login.as_it_is_now)
        except Exception:
            logger.exception("login_unread")
            return None

    async def _open(self, send: Send, query: Mapping[str, list[str]]) -> Socket:
        headers = headers_of(self.scope)
        address = origin.behind_proxies(
            (self.scope.get("client") or [""])[0], headers.get("x-forwarded-for", "")
        )
        origin.arrive(address, headers.get("user-agent", ""))
        login = await self._admitted(shown_by(headers, query))
        await send({"type": "websocket.accept"})
        return Socket(
            login, send, html=query.get("render") == ["html"], write=wire.way_into(self.scope)
        )

    async def _admitted(self, shown: Shown) -> Login:
        """Raises NotAuthenticated. What is used up, is so on behalf of who shows it alone."""
        if shown.kind == "ticket":
            login: Login = await database.run(Ticket.objects.take, shown.value)
            return login
        return await self.hub.door.ask(shown)

    async def _welcome(self, query: Mapping[str, list[str]]) -> None:
        """From `hello` on, nothing is missed. What is told of the room that it comes for is read
        meanwhile, and waits until it was greeted.
        """
        socket = self.socket
        room = self.scope["url_route"]["kwargs"].get("room")
        joining: asyncio.Task[None] | None = None
        if room is not None:
            join = self.on_join(room, query.get("cursor", [None])[0])
            joining = asyncio.create_task(self._handle({"room": room}, join))
        try:
            await self.hub.attend(socket)
            hello = frames.write("hello", user=socket.user.public(), session=secrets.token_hex(8))
            socket.greet(hello)
            self._watch_expiry()  # which may say good-bye at once
            if joining is not None:
                await joining
        finally:
            if joining is not None:
                joining.cancel()

    # Frames

    async def _read(self, receive: Receive) -> None:
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                return
            if not self.socket.is_over:
                await self._take(event.get("text"))

    async def _take(self, text: str | None) -> None:
        try:
            if text is None:
                raise Invalid("Frames are text, not binary.")
            kind, fields = frames.read(text)
            posting, size = kind == "post", len(fields.get("body", ""))
            self.hub.floods.take(self.socket.user_id, posting=posting, size=size)
        except DomainError as problem:
            self._refuse(problem, frames.about(text or ""))
            self._offend()
            return
        metrics.FRAMES_IN.labels(kind).inc()
        named = ("client_id", "room")
        about: dict[str, Any] = {name: fields[name] for name in named if name in fields}
        await self._handle(about, self._work(kind, fields))

    def _work(self, kind: str, fields: dict[str, Any]) -> Awaitable[None]:
        handler = protocol.handler_of(kind)
        if handler is not None:
            return database.run(handler, self.socket.user, **fields)
        work: Awaitable[None] = getattr(self, f"on_{kind}")(**fields)
        return work

    async def _handle(self, about: Mapping[str, Any], work: Awaitable[None]) -> None:
        """Have something done; what it raises is told to the client, and the socket goes on."""
        try:
            await work
        except Exception as problem:
            self._fail(problem, about)

    def _fail(self, problem: BaseException, about: Mapping[str, Any]) -> None:
        if not isinstance(problem, DomainError | OperationalError):
            logger.error("frame_failed", exc_info=problem)
        told = problem if isinstance(problem, DomainError) else Unavailable()
        self._refuse(told, about)

    def _refuse(self, problem: DomainError, about: Mapping[str, Any]) -> None:
        metrics.REFUSED.labels(problem.code).inc()
        self.socket.send(error_frame(problem, about))

    def _offend(self) -> None:
        """Frames that no honest client sends are counted; too many of them, and it is over."""
        now = asyncio.get_running_loop().time()
        self.offences = [when for when in self.offences if when > now - OFFENCES_REMEMBERED]
        self.offences.append(now)
        if settings.CHAT_THROTTLES and len(self.offences) > settings.CHAT_SOCKET_REFUSALS:
            self.socket.begin_to_close("misbehaving")

    async def on_join(self, room: int, cursor: str | None = None) -> None:
        await self.hub.usher.join(self.socket, room, cursor)

    async def on_leave(self, room: int) -> None:
        self.hub.usher.leave(self.socket, room)

    async def on_post(self, room: int, client_id: str, body: str, **chosen: Any) -> None:
        """Posts are not waited for: the next may join the same batch, in the order sent."""
        uuid = UUID(client_id)
        draft = Draft(room=room, author=self.socket.user, client_id=uuid, body=body, **chosen)
        about = {"client_id": client_id, "room": room}
        self.hub.lane.post(draft).add_done_callback(partial(self._answer, about))

    def _answer(self, about: dict[str, Any], posting: asyncio.Future[Posted]) -> None:
        """Without a task for each, which would cost as much as what is told."""
        if problem := posting.exception():
            self._fail(problem, about)
            return
        message, replayed = posting.result()
        if replayed:
            self.hub.spawn(self._handle(about, self._tell_replayed(about, message)))
            return
        encoded: Encoded | orjson.Fragment
        if message.as_told and not message.reply_to_id:
            encoded = orjson.Fragment(message.as_told)
        else:
            quoting = message.reply_to_id is not None
            encoded = encode(message, files=message.attached, reply_to=quoting)
        self.socket.send(frames.write("posted", **about, message=encoded, replayed=False))

    async def _tell_replayed(self, about: dict[str, Any], message: Message) -> None:
        encoded = await database.run(_encode_replayed, self.socket.user, message)
        self.socket.send(frames.write("posted", **about, message=encoded, replayed=True))

    async def on_typing(
        self, room: int, audience: str | None = None, to: tuple[int, ...] = ()
    ) -> None:
        news = ephemeral.typing(self.hub, self.socket.user_id, room, audience, to)
        self.hub.publish(layer.shard_of(room), news)
        ephemeral.announce_typing(self.hub, news)

    async def on_read(self, room: int, message: int) -> None:
        await database.run(_mark_read, self.socket.user, room, message)

    async def on_presence(self, state: str) -> None:
        self.socket.away = state == "away"
        self.hub.presence.touch(self.socket.user_id)

    async def on_ping(self, t: Any = None) -> None:
        self.socket.send(frames.write("pong", t=t))


def _encode_replayed(user: User, message: Message) -> Encoded:
    return encode_for(user, [message])[0]


def _mark_read(user: User, room: int, pk: int) -> None:
    message = Message.objects.visible_to(user).filter(room=room, pk=pk).first()
    if message is None:
        raise NotFound
    message.mark_read(by=user)


async def refuse(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """There is no socket at this address."""
    await receive()
    await send({"type": "websocket.close"})


application = URLRouter(
    [
        path("ws/", ChatConsumer.as_asgi()),
        path("ws/rooms/<id:room>/", ChatConsumer.as_asgi()),
        re_path("", refuse),  # type: ignore[arg-type]  # ASGI applications are routed, too
    ]
)
