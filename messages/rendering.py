"""A message as pages show it: one element, the same for every reader."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import orjson
import structlog
from django.template import Context, Engine, Template
from django.utils.html import format_html
from django.utils.safestring import SafeString

logger = structlog.get_logger(__name__)

KEPT, LARGEST = 1_000, 16_384
"""Elements that are kept, and of messages of how many bytes at most: usually some four megabytes.
"""


def article(message: Mapping[str, Any]) -> SafeString:
    """The element of an encoded message. One that fails never takes the others with it."""
    try:
        told = orjson.dumps(message)
        return _rendered(told) if len(told) < LARGEST else _render(message)
    except Exception:
        logger.exception("message_not_rendered", message=message["id"])
        return format_html(
            '<article class="message" id="message-{0}" data-id="{0}" data-version="{1}"'
            ' data-author="{2}"'
            ' data-kind="system" data-audience="{3}" data-created="{4}" tabindex="-1">'
            '<div class="system-line">This message cannot be shown.</div></article>',
            message["id"],
            message["version"],
            message["author"]["id"],
            message["audience"],
            message["created_at"],
        )


@lru_cache(KEPT)
def _rendered(told: bytes) -> SafeString:
    """Kept, as what was said last is shown to whoever comes. It is made of `told` alone, in which
    there is all that a reader is shown: who is shown another quote has an element of their own.
    """
    return _render(orjson.loads(told))


def _render(message: Mapping[str, Any]) -> SafeString:
    return _template().render(Context({"message": message}, use_l10n=False))


@cache
def _template() -> Template:
    return Engine.get_default().get_template("messages/_message.html")
