"""What makes the site an app of its own: the manifest, the service worker, the page without a line.

The worker keeps what is the same for everybody and nothing else: static files, and the page below,
which shows what this browser kept. No page of a person and no answer of the API is ever cached, so
that signing out leaves nothing behind.
"""

import hashlib
import json
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rooms.templatetags.pages import module_addresses

# Files of static/js/sw/, each of which listens for what it is there for.
HANDLERS = ["shell", "push"]
ICONS = [("icon.svg", "any", "any"), *((f"icon-{n}.png", f"{n}x{n}", "any") for n in (192, 512))]
MASKABLE_ICONS = [(f"maskable-{n}.png", f"{n}x{n}", "maskable") for n in (192, 512)]
PAPER, PINE = "#f4f3ef", "#0d5442"


@cache
def files() -> tuple[str, ...]:
    """The addresses of what every page is made of."""
    icons = (static(f"img/{name}") for name, *_ in ICONS[:2])
    return (static("css/main.css"), *module_addresses(), *icons)


@cache
def release() -> str:
    """Another one whenever what pages are made of is another: its files are named by content."""
    handlers = [static(f"js/sw/{name}.js") for name in HANDLERS]
    return hashlib.sha256("\n".join([*files(), *handlers]).encode()).hexdigest()[:12]


@never_cache
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker of the whole site: what it is to keep, and the handlers of its events."""
    shell = {
        "release": release(),
        "files": files(),
        "outbox": reverse("outbox"),
        # Files named by content are true for ever; those of a developer change under their name.
        "immutable": not settings.DEBUG,
    }
    handlers = [static(f"js/sw/{name}.js") for name in HANDLERS]
    source = f"self.shell = {json.dumps(shell)};\nimportScripts(...{json.dumps(handlers)});\n"
    return HttpResponse(
        source,
        content_type="text/javascript; charset=utf-8",
        headers={"Service-Worker-Allowed": "/"},
    )


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """How it looks among the apps of a device."""
    return JsonResponse(
        {
            "id": "/",
            "name": "Chat Manager",
            "short_name": "Chat",
            "description": "Rooms where everyone sees exactly what is meant for them.",
            "lang": "en",
            "start_url": reverse("home"),
            "scope": "/",
            "display": "standalone",
            "background_color": PAPER,
            "theme_color": PINE,
            "icons": [
                {"src": static(f"img/{name}"), "sizes": sizes, "purpose": purpose}
                for name, sizes, purpose in [*ICONS, *MASKABLE_ICONS]
            ],
            "shortcuts": [
                {"name": "Your rooms", "url": reverse("home")},
                {"name": "Search messages", "url": reverse("search")},
                {"name": "Not sent yet", "url": reverse("outbox")},
            ],
        },
        content_type="application/manifest+json",
    )


@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """What was written and not sent, as this browser kept it; and so the page without a line."""
    return render(request, "shell/outbox.html")


@never_cache
@require_safe
def current(request: HttpRequest) -> JsonResponse:
    """Which release pages are of now: one that is open longer may say that there is a newer."""
    return JsonResponse({"release": release()})
