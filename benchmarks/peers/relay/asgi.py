"""litellm, the channel layer, the socket: one group_send a chunk. Nothing is stored or checked."""

import asyncio
import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
django.setup()

import litellm  # noqa: E402
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import re_path  # noqa: E402


class RelayConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        self.room = f"room_{self.scope['url_route']['kwargs']['room_name']}"
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, close_code):
        await self.channel_layer.group_discard(self.room, self.channel_name)

    async def receive(self, text_data):
        self.answering = asyncio.create_task(self.answer(json.loads(text_data)["question"]))

    async def answer(self, question):
        stream = await litellm.acompletion(
            model="openai/benchmark",
            api_base=os.environ["RELAY_API_BASE"],
            api_key="none",
            messages=[{"role": "user", "content": question}],
            stream=True,
        )
        async for chunk in stream:
            if token := chunk.choices[0].delta.content:
                await self.tell({"token": token})
        await self.tell({"end": True})

    async def tell(self, frame):
        await self.channel_layer.group_send(self.room, {"type": "chat.frame", "frame": frame})

    async def chat_frame(self, event):
        await self.send(text_data=json.dumps(event["frame"]))


application = ProtocolTypeRouter(
    {"websocket": URLRouter([re_path(r"^ws/relay/(?P<room_name>\w+)/$", RelayConsumer.as_asgi())])}
)
