"""The one application every server runs: pages, API, sockets, and its own start and stop."""

import os
import sys
import warnings
from typing import cast

import django
from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatmanager.settings")

# Loads the apps; what follows imports models.
django.setup(set_prefix=False)

from chatmanager.body_limit import BodyLimit  # noqa: E402
from chatmanager.handler import Handler  # noqa: E402
from chatmanager.lifespan import lifespan  # noqa: E402
from chatmanager.static_files import served_before  # noqa: E402
from live.consumer import application as sockets  # noqa: E402

# Static files and faces are read whole before they are sent: they are small. Attachments go in
# pieces.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")

pages = served_before(BodyLimit(cast("ASGI3Application", Handler())))


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Hand `scope` to who serves its kind."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    if "daphne.server" in sys.modules:
        # Daphne, behind `manage.py runserver`, knows no lifespan.
        await lifespan.start()
    if scope["type"] == "websocket":
        await sockets(scope, receive, send)
    else:
        await pages(scope, receive, send)
