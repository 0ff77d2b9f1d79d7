"""A socket client without a network: it drives the application as a server would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from accounts import tokens
from accounts.models import Login, User
from live import database
from live.consumer import application
from tests.live import contract
from tests.process import PATIENCE as PATIENCE

Frame = dict[str, Any]


class Refused(Exception):
    """The server did not accept the socket."""


class Client:
    """Everything the server sent is in `frames`, in order, and is checked against the contract.

    What a check finds is kept in `broken`, and raised by whatever the test does next.
    """

    def __init__(self, login: Login | None = None) -> None:
        self.login = login
        self.frames: list[Frame] = []
        self.closed: int | None = None
        self.broken: list[str] = []
        self._to_server: asyncio.Queue[Frame] = asyncio.Queue()
        self._arrived = asyncio.Condition()
        self._accepted = False
        self.reads = asyncio.Event()
        self.reads.set()

    @classmethod
    async def of(cls, user: User, room: int | None = None, **query: str) -> Client:
        """Connected as `user`, with a login of its own, and on the way into `room`."""
        login = await database.run(Login.objects.start, user, kind=Login.Kind.TOKEN)
        client = cls(login)
        await client.connect(room, **query)
        return client

    @classmethod
    async def into(cls, user: User, room: int, **query: str) -> Client:
        """Connected as `user` and in `room`; its `joined` frame is kept as `self.joined`."""
        client = await cls.of(user, room, **query)
        client.joined = await client.frame("joined")
        return client

    async def connect(
        self,
        room: int | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        path: str | None = None,
        **query: str,
    ) -> None:
        """Raises Refused."""
        if headers is None:
            headers = {}
            if self.login is not None:
                pair = await database.run(tokens.issue, self.login)
                headers = {"Authorization": f"Bearer {pair['access']}"}
        if path is None:
            path = "/ws/" if room is None else f"/ws/rooms/{room}/"
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": "&".join(f"{name}={value}" for name, value in query.items()).encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ["127.0.0.1", 1],
        }
        await self._to_server.put({"type": "websocket.connect"})
        self._task = asyncio.create_task(application(scope, self._to_server.get, self._take))
        await self._wait(lambda: self._accepted or self.closed is not None)
        if not self._accepted:
            raise Refused
        self.hello = await self.frame("hello")

    async def _take(self, event: Frame) -> None:
        await self.reads.wait()
        async with self._arrived:
            if event["type"] == "websocket.accept":
                self._accepted = True
            elif event["type"] == "websocket.close":
                self.closed = event.get("code", 1000)
            else:
                frame = json.loads(event["text"])
                self.broken += contract.faults(frame)
                self.frames.append(frame)
            self._arrived.notify_all()

    async def _wait(self, condition: Callable[[], Any]) -> Any:
        async with self._arrived:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._arrived.wait_for(lambda: self.broken or condition())
            except TimeoutError:
                raise AssertionError(f"It never came; there was {self.frames}") from None
        assert not self.broken, self.broken
        return condition()

    async def frame(self, kind: str, **fields: Any) -> Frame:
        """The first frame of that type with those fields, now or soon; `frames` loses it."""

        def found() -> Frame | None:
            for frame in self.frames:
                if frame["type"] == kind and fields.items() <= frame.items():
                    return frame
            return None

        frame = await self._wait(found)
        self.frames.remove(frame)
        return frame

    async def message(self, body: str) -> Frame:
        """The message with that body, once a `messages` frame has brought it."""

        def found() -> Frame | None:
            return next((m for m in self.messages if m["body"] == body), None)

        return await self._wait(found)

    @property
    def messages(self) -> list[Frame]:
        """What `joined` and `messages` frames brought, in order."""
        return [m for f in self.frames for m in f.get("messages", ())]

    @property
    def bodies(self) -> list[str]:
        return [m["body"] for m in self.messages if m["kind"] == "text"]

    async def closing(self) -> int:
        """The code with which the server closes."""
        await self._wait(lambda: self.closed is not None)
        assert self.closed is not None
        return self.closed

    async def send(self, kind: str, **fields: Any) -> None:
        await self.send_text(json.dumps({"type": kind, **fields}))

    async def send_text(self, text: str) -> None:
        await self._to_server.put({"type": "websocket.receive", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        await self._to_server.put({"type": "websocket.receive", "bytes": data, "text": None})

    async def post(self, room: int, body: str, **fields: Any) -> Frame:
        """The answer: a `posted` frame."""
        client_id = fields.pop("client_id", None) or str(uuid4())
        await self.send("post", room=room, client_id=client_id, body=body, **fields)
        return await self.frame("posted", client_id=client_id)

    async def error(self, code: str, **fields: Any) -> Frame:
        return await self.frame("error", code=code, **fields)

    async def bye(self, reason: str) -> int:
        """It is told why, as the last thing; and the code it is closed with."""
        code = await self.closing()
        assert self.frames[-1] == {"type": "bye", "reason": reason}
        return code

    def of_type(self, *kinds: str) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] in kinds]

    async def settle(self) -> None:
        """All that was sent before is worked off: the answer to a ping says so."""
        mark = str(uuid4())
        await self.send("ping", t=mark)
        await self.frame("pong", t=mark)

    async def disconnect(self) -> None:
        await self._to_server.put({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait([self._task], timeout=PATIENCE)
