"""The socket client of the tests, over a real socket to a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
from django.db import connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from accounts import tokens
from accounts.models import Login, User
from tests.live.client import PATIENCE, Client
from tests.live.server import LiveServer


class Remote(Client):
    """It may call the API, too: of this server or of another."""

    wire: ClientConnection

    def __init__(self, server: LiveServer, pair: tokens.TokenPair) -> None:
        super().__init__()
        self.server = server
        self.refresh = pair["refresh"]
        self.headers = {"Authorization": f"Bearer {pair['access']}"}

    @classmethod
    async def at(cls, server: LiveServer, user: User, room: int | None = None) -> Remote:
        """Connected as `user`, with a login of its own; in `room`, once that has answered."""
        remote = cls(server, await asyncio.to_thread(sign_in, user))
        await remote.connect(room)
        return remote

    async def connect(
        self,
        room: int | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> None:
        path = "" if room is None else f"rooms/{room}/"
        url = f"{self.server.socket_url}{path}?{urlencode(query)}"
        self.wire = await connect(
            url,
            additional_headers=headers or self.headers,
            max_size=None,
            open_timeout=PATIENCE,
        )
        self._task = asyncio.create_task(self._listen())
        await self.frame("hello")
        if room is not None:
            await self.frame("joined")

    async def _listen(self) -> None:
        try:
            while True:
                await self._take({"type": "websocket.send", "text": await self.wire.recv()})
        except ConnectionClosed:
            await self._take({"type": "websocket.close", "code": self.wire.close_code})

    async def send_text(self, text: str) -> None:
        await self.wire.send(text)

    async def disconnect(self) -> None:
        await self.wire.close()
        await self._task

    async def call(
        self, method: str, path: str, *, at: LiveServer | None = None, **body: Any
    ) -> Any:
        """What the API of a server answers, which must be a success."""
        base = f"{(at or self.server).url}/api/v1/"
        async with httpx.AsyncClient(base_url=base, headers=self.headers) as http:
            answer = await http.request(method, path, json=body, timeout=PATIENCE)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


def sign_in(user: User) -> tokens.TokenPair:
    try:
        return tokens.issue(Login.objects.start(user, kind=Login.Kind.TOKEN))
    finally:
        connection.close()
